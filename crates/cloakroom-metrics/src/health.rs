//! [`publish`]: an engine's health as gauges. Each call sets all of them, so that nothing old stays:
//! a server that is gone is shown with zeros, because a facade cannot take a gauge back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cloakroom::{
    BreakerState, ConnectionState, Engine, HealthStatus, JournalHealth, NearCacheHealth,
    NodeHealth, RoomHealth, SessionStorage, StorageHealth,
};

use crate::metric::{self, Metric};
use crate::nodes::Nodes;
use crate::sink::Sink;

const STATUSES: [HealthStatus; 3] =
    [HealthStatus::Healthy, HealthStatus::Degraded, HealthStatus::Unavailable];

const BREAKER_STATES: [BreakerState; 3] =
    [BreakerState::Closed, BreakerState::Open, BreakerState::HalfOpen];

const CONNECTION_STATES: [ConnectionState; 3] =
    [ConnectionState::Live, ConnectionState::Suspect, ConnectionState::Down];

/// What is published of all servers with one label, which is one mostly.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Figures {
    reads: [u32; BREAKER_STATES.len()],
    writes: [u32; BREAKER_STATES.len()],
    connections: [u32; CONNECTION_STATES.len()],
    silence: Duration,
    in_flight: usize,
    max_in_flight: usize,
    repetitions_left: u32,
    replicas: u32,
    clock_offset_ms: i64,
}

/// Sets all gauges by what the engine knows at this moment.
pub(crate) fn publish(sink: &Sink, nodes: &Nodes, engine: &Engine) {
    let health = engine.health();
    let alone = |metric: &Metric, value: f64| sink.gauge(metric, []).set(value);
    for status in STATUSES {
        let value = f64::from(u8::from(health.status == status));
        sink.gauge(&metric::STATUS, [status.name().into()]).set(value);
    }
    alone(&metric::WARNINGS, count(health.warnings.len()));
    alone(&metric::SESSION_MAX_BYTES, count(engine.storage().max_session_bytes()));
    alone(&metric::BACKGROUND_TASKS, count(engine.background_tasks()));
    alone(&metric::REMOVALS_PENDING, count(health.pending_removals));
    if let Some(journal) = health.journal {
        publish_journal(sink, journal);
    }
    if let Some(room) = health.room {
        publish_room(sink, room);
    }
    if let Some(cache) = health.near_cache {
        publish_near_cache(sink, cache);
    }
    for (node, figures) in by_label(nodes, &health) {
        publish_node(sink, &node, &figures);
    }
}

fn publish_room(sink: &Sink, room: RoomHealth) {
    let alone = |metric: &Metric, value: usize| sink.gauge(metric, []).set(count(value));
    alone(&metric::STORAGE_SESSIONS, room.sessions);
    alone(&metric::STORAGE_MAX_SESSIONS, room.max_sessions);
    alone(&metric::STORAGE_BYTES, room.bytes);
    alone(&metric::STORAGE_MAX_BYTES, room.max_bytes);
    alone(&metric::STORAGE_INDEX_ENTRIES, room.index_entries);
    alone(&metric::STORAGE_MAX_INDEX_ENTRIES, room.max_index_entries);
}

fn publish_journal(sink: &Sink, journal: JournalHealth) {
    let alone = |metric: &Metric, value: f64| sink.gauge(metric, []).set(value);
    alone(&metric::REMOVALS_MAX_PENDING, count(journal.max_pending));
    alone(&metric::REMOVALS_UNSEEN, count(journal.unseen));
    alone(&metric::REMOVALS_MAX_UNSEEN, count(journal.max_unseen));
    alone(&metric::REMOVALS_OLDEST, journal.oldest_pending.as_secs_f64());
    alone(&metric::REMOVALS_REMEMBERED, count(journal.remembered));
    alone(&metric::REMOVALS_MAX_REMEMBERED, count(journal.max_remembered));
    sink.counter(&metric::REMOVALS_DISPLACED, []).absolute(journal.displaced);
}

