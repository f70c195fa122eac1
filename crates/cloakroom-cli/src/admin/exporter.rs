//! [`Exporter`]: the metrics of this process for Prometheus, on a port of their own, because a scraper
//! does not sign in. It shows nothing else, and is there only where somebody has asked for it.
//!
//! The page names servers, so it never leaves this machine: it listens on a loopback address alone,
//! and answers to this machine's own names alone, so that no page elsewhere can have a browser read it.

use std::future::IntoFuture;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cloakroom::Engine;
use cloakroom_metrics::MetricsObserver;
use tokio::net::TcpListener;

use super::server;
use crate::failure::Failure;
use crate::metrics::Metrics;

/// A port that shows metrics.
pub(super) struct Exporter {
    listener: TcpListener,
    metrics: Metrics,
}

impl Exporter {
    /// Takes the port and begins to count.
    pub(super) async fn listen(place: SocketAddr) -> Result<Self, Failure> {
        if !place.ip().is_loopback() {
            return Err(Failure::new(format!(
                "{place} can be reached from other machines, and the metrics ask nobody who they are: \
                 give --metrics-listen an address such as 127.0.0.1:9464, and put a proxy before it \
                 if Prometheus runs elsewhere"
            )));
        }
        let listener = server::listen(place, "--metrics-listen").await?;
        Ok(Self { listener, metrics: Metrics::start()? })
    }

    /// Whom the engine has to tell what happens.
    pub(super) fn observer(&self) -> MetricsObserver {
        self.metrics.observer()
    }

    /// Where it listens.
    pub(super) fn place(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until it is dropped.
    pub(super) async fn serve(self, engine: Engine) -> std::io::Result<()> {
        let shown = Arc::new((self.metrics, engine));
        let router = Router::new()
            .route("/metrics", get(show))
            .layer(middleware::from_fn(only_here))
            .with_state(shown);
        axum::serve(self.listener, router).into_future().await
    }
}

async fn show(State(shown): State<Arc<(Metrics, Engine)>>) -> Response {
    let (metrics, engine) = &*shown;
    metrics.answer(engine)
}

async fn only_here(request: Request, next: Next) -> Response {
    match is_here(request.headers()) {
        true => next.run(request).await,
        false => {
            let text = "This page answers to localhost, 127.0.0.1 and [::1] only.\n";
            (StatusCode::FORBIDDEN, text).into_response()
        }
    }
}

/// Whether this machine is called by a name for itself. A page elsewhere can make its own name lead to
/// this machine, and cannot make the browser call it by one of these.
fn is_here(headers: &HeaderMap) -> bool {
    let named = headers.get(HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    named.is_some_and(|named| {
        let name = named.host().trim_matches(['[', ']']);
        let is_loopback = |address: IpAddr| address.to_canonical().is_loopback();
        name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(is_loopback)
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_names_of_this_machine_for_itself_are_answered() {
        let is_here = |host: &'static str| {
            is_here(&HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]))
        };
        for host in ["127.0.0.1:9464", "LOCALHOST:9464", "localhost", "[::1]:9464", "127.1.2.3"] {
            assert!(is_here(host), "{host}");
        }
        for host in ["rebound.example:9464", "192.0.2.7", "localhost.example", "::1", "", "@"] {
            assert!(!is_here(host), "{host}");
        }
        assert!(!super::is_here(&HeaderMap::new()));
    }
}
