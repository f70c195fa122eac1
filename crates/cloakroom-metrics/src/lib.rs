//! Cloakroom's events and health as metrics, for every exporter of the [`metrics`] facade.
//!
//! - [`MetricsObserver`] counts what an engine tells, and publishes how its storage is.
//! - [`METRICS`] is the list of all metrics. `docs/metrics.md` shows it, with rules for alarms and a
//!   dashboard.
//!
//! ```
//! use std::time::Duration;
//!
//! use cloakroom::{Engine, MemorySessionStorage};
//! use cloakroom_metrics::{Kind, METRICS, MetricsObserver};
//! use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
//!
//! # let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
//! # let _inside = runtime.enter();
//! // Install the recorder first: an observer speaks to the one that is there when it is made.
//! let mut exporter = PrometheusBuilder::new();
//! for metric in METRICS.iter().filter(|metric| metric.kind == Kind::Histogram) {
//!     let name = Matcher::Full(metric.name.to_owned());
//!     exporter = exporter.set_buckets_for_metric(name, metric.buckets)?;
//! }
//! let page = exporter.install_recorder()?;
//!
//! let observer = MetricsObserver::new();
//! let engine = Engine::builder(MemorySessionStorage::new()).observer(observer.clone()).build()?;
//! // Gauges are refreshed for as long as this value lives, or by hand: `observer.publish(&engine)`.
//! let refreshed = observer.publish_every(&engine, Duration::from_secs(10));
//!
//! observer.publish(&engine);
//! assert!(page.render().contains("cloakroom_storage_max_sessions 1000000"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! No label holds a ticket, a session's public id, an owner or a value. Each label has few values:
//! names of events, operations, kinds of errors, and the addresses of servers, of which at most 256
//! are told apart.

mod health;
mod metric;
mod nodes;
mod observer;
mod publisher;
mod sink;

pub use metric::{Kind, METRICS, Metric};
pub use observer::MetricsObserver;
pub use publisher::Publisher;
