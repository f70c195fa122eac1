//! Endpoints that tell how a node is: [`health_routes`], or [`liveness`] and [`readiness`] under
//! paths of your own.
//!
//! None of them asks the storage's server anything, so they answer at once in every outage and can
//! be asked as often as a probe likes.

use actix_web::web::{self, ServiceConfig};
use actix_web::{Route, guard};
use cloakroom::{Engine, HealthDetail, Reply};

use crate::respond::response;

/// The routes `/livez` and `/readyz`, which show the status alone.
///
/// | route | answer | meaning of anything else |
/// | --- | --- | --- |
/// | `/livez` | 200 | the process is stuck: restart it |
/// | `/readyz` | 200 with `{"status":"healthy"}`, `"degraded"` or `"unavailable"` | send it no requests |
///
/// See [`liveness`] and [`readiness`]. Both answers are `Cache-Control: no-store`.
///
/// ```
/// use actix_web::{App, web};
/// use cloakroom::{Engine, MemorySessionStorage};
/// use cloakroom_actix::{HealthDetail, SessionMiddleware, health_routes, readiness};
///
/// let engine = Engine::builder(MemorySessionStorage::new()).build()?;
/// let app = App::new().configure(health_routes(&engine)).wrap(SessionMiddleware::new(&engine));
///
/// // For operators, on an address that nobody else can reach:
/// let inside = App::new().route("/health", readiness(&engine, HealthDetail::Everything));
/// # let _ = (app, inside);
/// # Ok::<(), cloakroom::ConfigError>(())
/// ```
pub fn health_routes(engine: &Engine) -> impl FnOnce(&mut ServiceConfig) + use<> {
    let readiness = readiness(engine, HealthDetail::Status);
    move |config| {
        config.route("/livez", liveness()).route("/readyz", readiness);
    }
}

/// Answers 200 for as long as the process answers at all ([`Reply::liveness`]).
pub fn liveness() -> Route {
    probe().to(async || response(Reply::liveness()))
}

/// Answers whether this node should be sent requests, and how its storage is
/// ([`Reply::readiness`]).
///
/// By default that is 200 in any state of the storage: an outage that all nodes share must not take
/// all of them out of the load balancer, with every page that needs no session. Look at the status
/// in the body, or at the metrics, for alarms. Where
/// [`OutagePolicy::readiness`](cloakroom::OutagePolicy::readiness) says so, it is 503 while no
/// session can be read.
pub fn readiness(engine: &Engine, detail: HealthDetail) -> Route {
    let engine = engine.clone();
    probe().to(move || std::future::ready(response(Reply::readiness(&engine, detail))))
}

/// Some probes ask for the head only.
fn probe() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}
