//! `cloakroom admin`: serves the page for operators over the sessions of a Redis.
//!
//! ```text
//! people.rs    who may sign in                  password.rs  where a password comes from
//! place.rs     where the page may listen        journal.rs   where the audit trail is kept
//! server.rs    the port, the greeting, the end
//! exporter.rs  metrics for Prometheus, on a port of their own
//! ```
//!
//! The application runs in other processes, so the page shows what can be known from the storage, and
//! says what cannot.

mod exporter;
mod journal;
mod password;
mod people;
mod place;
mod server;

use std::net::SocketAddr;
use std::path::PathBuf;

use axum::Router;
use cloakroom::{EngineBuilder, Policy};
use cloakroom_admin::{AdminObserver, AdminPage};

use crate::failure::Failure;
use crate::installation::{self, Purpose};
use crate::output::remark;
use exporter::Exporter;
use journal::Journal;
use people::{People, Person};
use place::Place;
use server::Served;

pub(crate) const EXAMPLES: &str = "\
Without --password-file the password is that of CLOAKROOM_ADMIN_PASSWORD, else one is drawn and
printed once. It has 16 characters at least. Whatever is done with the page is a line of JSON on the
standard error output, or in the file of --audit-file. Ctrl-C ends it.

Examples:
  cloakroom admin --url redis://localhost:6379
  cloakroom admin --operator ada=/run/secrets/ada --operator grace=/run/secrets/grace
  cloakroom admin --config session.toml --listen 0.0.0.0:8090 --behind-tls \\
    --trusted-proxy 10.0.0.0/8 --password-file secret --audit-file /var/log/cloakroom-audit.json";

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
    /// A proxy, as an address or a network: what its X-Forwarded-For header says of visitors'
    /// addresses is believed; may be repeated
    #[arg(long, value_name = "NETWORK")]
    trusted_proxy: Vec<String>,
    /// The path under which browsers find the page, where a proxy puts it below one
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// A name to sign in with, and the file with this person's password; may be repeated
    #[arg(long, default_value = "admin", value_name = "NAME[=FILE]")]
    operator: Vec<Person>,
    /// The file with the password of the one who has none of their own
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Where the audit trail is kept, a line of JSON for each entry [default: standard error output]
    #[arg(long, value_name = "FILE")]
    audit_file: Option<PathBuf>,
    /// Where Prometheus reads this process's metrics, without a password; a loopback address
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics_listen: Option<SocketAddr>,
}

/// Serves the page until it is asked to end.
pub(crate) async fn run(options: Options) -> Result<(), Failure> {
    let place = Place::choose(options.listen, options.behind_tls)?;
    let path = options.path.as_deref().map(|path| path.trim_end_matches('/'));
    check_path(path.unwrap_or_default())?;
    let people = People::find(&options.operator, options.password_file.as_deref())?;
    let journal = Journal::open(options.audit_file.as_deref())?;
    let policy = policy(&options.trusted_proxy)?;
    if place == Place::BehindTls && policy.trusted_proxies.is_empty() {
        remark(PROXY);
    }
    let installation = options.installation.resolve()?;
    let listener = server::listen(options.listen, "--listen").await?;
    let exporter = match options.metrics_listen {
        Some(place) => Some(Exporter::listen(place).await?),
        None => None,
    };
    let name = installation.place.clone();
    let observer = AdminObserver::of_the_page_only();
    let own = |engine: EngineBuilder| {
        let engine = engine.policy(policy.clone());
        match &exporter {
            Some(exporter) => engine.observer((observer.clone(), exporter.observer())),
            None => engine.observer(observer.clone()),
        }
    };
    let (engine, _) = installation.engine_with(Purpose::End, own).await?;
    let greeting = server::Greeting {
        names: people.names(),
        passwords: people.passwords(),
        storage: &name,
        trail: journal.place(),
        place,
    };
    let mut page = AdminPage::for_operators(engine.clone(), people.operators)
        .observer(observer)
        .installation(name.as_str())
        .audit(journal);
    if place == Place::Here {
        page = page.plain_http_on_loopback();
    }
    if let Some(path) = &options.path {
        page = page.path(path);
    }
    let under_way = page.under_way();
    let mut router = page.router()?;
    if let Some(path) = path.filter(|path| !path.is_empty()) {
        // Whether the proxy takes the path away or leaves it.
        router = Router::new().nest_service(path, router.clone()).fallback_service(router);
    }
    if place == Place::BehindTls {
        router = place::through_proxies(router, &policy);
    }
    let served = Served { page: router, under_way, engine, exporter };
    server::serve(listener, served, &greeting).await
}

const PROXY: &str = "no --trusted-proxy is named: see to it that nobody but the proxy reaches this \
                     port, for others would send the password in plain text; the audit trail shows \
                     the proxy's address for everybody, and all visitors share one measure of wrong \
                     passwords";

/// A proxy may take the path away, so nothing of the page's own may be called like it.
fn check_path(path: &str) -> Result<(), Failure> {
    let first = path.split('/').nth(1).unwrap_or_default();
    if AdminPage::OWN_PATHS.contains(&first) {
        return Err(Failure::misused(format!(
            "--path {path} begins as an address of the page itself; choose another one, such as \
             /ops{path}"
        )));
    }
    Ok(())
}

/// The default policy with these proxies, read as in every policy.
fn policy(trusted_proxies: &[String]) -> Result<Policy, Failure> {
    let proxies = serde_json::json!({ "trusted_proxies": trusted_proxies });
    serde_json::from_value(proxies)
        .map_err(|error| Failure::misused(format!("--trusted-proxy: {error}")))
}
