//! [`RedisSessionStorageBuilder`]: every setting of a Redis storage with its default.

use std::time::Duration;

use cloakroom::{ConfigError, DEFAULT_MAX_SESSION_BYTES, DEFAULT_TTL, FingerprintMode, Problem};

use crate::config::{DEFAULT_POOL_SIZE, DEFAULT_URL};
use crate::connection::{Connector, Pool};
use crate::keys::{DEFAULT_PREFIX, Keys};
use crate::storage::{RedisSessionStorage, Settings};

/// How long opening a connection may take unless told otherwise.
pub const DEFAULT_CONNECTION_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a command may take unless told otherwise.
pub const DEFAULT_COMMAND_TIMEOUT: Duration = Duration::from_secs(3);

const MAX_POOL_SIZE: usize = 1024;

/// No session can be set with an idle timeout outside of these two.
const SHORTEST_TTL: Duration = Duration::from_millis(1);
const LONGEST_TTL: Duration = Duration::from_secs(400 * 24 * 60 * 60);

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
    url: String,
    prefix: String,
    pool_size: usize,
    fingerprint_mode: FingerprintMode,
    default_ttl: Duration,
    connection_timeout: Duration,
    command_timeout: Duration,
    max_session_bytes: usize,
}

impl Default for RedisSessionStorageBuilder {
    fn default() -> Self {
        Self {
            url: DEFAULT_URL.to_owned(),
            prefix: DEFAULT_PREFIX.to_owned(),
            pool_size: DEFAULT_POOL_SIZE,
            fingerprint_mode: FingerprintMode::default(),
            default_ttl: DEFAULT_TTL,
            connection_timeout: DEFAULT_CONNECTION_TIMEOUT,
            command_timeout: DEFAULT_COMMAND_TIMEOUT,
            max_session_bytes: DEFAULT_MAX_SESSION_BYTES,
        }
    }
}

impl RedisSessionStorageBuilder {
    /// Where Redis is (default: `redis://localhost:6379`).
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = url.into();
        self
    }

    /// What all key names begin with (default: `cloakroom:session:`). Give each application its
    /// own.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How many connections are opened (default: 10). Each carries many commands at once.
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

    /// How long a command may take, with its one repetition (default: 3 s).
    pub fn command_timeout(mut self, timeout: Duration) -> Self {
        self.command_timeout = timeout;
        self
    }

    /// How many bytes one record may take (default: 64 KiB).
    pub fn max_session_bytes(mut self, bytes: usize) -> Self {
        self.max_session_bytes = bytes;
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
        let connector = Connector::new(&self.url, self.connection_timeout);
        problems.extend(connector.as_ref().err().into_iter().flat_map(|e| e.problems().to_vec()));
        ConfigError::check(problems)?;
        let keys = keys.map_err(|problem| {
            ConfigError::new(cloakroom::ConfigErrorKind::Invalid, problem.field, problem.message)
        })?;
        let pool = Pool::open(connector?, self.pool_size, self.command_timeout).await?;
        let settings = Settings {
            fingerprint_mode: self.fingerprint_mode,
            default_ttl: self.default_ttl,
            max_session_bytes: self.max_session_bytes,
        };
        Ok(RedisSessionStorage::assemble(pool, keys, settings))
    }

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !(1..=MAX_POOL_SIZE).contains(&self.pool_size) {
            let message = format!("{} is not between 1 and {MAX_POOL_SIZE}", self.pool_size);
            problems.push(Problem::new("pool_size", message));
        }
        for (field, timeout) in [
            ("connection_timeout", self.connection_timeout),
            ("command_timeout", self.command_timeout),
        ] {
            if timeout.is_zero() {
                problems.push(Problem::new(field, "zero would fail every call; use 3s"));
            }
        }
        if self.default_ttl < SHORTEST_TTL {
            let message = "less than 1 ms would end every session at once; use 30m";
            problems.push(Problem::new("default_ttl", message));
        }
        if self.default_ttl > LONGEST_TTL {
            let message = "more than 400 days, the longest life of a session; use 30m";
            problems.push(Problem::new("default_ttl", message));
        }
        if self.max_session_bytes < 256 {
            let message = "a record alone takes more than 116 bytes; use at least 256";
            problems.push(Problem::new("max_session_bytes", message));
        }
        problems
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
