//! Endpoints that tell how a node is: [`health_routes`], or [`liveness`] and [`readiness`] under
//! paths of your own.
//!
//! None of them asks the storage's server anything, so they answer at once in every outage and can
//! be asked as often as a probe likes.

use axum::Router;
use axum::routing::{MethodRouter, get};
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
/// use axum::Router;
/// use cloakroom::{Engine, MemorySessionStorage};
/// use cloakroom_axum::{HealthDetail, SessionLayer, health_routes, readiness};
///
/// let engine = Engine::builder(MemorySessionStorage::new()).build()?;
/// let app: Router = Router::new().layer(SessionLayer::new(&engine)).merge(health_routes(&engine));
///
/// // For operators, on an address that nobody else can reach:
/// let inside: Router = Router::new().route("/health", readiness(&engine, HealthDetail::Everything));
/// # Ok::<(), cloakroom::ConfigError>(())
/// ```
pub fn health_routes<S: Clone + Send + Sync + 'static>(engine: &Engine) -> Router<S> {
    Router::new()
        .route("/livez", liveness())
        .route("/readyz", readiness(engine, HealthDetail::Status))
}

/// Answers 200 for as long as the process answers at all ([`Reply::liveness`]).
pub fn liveness<S: Clone + Send + Sync + 'static>() -> MethodRouter<S> {
    get(async || response(Reply::liveness()))
}

/// Answers whether this node should be sent requests, and how its storage is
/// ([`Reply::readiness`]).
///
/// By default that is 200 in any state of the storage: an outage that all nodes share must not take
/// all of them out of the load balancer, with every page that needs no session. Look at the status
/// in the body, or at the metrics, for alarms. Where
/// [`OutagePolicy::readiness`](cloakroom::OutagePolicy::readiness) says so, it is 503 while no
/// session can be read.
pub fn readiness<S: Clone + Send + Sync + 'static>(
    engine: &Engine,
    detail: HealthDetail,
) -> MethodRouter<S> {
    let engine = engine.clone();
    get(async move || response(Reply::readiness(&engine, detail)))
}
