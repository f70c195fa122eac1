//! [`RedisSessionStorageBuilder`]: every setting of a Redis storage with its default.

mod check;

use std::sync::Arc;
use std::time::Duration;

use cloakroom::{ConfigError, DEFAULT_MAX_SESSION_BYTES, DEFAULT_TTL, FingerprintMode};

use crate::breaker::BreakerPolicy;
use crate::config::{
    ClusterConfig, DEFAULT_POOL_SIZE, Password, Plaintext, RedisConfig, SentinelConfig, TlsConfig,
};
use crate::connection::{NodeSettings, ServerSettings, Servers, Timeouts};
use crate::journal::JournalPolicy;
use crate::keys::{DEFAULT_PREFIX, Keys};
use crate::near_cache::{Cache, Cached, NearCache};
use crate::records::Records;
use crate::removal::Replicas;
use crate::signals::Signals;
use crate::storage::{RedisSessionStorage, Settings};

/// How long opening a connection may take unless told otherwise.
pub const DEFAULT_CONNECTION_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a command may take unless told otherwise.
pub const DEFAULT_COMMAND_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a load may take unless told otherwise.
pub const DEFAULT_LOAD_TIMEOUT: Duration = Duration::from_millis(250);

/// How long one commit or touch may take unless told otherwise.
pub const DEFAULT_COMMIT_TIMEOUT: Duration = Duration::from_millis(500);

/// How long a removal may take, before it is left pending, unless told otherwise.
pub const DEFAULT_DESTROY_TIMEOUT: Duration = Duration::from_secs(1);

/// How often each connection is asked for a sign of life unless told otherwise.
pub const DEFAULT_HEARTBEAT_INTERVAL: Duration = Duration::from_millis(500);

/// How many commands may be under way on one connection unless told otherwise.
pub const DEFAULT_MAX_IN_FLIGHT: usize = 1024;

/// How long a server waits for replicas unless told otherwise.
pub const DEFAULT_REPLICA_TIMEOUT: Duration = Duration::from_millis(200);

/// Builds a [`RedisSessionStorage`].
///
/// ```no_run
/// # // Needs a server: the crate's tests run the same against one that they start.
/// # async fn connect() -> Result<(), cloakroom::ConfigError> {
/// use std::time::Duration;
/// use cloakroom_redis::RedisSessionStorage;
///
/// let storage = RedisSessionStorage::builder()
///     .url("redis://localhost:6379")
///     .prefix("shop:session:")
///     .command_timeout(Duration::from_millis(500))
///     .build()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct RedisSessionStorageBuilder {
    server: RedisConfig,
    prefix: String,
    pool_size: usize,
    fingerprint_mode: FingerprintMode,
    default_ttl: Duration,
    connection_timeout: Duration,
    command_timeout: Duration,
    load_timeout: Duration,
    commit_timeout: Duration,
    touch_timeout: Duration,
    destroy_timeout: Duration,
    heartbeat_interval: Duration,
    max_in_flight: usize,
    breaker: BreakerPolicy,
    replicas: Replicas,
    start: Start,
    max_session_bytes: usize,
    near_cache: Option<NearCache>,
}

/// What happens at start while Redis cannot be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// The start fails: a wrong host, port or password shows at once.
    #[default]
    Proven,
    /// The storage starts all the same, answers "unavailable" and goes on trying. For applications
    /// that must come up together with, or before, their Redis.
    Lazy,
}

impl Default for RedisSessionStorageBuilder {
    fn default() -> Self {
        Self {
            server: RedisConfig::default(),
            prefix: DEFAULT_PREFIX.to_owned(),
            pool_size: DEFAULT_POOL_SIZE,
            fingerprint_mode: FingerprintMode::default(),
            default_ttl: DEFAULT_TTL,
            connection_timeout: DEFAULT_CONNECTION_TIMEOUT,
            command_timeout: DEFAULT_COMMAND_TIMEOUT,
            load_timeout: DEFAULT_LOAD_TIMEOUT,
            commit_timeout: DEFAULT_COMMIT_TIMEOUT,
            touch_timeout: DEFAULT_COMMIT_TIMEOUT,
            destroy_timeout: DEFAULT_DESTROY_TIMEOUT,
            heartbeat_interval: DEFAULT_HEARTBEAT_INTERVAL,
            max_in_flight: DEFAULT_MAX_IN_FLIGHT,
            breaker: BreakerPolicy::default(),
            replicas: Replicas { count: 0, limit: DEFAULT_REPLICA_TIMEOUT },
            start: Start::default(),
            max_session_bytes: DEFAULT_MAX_SESSION_BYTES,
            near_cache: None,
        }
    }
}

