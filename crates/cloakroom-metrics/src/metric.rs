//! [`METRICS`]: the one list of all metrics. Nothing is recorded that has no entry here, because a
//! [`Sink`](crate::sink::Sink) takes entries and no names.

use metrics::Unit;

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Only grows; its rate is of interest.
    Counter,
    /// Is what it is at this moment.
    Gauge,
    /// Counts how many were how large.
    Histogram,
}

/// One metric, as it is described to the recorder and in `docs/metrics.md`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Metric {
    /// The name, by the conventions of Prometheus.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// What it is measured in; `None` where it counts things.
    pub unit: Option<Unit>,
    /// The names of its labels, in order.
    pub labels: &'static [&'static str],
    /// What it tells, in a sentence without a full stop.
    pub meaning: &'static str,
    /// The upper bounds that a histogram's buckets should have; empty for other kinds. An exporter
    /// has to be told of them.
    pub buckets: &'static [f64],
}

/// From a tenth of a millisecond, which a server nearby takes, to the longest timeout.
const OPERATION: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0,
];

/// From what nobody notices to what somebody has to repair.
const OUTAGE: &[f64] = &[0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0];

pub(crate) const EVENTS: Metric =
    Metric::counter("cloakroom_events_total", &["event"], "Everything that happened, by its name");

pub(crate) const STORAGE_DURATION: Metric = Metric::histogram(
    "cloakroom_storage_duration_seconds",
    &["operation"],
    OPERATION,
    "How long the storage took to answer, or to say that it cannot",
);

pub(crate) const STORAGE_ERRORS: Metric = Metric::counter(
    "cloakroom_storage_errors_total",
    &["operation", "kind"],
    "Questions that the storage could not answer",
);

pub(crate) const REJECTIONS: Metric = Metric::counter(
    "cloakroom_rejections_total",
    &["reason"],
    "Tickets that opened nothing; many of one reason may be somebody who guesses",
);

pub(crate) const REVOCATIONS: Metric = Metric::counter(
    "cloakroom_revocations_total",
    &["by"],
    "Sessions that were ended from outside of them, also where that is pending; by `limit` where an \
     owner had too many, by `before` where all from before a moment ended",
);

pub(crate) const COMMIT_REQUESTS: Metric = Metric::counter(
    "cloakroom_commit_requests_total",
    &[],
    "Requests whose changes were committed; above the event `committed` by those that went along",
);

pub(crate) const COMMIT_ATTEMPTS: Metric = Metric::counter(
    "cloakroom_commit_attempts_total",
    &[],
    "Commits that were sent; above the event `committed` by those that others overtook",
);

pub(crate) const NOT_COMMITTED: Metric = Metric::counter(
    "cloakroom_not_committed_total",
    &["reason"],
    "Requests whose changes could not be committed; `rejected` with a full lane, `too_large` beyond \
     the session's limit",
);

pub(crate) const CHANGES_LOST: Metric = Metric::counter(
    "cloakroom_changes_lost_total",
    &["reason"],
    "Requests that were answered although their best-effort changes are not saved",
);

pub(crate) const REMOVAL_PENDING: Metric = Metric::histogram(
    "cloakroom_removal_pending_seconds",
    &[],
    OUTAGE,
    "How long sign-outs had been pending when they were carried out; 0 for a repetition after a \
     failover",
);

pub(crate) const BREAKER_CHANGES: Metric = Metric::counter(
    "cloakroom_breaker_changes_total",
    &["node", "side", "state"],
    "Circuit breakers that came into a state",
);

pub(crate) const CONNECTIONS_LOST: Metric = Metric::counter(
    "cloakroom_connections_lost_total",
    &["node"],
    "Connections that broke, kept silent or were refused",
);

pub(crate) const CONNECTION_OUTAGE: Metric = Metric::histogram(
    "cloakroom_connection_outage_seconds",
    &["node"],
    OUTAGE,
    "How long a connection's place had been without one that answers",
);

pub(crate) const PRIMARY_CHANGES: Metric = Metric::counter(
    "cloakroom_primary_changes_total",
    &["node"],
    "Failovers to this server, and restarts of it with another history",
);

pub(crate) const STATUS: Metric = Metric::gauge(
    "cloakroom_storage_status",
    &["status"],
    "1 for the status that the storage has, 0 for the others",
);

pub(crate) const WARNINGS: Metric = Metric::gauge(
    "cloakroom_storage_warnings",
    &[],
    "Things that somebody should look at; the storage's health says them in words",
);

pub(crate) const SESSION_MAX_BYTES: Metric =
    Metric::gauge("cloakroom_session_max_bytes", &[], "Bound: how large a session may be");

pub(crate) const STORAGE_SESSIONS: Metric =
    Metric::gauge("cloakroom_storage_sessions", &[], "Sessions in the embedded storage");

