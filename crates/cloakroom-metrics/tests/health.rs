//! Gauges show how the engine's storage is, on the embedded storage and on a Redis that comes and
//! goes.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::time::{Duration, Instant};

use cloakroom::{Answer, Engine, MemorySessionStorage, SessionStorage};
use cloakroom_metrics::{Kind, METRICS, Metric, MetricsObserver};
use cloakroom_redis::{NearCache, RedisSessionStorage};
use cloakroom_testkit::{FakeRequest, RedisServer};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

struct Watched {
    engine: Engine,
    observer: MetricsObserver,
    page: PrometheusHandle,
}

impl Watched {
    fn new(storage: impl SessionStorage) -> Self {
        let mut exporter = PrometheusBuilder::new();
        for Metric { name, buckets, .. } in histograms() {
            let name = Matcher::Full((*name).to_owned());
            exporter = exporter.set_buckets_for_metric(name, buckets).unwrap();
        }
        let recorder = exporter.build_recorder();
        let page = recorder.handle();
        let observer = MetricsObserver::with_recorder(recorder);
        let engine = Engine::builder(storage).observer(observer.clone()).build().unwrap();
        Self { engine, observer, page }
    }

    /// The page of this moment.
    fn page(&self) -> String {
        self.observer.publish(&self.engine);
        self.page.render()
    }

    /// The value on the line that begins so.
    fn value(&self, series: &str) -> f64 {
        self.find(series).unwrap_or_else(|| panic!("no {series} in\n{}", self.page()))
    }

    fn find(&self, series: &str) -> Option<f64> {
        let page = self.page();
        let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map(|value| value.parse().unwrap())
    }

    /// Waits until that line has at least that value.
    async fn rises_to(&self, series: &str, value: f64) {
        let start = Instant::now();
        while self.find(series).is_none_or(|found| found < value) {
            assert!(start.elapsed() < Duration::from_secs(10), "{series} in\n{}", self.page());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A visit that puts something in.
    async fn visit(&self) {
        let scope = self.engine.begin(&FakeRequest::new());
        scope.handle().load().await.unwrap().insert("k", "v").unwrap();
        let _ = scope.finish(Answer::Ordinary).await.unwrap();
    }
}

fn histograms() -> impl Iterator<Item = &'static Metric> {
    METRICS.iter().filter(|metric| metric.kind == Kind::Histogram)
}

async fn storage(server: &RedisServer) -> RedisSessionStorage {
    let builder = RedisSessionStorage::builder().url(server.url()).pool_size(3);
    builder.near_cache(NearCache::default()).build().await.unwrap()
}

#[tokio::test]
async fn the_embedded_storage_shows_how_full_it_is() {
    let storage = MemorySessionStorage::builder().max_sessions(10).max_bytes(99_000).build();
    let watched = Watched::new(storage.unwrap());
    assert_eq!(watched.value("cloakroom_storage_sessions"), 0.0);
    watched.visit().await;
    watched.visit().await;
    assert_eq!(watched.value("cloakroom_storage_sessions"), 2.0);
    assert_eq!(watched.value("cloakroom_storage_max_sessions"), 10.0);
    assert!(watched.value("cloakroom_storage_bytes") > 200.0);
    assert_eq!(watched.value("cloakroom_storage_max_bytes"), 99_000.0);
    assert_eq!(watched.value("cloakroom_storage_index_entries"), 0.0);
    assert_eq!(watched.value("cloakroom_storage_max_index_entries"), 20.0);
    assert_eq!(watched.value("cloakroom_session_max_bytes"), 65_536.0);
    assert_eq!(watched.value(r#"cloakroom_storage_status{status="healthy"}"#), 1.0);
}

#[tokio::test]
async fn all_metrics_that_do_not_wait_for_an_event_are_there_from_the_start() {
    let server = RedisServer::start().await.unwrap();
    let on_redis = Watched::new(storage(&server).await).page();
    let embedded = Watched::new(MemorySessionStorage::new()).page();
    let rare = [
        "cloakroom_storage_errors_total",
        "cloakroom_rejections_total",
        "cloakroom_revocations_total",
        "cloakroom_not_committed_total",
        "cloakroom_changes_lost_total",
        "cloakroom_removal_pending_seconds",
        "cloakroom_breaker_changes_total",
        "cloakroom_connections_lost_total",
        "cloakroom_connection_outage_seconds",
        "cloakroom_primary_changes_total",
    ];
    for Metric { name, meaning, .. } in METRICS {
        let help = format!("# HELP {name} {}\n", meaning.replace('\\', "\\\\"));
        let shown = on_redis.contains(&help) || embedded.contains(&help);
        assert_eq!(shown, !rare.contains(name), "{name}");
    }
}

#[tokio::test]
async fn a_server_shows_its_connections_and_breakers_until_it_dies_and_after() {
    let server = RedisServer::start().await.unwrap();
    let watched = Watched::new(storage(&server).await);
    let node = format!("127.0.0.1:{}", server.port());
    let connections = |state| format!(r#"cloakroom_connections{{node="{node}",state="{state}"}}"#);
    assert_eq!(watched.value(&connections("live")), 3.0);
    assert_eq!(watched.value(&connections("down")), 0.0);
    let reads =
        |state| format!(r#"cloakroom_breaker_state{{node="{node}",side="reads",state="{state}"}}"#);
    assert_eq!(watched.value(&reads("closed")), 1.0);
    let bound = format!(r#"cloakroom_commands_max_in_flight{{node="{node}"}}"#);
    assert_eq!(watched.value(&bound), 3.0 * 1024.0);
    assert_eq!(watched.value(&format!(r#"cloakroom_repetitions_left{{node="{node}"}}"#)), 256.0);
    watched.visit().await;
    assert_eq!(watched.value("cloakroom_near_cache_entries"), 1.0);
    assert_eq!(watched.value("cloakroom_near_cache_max_entries"), 10_000.0);

    server.kill();
    watched.rises_to(&connections("down"), 3.0).await;
    assert_eq!(watched.value(&connections("live")), 0.0);
    assert_eq!(watched.value(r#"cloakroom_storage_status{status="unavailable"}"#), 1.0);
    let lost = format!(r#"cloakroom_connections_lost_total{{node="{node}"}}"#);
    watched.rises_to(&lost, 1.0).await;
}

#[tokio::test(start_paused = true)]
async fn a_publisher_refreshes_the_gauges_until_it_is_dropped() {
    let watched = Watched::new(MemorySessionStorage::new());
    let sessions = |count| format!("cloakroom_storage_sessions {count}\n");
    let publisher = watched.observer.publish_every(&watched.engine, Duration::from_secs(10));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(watched.page.render().contains(&sessions(0)), "at once");
    watched.visit().await;
    assert!(watched.page.render().contains(&sessions(0)), "not before its time");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(watched.page.render().contains(&sessions(1)), "again");
    drop(publisher);
    watched.visit().await;
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert!(watched.page.render().contains(&sessions(1)), "it has ended");
}

#[tokio::test]
async fn histograms_have_the_buckets_that_the_list_names() {
    let watched = Watched::new(MemorySessionStorage::new());
    watched.visit().await;
    let page = watched.page();
    for bound in ["0.0001", "0.25", "3", "+Inf"] {
        let line = format!(
            r#"cloakroom_storage_duration_seconds_bucket{{operation="commit",le="{bound}"}}"#
        );
        assert!(page.contains(&line), "no {line} in\n{page}");
    }
}