impl RedisSessionStorageBuilder {
    /// Where Redis is (default: `redis://localhost:6379`).
    ///
    /// - `redis://[user:password@]host[:6379][/database]`, with TLS `rediss://`
    /// - `redis+sentinel://[user:password@]host1[:26379],host2/MASTER[/database]`
    /// - `redis+cluster://[user:password@]host1[:6379],host2`
    /// - `unix:///path/to.sock[?db=database&user=name&pass=password]`
    ///
    /// Behind a question mark may stand `ca=/path`, `cert=/path` and `key=/path` with `rediss`,
    /// `sentinel_user` and `sentinel_password`, `protocol=resp2`, and `plaintext=allow`, without
    /// which plain text goes to no other machine. `valkey` may be written for `redis`.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.server.url = url.into();
        self
    }

    /// Where Redis is and how to get in, altogether as a configuration says. It replaces what was
    /// said about that before.
    pub fn server(mut self, server: RedisConfig) -> Self {
        if let Some(pool) = &server.pool {
            self.pool_size = pool.max_size;
        }
        self.server = server;
        self
    }

    /// Asks Sentinels for the primary, instead of a URL.
    pub fn sentinel(mut self, sentinel: SentinelConfig) -> Self {
        self.server.sentinel = Some(sentinel);
        self
    }

    /// Keeps the sessions in a Cluster, instead of a URL.
    pub fn cluster(mut self, cluster: ClusterConfig) -> Self {
        self.server.cluster = Some(cluster);
        self
    }

    /// Who connects, unless the URL says so.
    pub fn credentials(
        mut self,
        username: impl Into<String>,
        password: impl Into<Password>,
    ) -> Self {
        self.server = self.server.with_credentials(username, password);
        self
    }

    /// The certificates of encrypted connections. With a URL write `rediss://`; with
    /// [`sentinel`](Self::sentinel) or [`cluster`](Self::cluster) this encrypts.
    pub fn tls(mut self, tls: TlsConfig) -> Self {
        self.server.tls = Some(tls);
        self
    }

    /// Where sessions may travel unencrypted (default: on this machine only).
    pub fn plaintext(mut self, plaintext: Plaintext) -> Self {
        self.server.plaintext = plaintext;
        self
    }

    /// What all key names begin with (default: `cloakroom:session:`). Give each application its
    /// own.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How many connections are opened to each server (default: 10). Each carries many commands at
    /// once, so this is rarely worth a change where the application has one runtime, as with axum.
    ///
    /// Each worker of actix-web has a runtime of its own, and one that asks often gets its share of
    /// the connections, if that is two at least. So give two for each worker and two more. With
    /// fewer the first workers have their own, and the others pay for waking other threads.
    pub fn pool_size(mut self, size: usize) -> Self {
        self.pool_size = size;
        self
    }

    /// How `get` compares fingerprints (default: [`FingerprintMode::Soft`]). An engine whose policy
    /// names a mode uses that one instead.
    pub fn fingerprint_mode(mut self, mode: FingerprintMode) -> Self {
        self.fingerprint_mode = mode;
        self
    }

    /// The idle timeout of sessions that are set without one (default: 30 minutes). An engine with a
    /// policy of its own uses the policy's `idle_timeout` instead.
    pub fn default_ttl(mut self, ttl: Duration) -> Self {
        self.default_ttl = ttl;
        self
    }

    /// How long opening a connection may take, with its PING (default: 5 s).
    pub fn connection_timeout(mut self, timeout: Duration) -> Self {
        self.connection_timeout = timeout;
        self
    }

    /// How long any exchange with Redis may take, with everything that is tried for it (default:
    /// 3 s). The operations of a request have shorter limits of their own; none is longer than this.
    pub fn command_timeout(mut self, timeout: Duration) -> Self {
        self.command_timeout = timeout;
        self
    }

    /// How long a load may take (default: 250 ms).
    pub fn load_timeout(mut self, timeout: Duration) -> Self {
        self.load_timeout = timeout;
        self
    }

    /// How long one commit may take (default: 500 ms). The engine's policy bounds a commit with all
    /// its tries against other writers.
    pub fn commit_timeout(mut self, timeout: Duration) -> Self {
        self.commit_timeout = timeout;
        self
    }

    /// How long a touch may take (default: 500 ms).
    pub fn touch_timeout(mut self, timeout: Duration) -> Self {
        self.touch_timeout = timeout;
        self
    }

    /// How long a removal may take before it is pending and goes on in the background (default:
    /// 1 s).
    pub fn destroy_timeout(mut self, timeout: Duration) -> Self {
        self.destroy_timeout = timeout;
        self
    }

    /// How often each connection is asked for a sign of life (default: 500 ms). One that does not
    /// answer until the next one is due is replaced.
    pub fn heartbeat_interval(mut self, interval: Duration) -> Self {
        self.heartbeat_interval = interval;
        self
    }

    /// How many commands may be under way on one connection (default: 1,024). What exceeds it on
    /// all of them is refused at once with
    /// [`StorageErrorKind::Rejected`](cloakroom::StorageErrorKind::Rejected).
    pub fn max_in_flight(mut self, commands: usize) -> Self {
        self.max_in_flight = commands;
        self
    }

    /// When the circuit breakers open and close (default: [`BreakerPolicy::default`]).
    pub fn breaker(mut self, policy: BreakerPolicy) -> Self {
        self.breaker = policy;
        self
    }

    /// How many replicas shall confirm a removal (default: none). The server waits for them up to
    /// the limit ([`DEFAULT_REPLICA_TIMEOUT`] is a good one); the result of `destroy` says how many
    /// have. A removal that is carried out later, of a ticket signed out unseen, or of everything that
    /// was created before a moment, is not waited for.
    pub fn replicas(mut self, count: u32, limit: Duration) -> Self {
        self.replicas = Replicas { count, limit };
        self
    }

    /// What happens while Redis cannot be reached at start (default: the start fails).
    pub fn start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// How many bytes one record may take (default: 64 KiB).
    pub fn max_session_bytes(mut self, bytes: usize) -> Self {
        self.max_session_bytes = bytes;
        self
    }

    /// Keeps copies of the sessions that were read last in memory (default: off). The server calls
    /// them back when somebody changes them; [`NearCache`] says how far they may be behind.
    ///
    /// It needs Redis 6 or newer, spoken to in RESP3. Where that cannot be had at start,
    /// [`build`](Self::build) fails; should it be lost later, nothing is cached and
    /// [`health`](cloakroom::SessionStorage::health) warns.
    pub fn near_cache(mut self, near_cache: impl Into<Option<NearCache>>) -> Self {
        self.near_cache = near_cache.into();
        self
    }

    /// Opens the connections.
    ///
    /// # Errors
    /// [`ConfigError`] with every value that makes no sense, or where Redis cannot be reached.
    pub async fn build(self) -> Result<RedisSessionStorage, ConfigError> {
        let keys = Keys::new(&self.prefix);
        let mut problems = self.problems();
        problems.extend(keys.as_ref().err().cloned());
        let topology = self.server.topology();
        problems.extend(topology.as_ref().err().into_iter().flat_map(|e| e.problems().to_vec()));
        ConfigError::check(problems)?;
        let keys = keys.map_err(|problem| {
            ConfigError::new(cloakroom::ConfigErrorKind::Invalid, problem.field, problem.message)
        })?;
        let signals = Arc::<Signals>::default();
        let cache = self.near_cache.map(|settings| Arc::new(Cache::new(settings, keys.clone())));
        let settings = self.server_settings(cache.clone());
        let servers = Servers::start(topology?, settings, signals.clone(), &keys);
        if self.start == Start::Proven {
            servers.opened().await?;
            servers.heard()?;
        }
        let settings = Settings {
            fingerprint_mode: self.fingerprint_mode,
            default_ttl: self.default_ttl,
            max_session_bytes: self.max_session_bytes,
        };
        let records = Cached::new(Records { servers, keys, replicas: self.replicas }, cache);
        let journal = JournalPolicy::default();
        Ok(RedisSessionStorage::assemble(records, journal, settings, signals))
    }

    fn server_settings(&self, near_cache: Option<Arc<Cache>>) -> ServerSettings {
        ServerSettings {
            connection_timeout: self.connection_timeout,
            timeouts: Timeouts {
                command: self.command_timeout,
                load: self.load_timeout,
                commit: self.commit_timeout,
                touch: self.touch_timeout,
                destroy: self.destroy_timeout,
            },
            node: NodeSettings {
                pool_size: self.pool_size,
                heartbeat: self.heartbeat_interval,
                max_in_flight: self.max_in_flight,
                durable: (self.replicas.count > 0).then_some(self.replicas.limit),
                breaker: self.breaker.clone(),
                near_cache,
            },
        }
    }
}

impl std::fmt::Debug for RedisSessionStorageBuilder {
    /// The URL may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisSessionStorageBuilder")
            .field("prefix", &self.prefix)
            .field("pool_size", &self.pool_size)
            .finish_non_exhaustive()
    }
}