pub(crate) const STORAGE_MAX_SESSIONS: Metric =
    Metric::gauge("cloakroom_storage_max_sessions", &[], "Bound: how many there may be");

pub(crate) const STORAGE_BYTES: Metric =
    Metric::gauge("cloakroom_storage_bytes", &[], "Bytes of all records in the embedded storage");

pub(crate) const STORAGE_MAX_BYTES: Metric =
    Metric::gauge("cloakroom_storage_max_bytes", &[], "Bound: how many there may be");

pub(crate) const STORAGE_INDEX_ENTRIES: Metric = Metric::gauge(
    "cloakroom_storage_index_entries",
    &[],
    "Entries in the owners' indexes of the embedded storage",
);

pub(crate) const STORAGE_MAX_INDEX_ENTRIES: Metric =
    Metric::gauge("cloakroom_storage_max_index_entries", &[], "Bound: how many there may be");

pub(crate) const BACKGROUND_TASKS: Metric = Metric::gauge(
    "cloakroom_background_tasks",
    &[],
    "What is under way although its request has ended: touches and sign-ins that are taken back \
     (1,024 of each at most), commits, sign-outs, steps in owners' indexes",
);

pub(crate) const REMOVALS_PENDING: Metric =
    Metric::gauge("cloakroom_removals_pending", &[], "Sign-outs that could not be carried out yet");

pub(crate) const REMOVALS_MAX_PENDING: Metric = Metric::gauge(
    "cloakroom_removals_max_pending",
    &[],
    "Bound: how many may be pending before sign-outs are refused",
);

pub(crate) const REMOVALS_UNSEEN: Metric = Metric::gauge(
    "cloakroom_removals_pending_unseen",
    &[],
    "Those of them whose session could not be loaded before",
);

pub(crate) const REMOVALS_MAX_UNSEEN: Metric = Metric::gauge(
    "cloakroom_removals_max_pending_unseen",
    &[],
    "Bound: how many of those may be pending",
);

pub(crate) const REMOVALS_OLDEST: Metric = Metric::gauge(
    "cloakroom_removals_oldest_pending_seconds",
    &[],
    "For how long the oldest sign-out has been pending; 0 without one",
);

pub(crate) const REMOVALS_REMEMBERED: Metric = Metric::gauge(
    "cloakroom_removals_remembered",
    &[],
    "Removals that would be repeated after a failover",
);

pub(crate) const REMOVALS_MAX_REMEMBERED: Metric = Metric::gauge(
    "cloakroom_removals_max_remembered",
    &[],
    "Bound: how many are remembered before the oldest give way",
);

pub(crate) const REMOVALS_DISPLACED: Metric = Metric::counter(
    "cloakroom_removals_displaced_total",
    &[],
    "Remembered removals that gave way before their time",
);

pub(crate) const BREAKER_STATE: Metric = Metric::gauge(
    "cloakroom_breaker_state",
    &["node", "side", "state"],
    "1 for the state that the breaker has, 0 for the others and for a server that is gone",
);

pub(crate) const CONNECTIONS: Metric = Metric::gauge(
    "cloakroom_connections",
    &["node", "state"],
    "Connections to the server; all of them are the size of the pool",
);

pub(crate) const CONNECTION_SILENCE: Metric = Metric::gauge(
    "cloakroom_connection_silence_seconds",
    &["node"],
    "For how long nothing has come over the connection that has been silent longest",
);

pub(crate) const COMMANDS_IN_FLIGHT: Metric =
    Metric::gauge("cloakroom_commands_in_flight", &["node"], "Commands under way to the server");

pub(crate) const COMMANDS_MAX_IN_FLIGHT: Metric = Metric::gauge(
    "cloakroom_commands_max_in_flight",
    &["node"],
    "Bound: how many may be under way before commands are refused",
);

pub(crate) const REPETITIONS_LEFT: Metric = Metric::gauge(
    "cloakroom_repetitions_left",
    &["node"],
    "Bound: how many commands may be sent a second time at this moment, 256 at most",
);

pub(crate) const REPLICAS: Metric =
    Metric::gauge("cloakroom_replicas", &["node"], "Replicas that are connected to the server");

pub(crate) const CLOCK_OFFSET: Metric = Metric::gauge(
    "cloakroom_clock_offset_seconds",
    &["node"],
    "By how much the server's clock is ahead of this machine's",
);

pub(crate) const NEAR_CACHE_ENTRIES: Metric =
    Metric::gauge("cloakroom_near_cache_entries", &[], "Copies that the near-cache holds");

pub(crate) const NEAR_CACHE_MAX_ENTRIES: Metric =
    Metric::gauge("cloakroom_near_cache_max_entries", &[], "Bound: how many it may hold");

