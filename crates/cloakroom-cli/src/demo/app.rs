//! The demo's routes, and the layers around them.
//!
//! ```text
//! measure    counts what the request asks of the storage, adds Server-Timing
//! refusal    turns a session's refusal into a page
//! session    Cloakroom: loads when a handler asks, commits before the answer leaves
//! ```

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use cloakroom::Engine;
use cloakroom_axum::SessionLayer;

use super::ledger::Ledger;
use super::slow::UnderWay;
use super::{assets, cart, devices, home, meter, parallel, refusal, sign, slow};
use crate::metrics::Metrics;

/// What handlers share beside the sessions.
#[derive(Clone)]
pub(super) struct App {
    /// The storage's name for people.
    pub(super) storage: Arc<str>,
    pub(super) engine: Engine,
    pub(super) ledger: Arc<Ledger>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) under_way: Arc<UnderWay>,
    /// How long a sign-in is recent enough to end other sessions.
    pub(super) fresh_for: Duration,
}

impl App {
    pub(super) fn new(
        storage: String,
        engine: Engine,
        ledger: Arc<Ledger>,
        metrics: Metrics,
    ) -> Self {
        let (storage, metrics) = (storage.into(), Arc::new(metrics));
        let (under_way, fresh_for) = (Arc::default(), Duration::ZERO);
        Self { storage, engine, ledger, metrics, under_way, fresh_for }
    }

    /// The same where a sign-in is recent for another time than none.
    pub(super) fn fresh_for(self, fresh_for: Duration) -> Self {
        Self { fresh_for, ..self }
    }
}

/// The whole application.
pub(super) fn router(app: App) -> Router {
    Router::new()
        .route("/", get(home::show))
        .route("/sign-in", post(sign::sign_in))
        .route("/sign-out", post(sign::sign_out))
        .route("/signed-out", get(sign::signed_out))
        .route("/cart/add", post(cart::add))
        .route("/cart/remove", post(cart::remove))
        .route("/cart/empty", post(cart::empty))
        .route("/cart/parallel", post(parallel::add))
        .route("/devices", get(devices::show))
        .route("/devices/end", post(devices::end_one))
        .route("/devices/end-others", post(devices::end_others))
        .route("/devices/confirm", post(devices::confirm))
        .route("/slow", get(slow::show).post(slow::write))
        .route("/metrics", get(metrics))
        .route("/assets/{name}", get(assets::serve))
        .fallback(refusal::not_found)
        .layer(SessionLayer::new(&app.engine))
        .layer(middleware::from_fn(refusal::explain))
        .layer(middleware::from_fn_with_state(app.ledger.clone(), meter::measure))
        .layer(middleware::from_fn(protect))
        .with_state(app)
}

/// Shows the metrics of this moment. It asks for no session.
async fn metrics(State(app): State<App>) -> Response {
    app.metrics.answer(&app.engine)
}

/// Headers that keep a page to itself: no foreign or inline script, no frame, no guessed types.
async fn protect(request: Request, next: Next) -> Response {
    const HEADERS: [(HeaderName, &str); 3] = [
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
        (REFERRER_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
