//! [`Metrics`]: the page of metrics, as Prometheus reads it. The demo shows it beside its other pages,
//! `cloakroom admin` on a port of its own.
//!
//! Nothing is asked of the storage's server for it, and it names no session and no owner.

use std::time::Duration;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use cloakroom::Engine;
use cloakroom_metrics::{Kind, METRICS, MetricsObserver};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::task::AbortHandle;

use crate::failure::Failure;

/// How often measurements are summed up that no page has asked for; they would pile up otherwise.
const UPKEEP: Duration = Duration::from_secs(5);

/// Where measurements are kept. The upkeep ends with the value.
pub(crate) struct Metrics {
    observer: MetricsObserver,
    page: PrometheusHandle,
    upkeep: AbortHandle,
}

impl Metrics {
    /// Begins to keep what the observer is told.
    pub(crate) fn start() -> Result<Self, Failure> {
        let mut exporter = PrometheusBuilder::new();
        for metric in METRICS.iter().filter(|metric| metric.kind == Kind::Histogram) {
            let name = Matcher::Full(metric.name.to_owned());
            exporter = exporter
                .set_buckets_for_metric(name, metric.buckets)
                .map_err(|error| Failure::new(format!("the metrics cannot be kept: {error}")))?;
        }
        let recorder = exporter.build_recorder();
        let page = recorder.handle();
        let kept = page.clone();
        let upkeep = tokio::spawn(async move {
            loop {
                tokio::time::sleep(UPKEEP).await;
                kept.run_upkeep();
            }
        });
        let observer = MetricsObserver::with_recorder(recorder);
        Ok(Self { observer, page, upkeep: upkeep.abort_handle() })
    }

    /// Whom the engine has to tell what happens.
    pub(crate) fn observer(&self) -> MetricsObserver {
        self.observer.clone()
    }

    /// The page of this moment.
    pub(crate) fn answer(&self, engine: &Engine) -> Response {
        const HEADERS: [(HeaderName, &str); 3] = [
            (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"),
            (CACHE_CONTROL, "no-store"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        self.observer.publish(engine);
        (HEADERS, self.page.render()).into_response()
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        self.upkeep.abort();
    }
}