pub(crate) const NEAR_CACHE_BYTES: Metric =
    Metric::gauge("cloakroom_near_cache_bytes", &[], "What the near-cache takes in memory");

pub(crate) const NEAR_CACHE_MAX_BYTES: Metric =
    Metric::gauge("cloakroom_near_cache_max_bytes", &[], "Bound: what it may take");

pub(crate) const NEAR_CACHE_HITS: Metric =
    Metric::counter("cloakroom_near_cache_hits_total", &[], "Loads that a copy has answered");

pub(crate) const NEAR_CACHE_MISSES: Metric = Metric::counter(
    "cloakroom_near_cache_misses_total",
    &[],
    "Loads that found no copy that could be used",
);

pub(crate) const NEAR_CACHE_INVALIDATIONS: Metric = Metric::counter(
    "cloakroom_near_cache_invalidations_total",
    &[],
    "Copies that the server has called outdated",
);

pub(crate) const NEAR_CACHE_EVICTIONS: Metric =
    Metric::counter("cloakroom_near_cache_evictions_total", &[], "Copies that gave way to others");

pub(crate) const NEAR_CACHE_UNCONFIRMED: Metric = Metric::gauge(
    "cloakroom_near_cache_longest_unconfirmed_seconds",
    &[],
    "The longest that a change elsewhere can have gone unseen since the start",
);

/// All metrics, in the order of `docs/metrics.md`: what events count, then what health shows.
///
/// ```
/// use cloakroom_metrics::METRICS;
///
/// assert!(METRICS.iter().all(|metric| metric.name.starts_with("cloakroom_")));
/// ```
pub const METRICS: &[Metric] = &[
    EVENTS,
    STORAGE_DURATION,
    STORAGE_ERRORS,
    REJECTIONS,
    REVOCATIONS,
    COMMIT_REQUESTS,
    COMMIT_ATTEMPTS,
    NOT_COMMITTED,
    CHANGES_LOST,
    REMOVAL_PENDING,
    BREAKER_CHANGES,
    CONNECTIONS_LOST,
    CONNECTION_OUTAGE,
    PRIMARY_CHANGES,
    STATUS,
    WARNINGS,
    SESSION_MAX_BYTES,
    STORAGE_SESSIONS,
    STORAGE_MAX_SESSIONS,
    STORAGE_BYTES,
    STORAGE_MAX_BYTES,
    STORAGE_INDEX_ENTRIES,
    STORAGE_MAX_INDEX_ENTRIES,
    BACKGROUND_TASKS,
    REMOVALS_PENDING,
    REMOVALS_MAX_PENDING,
    REMOVALS_UNSEEN,
    REMOVALS_MAX_UNSEEN,
    REMOVALS_OLDEST,
    REMOVALS_REMEMBERED,
    REMOVALS_MAX_REMEMBERED,
    REMOVALS_DISPLACED,
    BREAKER_STATE,
    CONNECTIONS,
    CONNECTION_SILENCE,
    COMMANDS_IN_FLIGHT,
    COMMANDS_MAX_IN_FLIGHT,
    REPETITIONS_LEFT,
    REPLICAS,
    CLOCK_OFFSET,
    NEAR_CACHE_ENTRIES,
    NEAR_CACHE_MAX_ENTRIES,
    NEAR_CACHE_BYTES,
    NEAR_CACHE_MAX_BYTES,
    NEAR_CACHE_HITS,
    NEAR_CACHE_MISSES,
    NEAR_CACHE_INVALIDATIONS,
    NEAR_CACHE_EVICTIONS,
    NEAR_CACHE_UNCONFIRMED,
];

impl Metric {
    const fn counter(
        name: &'static str,
        labels: &'static [&'static str],
        meaning: &'static str,
    ) -> Self {
        Self { name, kind: Kind::Counter, unit: None, labels, meaning, buckets: &[] }
    }

    const fn gauge(
        name: &'static str,
        labels: &'static [&'static str],
        meaning: &'static str,
    ) -> Self {
        let unit = unit_in(name);
        Self { name, kind: Kind::Gauge, unit, labels, meaning, buckets: &[] }
    }

    const fn histogram(
        name: &'static str,
        labels: &'static [&'static str],
        buckets: &'static [f64],
        meaning: &'static str,
    ) -> Self {
        let unit = unit_in(name);
        Self { name, kind: Kind::Histogram, unit, labels, meaning, buckets }
    }
}

/// The unit that a name ends with.
const fn unit_in(name: &str) -> Option<Unit> {
    match name.as_bytes() {
        [.., b'_', b's', b'e', b'c', b'o', b'n', b'd', b's'] => Some(Unit::Seconds),
        [.., b'_', b'b', b'y', b't', b'e', b's'] => Some(Unit::Bytes),
        _ => None,
    }
}
