//! `cloakroom admin`: serves the page for operators over the sessions of a Redis.
//!
//! ```text
//! password.rs  where the password comes from    place.rs  where the page may listen
//! server.rs    the port, the greeting, the end
//! ```
//!
//! The application runs in other processes, so the page shows what can be known from the storage, and
//! says what cannot.

mod password;
mod place;
mod server;

use std::net::SocketAddr;
use std::path::PathBuf;

use cloakroom::Engine;
use cloakroom_admin::{AdminObserver, AdminPage, Operators};
use cloakroom_redis::DEFAULT_PREFIX;

use crate::failure::Failure;
use crate::installation;
use password::Password;
use place::Place;

pub(crate) const EXAMPLES: &str = "\
Without --password-file the password is that of CLOAKROOM_ADMIN_PASSWORD, else one is drawn and
printed once. It has 16 characters at least. Ctrl-C ends it.

Examples:
  cloakroom admin --url redis://localhost:6379
  cloakroom admin --config session.toml --listen 0.0.0.0:8090 --behind-tls --password-file secret";

/// What the page can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    installation: installation::Options,
    /// Where to listen; port 0 takes any free one
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Says that browsers reach the page over HTTPS only, through a proxy; then it may listen anywhere
    #[arg(long)]
    behind_tls: bool,
    /// The name to sign in with
    #[arg(long, default_value = "admin", value_name = "NAME")]
    operator: String,
    /// The file with the password
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Serves the page until it is asked to end.
pub(crate) async fn run(options: Options) -> Result<(), Failure> {
    let place = Place::choose(options.listen, options.behind_tls)?;
    let password = Password::find(options.password_file.as_deref())?;
    let operators = Operators::new(&options.operator, password.text())?;
    let installation = options.installation.resolve()?;
    let listener = server::listen(options.listen).await?;
    let storage = installation.open().await?;
    let observer = AdminObserver::of_the_page_only();
    let engine = Engine::builder(storage).observer(observer.clone()).build()?;
    let mut page = AdminPage::for_operators(engine.clone(), operators)
        .observer(observer)
        .installation(name(&installation));
    if place == Place::Here {
        page = page.plain_http_on_loopback();
    }
    let greeting = server::Greeting {
        operator: &options.operator,
        password: &password,
        storage: &installation.place,
        place,
    };
    server::serve(listener, &engine, page.router()?, &greeting).await
}

/// What the page calls it: operators may have several open.
fn name(installation: &installation::Installation) -> String {
    let prefix = &installation.config.prefix;
    if prefix == DEFAULT_PREFIX {
        return installation.place.clone();
    }
    format!("{}, prefix {prefix}", installation.place)
}
