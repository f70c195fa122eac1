//! `cloakroom demo`: a small web application whose handlers do what an application's handlers do.
//!
//! ```text
//! storage.rs   --storage: memory or a Redis URL     server.rs    port, greeting, end
//! app.rs       the routes and their layers          pages.rs     what all templates share
//! sign.rs      sign in, remember me, sign out       cart.rs      the cart
//! devices.rs   where the owner is signed in, and ending others
//! parallel.rs  twenty requests at once              slow.rs      a slow request, signed out under it
//! meter.rs     what a request asked of the storage  ledger.rs    what earlier requests asked
//! facts.rs     the session's own facts              refusal.rs   pages for 503, 409 and 500
//! ```

mod app;
mod assets;
mod cart;
mod devices;
mod facts;
mod home;
mod ledger;
mod meter;
mod moment;
mod pages;
mod parallel;
mod refusal;
mod server;
mod sign;
mod slow;
mod storage;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use cloakroom::{Engine, FingerprintMode, Policy};
use cloakroom_redis::SessionStorageFactory;

use crate::failure::Failure;
use crate::installation::warn_of_password;
use crate::metrics::Metrics;
use app::App;
use ledger::Ledger;
use meter::Accountant;
use storage::Choice;

pub(crate) const EXAMPLES: &str = "\
Examples:
  cloakroom demo
  cloakroom demo --port 0 --storage redis://localhost:6379";

/// What the demo can be told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where sessions are kept: `memory`, or a URL such as redis://localhost:6379, with rediss, unix,
    /// redis+sentinel or redis+cluster as its scheme too
    #[arg(long, default_value = "memory", value_name = "memory|redis://…")]
    storage: String,
    /// The port to listen on; 0 takes any free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    address: IpAddr,
    /// How long after a sign-in other sessions of the owner may be ended
    #[arg(long, default_value = "5m", value_name = "DURATION", value_parser = humantime::parse_duration)]
    fresh_for: Duration,
}

/// Serves the demo until it is asked to end.
pub(crate) async fn run(options: Options) -> Result<(), Failure> {
    warn_of_password("--storage", &options.storage, "use a server for tests, without one");
    let choice = Choice::read(&options.storage)?;
    let listener = server::listen(options.address, options.port).await?;
    let policy = Policy::for_local_development();
    let mode = FingerprintMode::default();
    let storage = SessionStorageFactory::create_storage(&choice.config, mode).await?;
    let (ledger, metrics) = (Arc::new(Ledger::default()), Metrics::start()?);
    let observer = (Accountant::new(ledger.clone()), metrics.observer());
    let engine = Engine::builder(storage).policy(policy).observer(observer).build()?;
    let app = App::new(choice.label, engine, ledger, metrics).fresh_for(options.fresh_for);
    server::serve(listener, app).await
}
