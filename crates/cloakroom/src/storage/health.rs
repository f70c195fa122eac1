//! [`StorageHealth`]: how a storage and its servers are at one moment. A storage keeps it up to date
//! by itself, so looking at it asks no server and never waits.

use std::time::Duration;

use serde::{Serialize, Serializer};

/// How a storage is at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StorageHealth {
    /// The storage's name, as [`SessionStorage::backend_name`](crate::SessionStorage::backend_name)
    /// gives it.
    pub backend: &'static str,
    /// The state of the whole.
    pub status: HealthStatus,
    /// The servers, one for a single server or a Sentinel set, one per primary of a Cluster.
    pub nodes: Vec<NodeHealth>,
    /// Removals that were asked for and could not be carried out yet.
    pub pending_removals: usize,
    /// The journal of removals, where the storage keeps one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal: Option<JournalHealth>,
    /// What somebody should look at, in words: sessions that may be evicted, a missing permission.
    pub warnings: Vec<String>,
    /// The near-cache, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near_cache: Option<NearCacheHealth>,
    /// How full the storage is, where it has bounds of its own, as the embedded one has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomHealth>,
}

/// How a journal of removals is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct JournalHealth {
    /// How many removals may be pending; a further one is refused.
    pub max_pending: usize,
    /// Those of them whose session could not be loaded before it was signed out.
    pub unseen: usize,
    /// How many of those may be pending.
    pub max_unseen: usize,
    /// For how long the oldest one that is pending has been so; zero where there is none. Serialised
    /// in milliseconds.
    #[serde(rename = "oldest_pending_ms", serialize_with = "whole_millis")]
    pub oldest_pending: Duration,
    /// Removals that are remembered, pending ones among them.
    pub remembered: usize,
    /// How many confirmed removals are remembered at most; then the oldest give way.
    pub max_remembered: usize,
    /// Confirmed removals that gave way before their time, since the start.
    pub displaced: u64,
}

/// How full a storage is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RoomHealth {
    /// Sessions that are held, also such as have expired a moment ago.
    pub sessions: usize,
    /// How many may be; a further one is refused.
    pub max_sessions: usize,
    /// Bytes of all their records.
    pub bytes: usize,
    /// How many they may take.
    pub max_bytes: usize,
    /// Entries in the indexes of all owners, also of sessions that ended without a word.
    pub index_entries: usize,
    /// How many may be. Then entries of sessions that are gone give way; where there are none, sign-ins
    /// are refused.
    pub max_index_entries: usize,
}

/// How a near-cache is: copies of records in the application's own memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NearCacheHealth {
    /// Copies that are held.
    pub entries: usize,
    /// How many may be; then others give way.
    pub max_entries: usize,
    /// What they take in memory, about.
    pub bytes: usize,
    /// What they may take.
    pub max_bytes: usize,
    /// Loads that were answered with a copy, since the start.
    pub hits: u64,
    /// Loads that found no copy that could be used, since the start.
    pub misses: u64,
    /// Copies that the server has called outdated, since the start.
    pub invalidations: u64,
    /// Copies that gave way to others, since the start.
    pub evictions: u64,
    /// How old the server's last sign of life was, at most, when a copy was served: the longest that
    /// a change elsewhere can have gone unseen since the start. Serialised in milliseconds.
    #[serde(rename = "longest_unconfirmed_ms", serialize_with = "whole_millis")]
    pub longest_unconfirmed: Duration,
}

/// The state of a whole storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// Every node takes reads and writes.
    Healthy,
    /// Some sessions cannot be read or written at present, or somebody should look at a warning.
    Degraded,
    /// No session can be read at present.
    Unavailable,
}

impl HealthStatus {
    /// The status's name in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unavailable => "unavailable",
        }
    }
}

/// How one server is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NodeHealth {
    /// Host and port, or the path of a socket; never credentials.
    pub address: String,
    /// `primary` or `replica`; `None` as long as the server has not said.
    pub role: Option<String>,
    /// Name and version, for example `Redis 7.0.15`.
    pub version: Option<String>,
    /// Whether reads are sent to it.
    pub reads: BreakerState,
    /// Whether writes are sent to it.
    pub writes: BreakerState,
    /// Commands under way on all connections.
    pub in_flight: usize,
    /// How many may be; a further one is refused. `None` where nobody has said.
    pub max_in_flight: Option<usize>,
    /// How many commands may be sent a second time at this moment; `None` where nothing counts them.
    pub repetitions_left: Option<u32>,
    /// Each connection.
    pub connections: Vec<ConnectionHealth>,
    /// Replicas that are connected to it.
    pub replicas: Option<u32>,
    /// What the server does when its memory is full; anything but `noeviction` ends sessions early.
    pub memory_policy: Option<String>,
    /// By how many milliseconds the server's clock is ahead of this machine's. Sessions live by the
    /// server's clock, so an offset harms none; it misleads people who compare logs.
    pub clock_offset_ms: Option<i64>,
}

/// How one connection is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConnectionHealth {
    /// Whether it can be used.
    pub state: ConnectionState,
    /// Commands under way.
    pub in_flight: usize,
    /// For how long nothing has come from the server, in milliseconds; `None` without a connection.
    #[serde(rename = "heartbeat_age_ms", serialize_with = "millis")]
    pub heartbeat_age: Option<Duration>,
    /// Why the connection before this one ended, or this one cannot be opened.
    pub last_error: Option<String>,
}

/// Whether a connection can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// It answers.
    Live,
    /// It has let somebody wait for too long and is being replaced.
    Suspect,
    /// There is none; it is being opened.
    Down,
}

