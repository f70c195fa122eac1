//! Endpoints that tell how a node is: [`health_routes`], or [`liveness`] and [`readiness`] under
//! paths of your own.
//!
//! None of them asks the storage's server anything, so they answer at once in every outage and can
//! be asked as often as a probe likes.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use cloakroom::{Engine, HealthStatus, StorageHealth};
use serde_json::json;

/// How much a readiness endpoint shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthDetail {
    /// The status alone: `{"status":"healthy"}`. Fit for an endpoint that everybody can reach.
    Status,
    /// The whole [`StorageHealth`], with the addresses of servers, their versions and what went
    /// wrong last. For an address that only operators can reach.
    Everything,
}

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

/// Answers 200 for as long as the process answers at all.
///
/// It never looks at the storage: a restart mends no server that the process depends on, and a
/// process that has lost its storage still refuses the sessions that were signed out there.
pub fn liveness<S: Clone + Send + Sync + 'static>() -> MethodRouter<S> {
    get(async || answer(StatusCode::OK, json!({ "status": "alive" }).to_string()))
}

/// Answers whether this node should be sent requests, and how its storage is.
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
    get(async move || {
        let health = engine.health();
        let status = match engine.policy().outage.is_ready(health.status) {
            true => StatusCode::OK,
            false => StatusCode::SERVICE_UNAVAILABLE,
        };
        answer(status, body(&health, detail))
    })
}

fn body(health: &StorageHealth, detail: HealthDetail) -> String {
    let status_alone = |status: HealthStatus| json!({ "status": status }).to_string();
    match detail {
        HealthDetail::Status => status_alone(health.status),
        // It cannot fail: the value has no map and no writer of its own.
        HealthDetail::Everything => {
            serde_json::to_string(health).unwrap_or_else(|_| status_alone(health.status))
        }
    }
}

fn answer(status: StatusCode, json: String) -> Response {
    const HEADERS: [(HeaderName, &str); 2] =
        [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
    (status, HEADERS, json).into_response()
}