fn publish_near_cache(sink: &Sink, cache: NearCacheHealth) {
    let alone = |metric: &Metric, value: f64| sink.gauge(metric, []).set(value);
    alone(&metric::NEAR_CACHE_ENTRIES, count(cache.entries));
    alone(&metric::NEAR_CACHE_MAX_ENTRIES, count(cache.max_entries));
    alone(&metric::NEAR_CACHE_BYTES, count(cache.bytes));
    alone(&metric::NEAR_CACHE_MAX_BYTES, count(cache.max_bytes));
    alone(&metric::NEAR_CACHE_UNCONFIRMED, cache.longest_unconfirmed.as_secs_f64());
    let total = |metric: &Metric, value| sink.counter(metric, []).absolute(value);
    total(&metric::NEAR_CACHE_HITS, cache.hits);
    total(&metric::NEAR_CACHE_MISSES, cache.misses);
    total(&metric::NEAR_CACHE_INVALIDATIONS, cache.invalidations);
    total(&metric::NEAR_CACHE_EVICTIONS, cache.evictions);
}

fn publish_node(sink: &Sink, node: &Arc<str>, figures: &Figures) {
    for (side, states) in [("reads", figures.reads), ("writes", figures.writes)] {
        for (state, value) in BREAKER_STATES.iter().zip(states) {
            let labels = [node.clone().into(), side.into(), state.name().into()];
            sink.gauge(&metric::BREAKER_STATE, labels).set(f64::from(value));
        }
    }
    for (state, value) in CONNECTION_STATES.iter().zip(figures.connections) {
        let labels = [node.clone().into(), state.name().into()];
        sink.gauge(&metric::CONNECTIONS, labels).set(f64::from(value));
    }
    let of_node =
        |metric: &Metric, value: f64| sink.gauge(metric, [node.clone().into()]).set(value);
    of_node(&metric::CONNECTION_SILENCE, figures.silence.as_secs_f64());
    of_node(&metric::COMMANDS_IN_FLIGHT, count(figures.in_flight));
    of_node(&metric::COMMANDS_MAX_IN_FLIGHT, count(figures.max_in_flight));
    of_node(&metric::REPETITIONS_LEFT, f64::from(figures.repetitions_left));
    of_node(&metric::REPLICAS, f64::from(figures.replicas));
    of_node(&metric::CLOCK_OFFSET, figures.clock_offset_ms as f64 / 1000.0);
}

/// The figures under each label that was ever given, zeros for what is gone.
fn by_label(nodes: &Nodes, health: &StorageHealth) -> BTreeMap<Arc<str>, Figures> {
    let labels: Vec<_> = health.nodes.iter().map(|node| nodes.label(&node.address)).collect();
    let gone = nodes.labels().into_iter().map(|label| (label, Figures::default()));
    let mut figures: BTreeMap<_, _> = gone.collect();
    for (label, node) in labels.into_iter().zip(&health.nodes) {
        figures.entry(label).or_default().add(node);
    }
    figures
}

impl Figures {
    fn add(&mut self, node: &NodeHealth) {
        for (at, state) in BREAKER_STATES.iter().enumerate() {
            self.reads[at] += u32::from(node.reads == *state);
            self.writes[at] += u32::from(node.writes == *state);
        }
        for connection in &node.connections {
            for (at, state) in CONNECTION_STATES.iter().enumerate() {
                self.connections[at] += u32::from(connection.state == *state);
            }
            self.silence = self.silence.max(connection.heartbeat_age.unwrap_or_default());
        }
        self.in_flight += node.in_flight;
        self.max_in_flight += node.max_in_flight.unwrap_or_default();
        self.repetitions_left += node.repetitions_left.unwrap_or_default();
        self.replicas += node.replicas.unwrap_or_default();
        self.clock_offset_ms = node.clock_offset_ms.unwrap_or(self.clock_offset_ms);
    }
}

/// Exact up to more than anything here comes to.
fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_gone_is_shown_with_zeros() {
        let nodes = Nodes::default();
        let health = |addresses: &[&str]| {
            let nodes = addresses.iter().copied().map(NodeHealth::new).collect();
            StorageHealth::of_nodes("redis", nodes, 0, Vec::new())
        };
        by_label(&nodes, &health(&["one:6379", "two:6379"]));
        let figures = by_label(&nodes, &health(&["two:6379"]));
        assert_eq!(figures["one:6379"], Figures::default());
        assert_eq!(figures["two:6379"].reads, [1, 0, 0]);
    }
}