impl ConnectionState {
    /// The state's name in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Suspect => "suspect",
            Self::Down => "down",
        }
    }
}

/// Whether commands are let through to a server (circuit breaker).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// All of them.
    Closed,
    /// None: each is answered at once with
    /// [`StorageErrorKind::Rejected`](crate::StorageErrorKind::Rejected).
    Open,
    /// A few, to see whether the server is well again.
    HalfOpen,
}

impl BreakerState {
    /// The state's name in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

impl StorageHealth {
    /// A storage without servers, or one that has nothing to complain of.
    pub fn healthy(backend: &'static str) -> Self {
        Self {
            backend,
            status: HealthStatus::Healthy,
            nodes: Vec::new(),
            pending_removals: 0,
            warnings: Vec::new(),
            journal: None,
            near_cache: None,
            room: None,
        }
    }

    /// A storage on these servers. Its status follows from theirs and from the rest.
    pub fn of_nodes(
        backend: &'static str,
        nodes: Vec<NodeHealth>,
        pending_removals: usize,
        warnings: Vec<String>,
    ) -> Self {
        let all_well = nodes.iter().all(NodeHealth::is_well);
        let status = if !nodes.iter().any(NodeHealth::takes_reads) {
            HealthStatus::Unavailable
        } else if all_well && pending_removals == 0 && warnings.is_empty() {
            HealthStatus::Healthy
        } else {
            HealthStatus::Degraded
        };
        Self { status, nodes, pending_removals, warnings, ..Self::healthy(backend) }
    }

    /// The same with the figures of a journal.
    #[must_use]
    pub fn with_journal(mut self, journal: JournalHealth) -> Self {
        self.journal = Some(journal);
        self
    }

    /// The same with how full the storage is.
    #[must_use]
    pub fn with_room(mut self, room: RoomHealth) -> Self {
        self.room = Some(room);
        self
    }

    /// The same with the figures of a near-cache.
    #[must_use]
    pub fn with_near_cache(mut self, near_cache: Option<NearCacheHealth>) -> Self {
        self.near_cache = near_cache;
        self
    }
}

impl NodeHealth {
    /// A server of which nothing is known yet.
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            role: None,
            version: None,
            reads: BreakerState::Closed,
            writes: BreakerState::Closed,
            in_flight: 0,
            max_in_flight: None,
            repetitions_left: None,
            connections: Vec::new(),
            replicas: None,
            memory_policy: None,
            clock_offset_ms: None,
        }
    }

    /// Whether sessions on this server can be read: a connection answers and no breaker is open.
    pub fn takes_reads(&self) -> bool {
        self.reads != BreakerState::Open
            && self.connections.iter().any(|connection| connection.state == ConnectionState::Live)
    }

    fn is_well(&self) -> bool {
        self.takes_reads()
            && self.reads == BreakerState::Closed
            && self.writes == BreakerState::Closed
    }
}

impl ConnectionHealth {
    /// A connection without anything under way.
    pub fn new(state: ConnectionState) -> Self {
        Self { state, in_flight: 0, heartbeat_age: None, last_error: None }
    }
}

fn millis<S: Serializer>(age: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)).serialize(serializer)
}

fn whole_millis<S: Serializer>(age: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    millis(&Some(*age), serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(connection: ConnectionState) -> NodeHealth {
        let connections = vec![ConnectionHealth::new(connection)];
        NodeHealth { connections, ..NodeHealth::new("127.0.0.1:6379") }
    }

    fn status(nodes: Vec<NodeHealth>) -> HealthStatus {
        StorageHealth::of_nodes("redis", nodes, 0, Vec::new()).status
    }

    #[test]
    fn a_storage_is_healthy_when_every_node_takes_everything() {
        use ConnectionState::{Down, Live, Suspect};
        assert_eq!(status(vec![node(Live), node(Live)]), HealthStatus::Healthy);
        assert_eq!(status(vec![node(Live), node(Down)]), HealthStatus::Degraded);
        assert_eq!(status(vec![node(Down), node(Suspect)]), HealthStatus::Unavailable);
        let no_writes = NodeHealth { writes: BreakerState::Open, ..node(Live) };
        assert_eq!(status(vec![no_writes]), HealthStatus::Degraded);
        let no_reads = NodeHealth { reads: BreakerState::Open, ..node(Live) };
        assert_eq!(status(vec![no_reads]), HealthStatus::Unavailable);
    }

    #[test]
    fn a_removal_that_waits_and_a_warning_are_degraded() {
        use ConnectionState::Live;
        let pending = StorageHealth::of_nodes("redis", vec![node(Live)], 1, Vec::new());
        assert_eq!(pending.status, HealthStatus::Degraded);
        let warned = StorageHealth::of_nodes("redis", vec![node(Live)], 0, vec!["evicts".into()]);
        assert_eq!(warned.status, HealthStatus::Degraded);
    }

    #[test]
    fn health_is_written_in_standard_words() {
        let mut node = node(ConnectionState::Live);
        node.connections[0].heartbeat_age = Some(Duration::from_millis(1500));
        node.reads = BreakerState::HalfOpen;
        let health = StorageHealth::of_nodes("redis", vec![node], 0, Vec::new());
        let json = serde_json::to_value(health).unwrap();
        assert_eq!(json["status"], "degraded");
        assert_eq!(json["nodes"][0]["reads"], "half_open");
        assert_eq!(json["nodes"][0]["connections"][0]["heartbeat_age_ms"], 1500);
    }
}
