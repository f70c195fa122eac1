//! [`MetricsObserver`]: turns each event into the metrics that it moves. An engine calls it on the
//! request's path, so what happens with every request has its counter at hand, and only what is rare
//! is looked up.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use cloakroom::{Engine, Event, Observer, Operation};
use metrics::{Counter, Histogram, Recorder};

use crate::health;
use crate::metric;
use crate::nodes::Nodes;
use crate::sink::Sink;

/// Counts an engine's events, and publishes its health. Clones share everything.
///
/// Give the engine a clone, and keep one for [`publish`](Self::publish) or
/// [`publish_every`](Self::publish_every): events count by themselves, gauges have to be refreshed.
/// One observer is for one engine; two engines that share one overwrite each other's gauges.
///
/// Every event is counted in `cloakroom_events_total` under its name, also one that this release does
/// not know. All names are there from the start, with zero.
#[derive(Clone)]
pub struct MetricsObserver {
    inner: Arc<Inner>,
}

struct Inner {
    sink: Sink,
    nodes: Nodes,
    events: HashMap<&'static str, Counter>,
    durations: HashMap<Operation, Histogram>,
    commit_requests: Counter,
    commit_attempts: Counter,
}

impl MetricsObserver {
    /// An observer for the recorder that the process has installed.
    ///
    /// Install that first: an observer that is made before it is heard by nobody.
    pub fn new() -> Self {
        Self::to(Sink::global())
    }

    /// An observer for a recorder of your own, where the process has none or another one.
    ///
    /// ```
    /// use cloakroom::{Event, Observer};
    /// use cloakroom_metrics::MetricsObserver;
    /// use metrics_exporter_prometheus::PrometheusBuilder;
    ///
    /// let recorder = PrometheusBuilder::new().build_recorder();
    /// let page = recorder.handle();
    /// MetricsObserver::with_recorder(recorder).observe(&Event::MalformedTicket);
    /// assert!(page.render().contains("cloakroom_events_total{event=\"malformed_ticket\"} 1"));
    /// ```
    pub fn with_recorder(recorder: impl Recorder + Send + Sync + 'static) -> Self {
        Self::to(Sink::to(recorder))
    }

    /// Publishes how the engine's storage is at this moment. Nothing is asked of its server.
    ///
    /// Call it before a page of metrics is rendered, so that the page is never older than itself.
    pub fn publish(&self, engine: &Engine) {
        health::publish(&self.inner.sink, &self.inner.nodes, engine);
    }

    fn to(sink: Sink) -> Self {
        let event = |name: &'static str| (name, sink.counter(&metric::EVENTS, [name.into()]));
        let duration = |operation: &Operation| {
            let name = operation.name().into();
            (*operation, sink.histogram(&metric::STORAGE_DURATION, [name]))
        };
        let inner = Inner {
            events: Event::NAMES.iter().map(|name| event(name)).collect(),
            durations: Operation::ALL.iter().map(duration).collect(),
            commit_requests: sink.counter(&metric::COMMIT_REQUESTS, []),
            commit_attempts: sink.counter(&metric::COMMIT_ATTEMPTS, []),
            nodes: Nodes::default(),
            sink,
        };
        Self { inner: Arc::new(inner) }
    }
}

impl Observer for MetricsObserver {
    fn observe(&self, event: &Event<'_>) {
        let Inner { sink, nodes, .. } = &*self.inner;
        self.inner.count(event.name());
        match event {
            Event::Asked { operation, took, error } => {
                self.inner.took(*operation, took.as_secs_f64());
                if let Some(error) = error {
                    let labels = [operation.name().into(), error.kind().name().into()];
                    sink.counter(&metric::STORAGE_ERRORS, labels).increment(1);
                }
            }
            Event::Rejected { reason, .. } => {
                sink.counter(&metric::REJECTIONS, [reason.name().into()]).increment(1);
            }
            Event::Revoked { by, .. } | Event::RevocationPending { by, .. } => {
                sink.counter(&metric::REVOCATIONS, [by.name().into()]).increment(1);
            }
            Event::RevokedBefore { ended, .. } => {
                let ended = u64::try_from(*ended).unwrap_or(u64::MAX);
                sink.counter(&metric::REVOCATIONS, ["before".into()]).increment(ended);
            }
            Event::Committed { requests, attempts, .. } => {
                self.inner.commit_requests.increment(u64::try_from(*requests).unwrap_or(1));
                self.inner.commit_attempts.increment(u64::from(*attempts));
            }
            Event::NotCommitted { error, .. } => {
                sink.counter(&metric::NOT_COMMITTED, [error.name().into()]).increment(1);
            }
            Event::ChangesLost { error, .. } => {
                sink.counter(&metric::CHANGES_LOST, [error.name().into()]).increment(1);
            }
            Event::DestroyApplied { pending, .. } => {
                sink.histogram(&metric::REMOVAL_PENDING, []).record(pending.as_secs_f64());
            }
            Event::BreakerChanged { node, side, state } => {
                let labels = [nodes.label(node).into(), side.name().into(), state.name().into()];
                sink.counter(&metric::BREAKER_CHANGES, labels).increment(1);
            }
            Event::ConnectionLost { node, .. } => {
                sink.counter(&metric::CONNECTIONS_LOST, [nodes.label(node).into()]).increment(1);
            }
            Event::ConnectionRestored { node, outage } => {
                let histogram =
                    sink.histogram(&metric::CONNECTION_OUTAGE, [nodes.label(node).into()]);
                histogram.record(outage.as_secs_f64());
            }
            Event::PrimaryChanged { node } => {
                sink.counter(&metric::PRIMARY_CHANGES, [nodes.label(node).into()]).increment(1);
            }
            // Of the others there is no more to tell than that they happened.
            _ => {}
        }
    }
}

impl Inner {
    fn count(&self, name: &'static str) {
        match self.events.get(name) {
            Some(counter) => counter.increment(1),
            None => self.sink.counter(&metric::EVENTS, [name.into()]).increment(1),
        }
    }

    fn took(&self, operation: Operation, seconds: f64) {
        match self.durations.get(&operation) {
            Some(histogram) => histogram.record(seconds),
            None => {
                let labels = [operation.name().into()];
                self.sink.histogram(&metric::STORAGE_DURATION, labels).record(seconds);
            }
        }
    }
}

impl Default for MetricsObserver {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MetricsObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsObserver").finish_non_exhaustive()
    }
}
