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
use cloakroom_redis::{DEFAULT_PREFIX, DEFAULT_URL, RedisConfig, RedisSessionStorage};

use crate::failure::Failure;
use password::Password;
use place::Place;

/// How many connections a page for a few people needs.
const CONNECTIONS: usize = 2;

/// What the page can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where the sessions are, for example redis://localhost:6379
    #[arg(long, env = "CLOAKROOM_REDIS_URL", default_value = DEFAULT_URL, hide_env_values = true, value_name = "redis://…")]
    url: String,
    /// What the names of the storage's keys begin with
    #[arg(long, env = "CLOAKROOM_REDIS_PREFIX", default_value = DEFAULT_PREFIX)]
    prefix: String,
    /// Where to listen; port 0 takes any free one
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Says that browsers reach the page over HTTPS only, through a proxy; then it may listen anywhere
    #[arg(long)]
    behind_tls: bool,
    /// The name to sign in with
    #[arg(long, default_value = "admin")]
    operator: String,
    /// The file with the password; without it CLOAKROOM_ADMIN_PASSWORD, else one is drawn and printed
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Serves the page until it is asked to end.
pub(crate) async fn run(options: Options) -> Result<(), Failure> {
    let place = Place::choose(options.listen, options.behind_tls)?;
    let password = Password::find(options.password_file.as_deref())?;
    let operators = Operators::new(&options.operator, password.text())?;
    let config = RedisConfig::from_url(&options.url);
    let label = config.place()?;
    let listener = server::listen(options.listen).await?;
    let storage = RedisSessionStorage::builder()
        .server(config)
        .prefix(&options.prefix)
        .pool_size(CONNECTIONS)
        .build()
        .await?;
    let observer = AdminObserver::of_the_page_only();
    let engine = Engine::builder(storage).observer(observer.clone()).build()?;
    let mut page = AdminPage::for_operators(engine.clone(), operators).observer(observer);
    if place == Place::Here {
        page = page.plain_http_on_loopback();
    }
    let greeting = server::Greeting {
        operator: &options.operator,
        password: &password,
        storage: &label.to_string(),
        place,
    };
    server::serve(listener, &engine, page.router()?, &greeting).await
}
