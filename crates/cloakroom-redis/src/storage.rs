//! [`RedisSessionStorage`]: sessions in Redis or Valkey, one string per session.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cloakroom::{
    Commit, Committed, ConfigError, Destroyed, Durability, Expect, FingerprintMode, Operation,
    Record, SessionKey, SessionStorage, StorageError, StorageErrorKind, StorageStats, Timestamp,
    Touched, Version,
};
use redis::{Cmd, Value};

use crate::builder::RedisSessionStorageBuilder;
use crate::config::RedisConfig;
use crate::connection::{Pool, Question};
use crate::error::unexpected;
use crate::keys::Keys;
use crate::{scripts, stats};

/// How long a load may wait for the server's time beyond its answer, which is rarely asked for.
const CLOCK_LIMIT: Duration = Duration::from_millis(40);

/// How often a commit that takes whatever is there may be overtaken by others.
const MAX_OVERTAKEN: usize = 16;

/// Keeps sessions in Redis or Valkey. Clones share the connections.
///
/// Every constructor proves the connection: a wrong host, port or password is an error at start.
/// Deadlines come from the server's clock, commits are one script each, reads are plain `GET`s.
#[derive(Clone, Debug)]
pub struct RedisSessionStorage {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    pool: Pool,
    keys: Keys,
    settings: Settings,
}

/// What a storage is asked for by its users.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) fingerprint_mode: FingerprintMode,
    pub(crate) default_ttl: Duration,
    pub(crate) max_session_bytes: usize,
}

impl RedisSessionStorage {
    /// Connects to `redis://localhost:6379` with the defaults: prefix `cloakroom:session:`,
    /// 10 connections, [`FingerprintMode::Soft`], a default TTL of 30 minutes, a connection
    /// timeout of 5 s and a command timeout of 3 s.
    ///
    /// # Errors
    /// [`ConfigError`] where Redis cannot be reached; it names the host and the remedy.
    pub async fn new() -> Result<Self, ConfigError> {
        Self::builder().build().await
    }

    /// Begins to build a storage with other settings.
    pub fn builder() -> RedisSessionStorageBuilder {
        RedisSessionStorageBuilder::default()
    }

    /// Connects to a URL such as `redis://user:password@host:6379/0`.
    ///
    /// `pool_size` is the number of connections. `default_ttl` is the idle timeout of sessions
    /// that are set without one, and of an engine without a policy of its own. The connection
    /// timeout bounds the opening of a connection with its PING, the command timeout every other
    /// exchange.
    ///
    /// # Errors
    /// [`ConfigError`] where a value makes no sense or Redis cannot be reached; it names the host,
    /// never the password, and the remedy.
    pub async fn from_url(
        redis_url: &str,
        prefix: &str,
        pool_size: usize,
        fingerprint_mode: FingerprintMode,
        default_ttl: Duration,
        connection_timeout: Duration,
        command_timeout: Duration,
    ) -> Result<Self, ConfigError> {
        Self::builder()
            .url(redis_url)
            .prefix(prefix)
            .pool_size(pool_size)
            .fingerprint_mode(fingerprint_mode)
            .default_ttl(default_ttl)
            .connection_timeout(connection_timeout)
            .command_timeout(command_timeout)
            .build()
            .await
    }

    /// Connects to where a configuration says. The parameters are those of
    /// [`RedisSessionStorage::from_url`].
    ///
    /// # Errors
    /// As [`RedisSessionStorage::from_url`].
    pub async fn from_config(
        config: &RedisConfig,
        prefix: &str,
        fingerprint_mode: FingerprintMode,
        default_ttl: Duration,
        connection_timeout: Duration,
        command_timeout: Duration,
    ) -> Result<Self, ConfigError> {
        let pool = config.pool.clone().unwrap_or_default();
        Self::from_url(
            &config.url,
            prefix,
            pool.max_size,
            fingerprint_mode,
            default_ttl,
            connection_timeout,
            command_timeout,
        )
        .await
    }

    pub(crate) fn assemble(pool: Pool, keys: Keys, settings: Settings) -> Self {
        Self { shared: Arc::new(Shared { pool, keys, settings }) }
    }

    /// Asks the server for a PONG, within the command timeout.
    ///
    /// # Errors
    /// [`StorageError`] where it does not come.
    pub async fn ping(&self) -> Result<(), StorageError> {
        let ping = redis::cmd("PING");
        let _: Value = self.shared.pool.ask(Operation::Ping, Question::Command(&ping)).await?;
        Ok(())
    }

    async fn commit_on(
        &self,
        key: &SessionKey,
        commit: &Commit,
        expect: Option<Version>,
    ) -> Result<Committed, StorageError> {
        let pool = &self.shared.pool;
        let (outcome, now) = scripts::commit(pool, &self.name(key), commit, expect).await?;
        pool.clock().set(now);
        Ok(outcome)
    }

    /// Commits over whatever record is there. It is looked at first: what is damaged may not be
    /// overwritten, and a repetition must know which state it was meant for.
    async fn commit_on_whatever(
        &self,
        key: &SessionKey,
        commit: &Commit,
    ) -> Result<Committed, StorageError> {
        let Some(mut stored) = self.load(key).await? else { return Ok(Committed::Gone) };
        for _ in 0..MAX_OVERTAKEN {
            if stored.version().nonce() == commit.nonce() {
                return Ok(Committed::Applied { stamp: *stored.stamp(), as_of: stored.as_of() });
            }
            match self.commit_on(key, commit, Some(stored.version())).await? {
                Committed::Conflict(newer) => stored = newer,
                outcome => return Ok(outcome),
            }
        }
        Ok(Committed::Conflict(stored))
    }

    fn name(&self, key: &SessionKey) -> Vec<u8> {
        self.shared.keys.session(key)
    }
}

impl SessionStorage for RedisSessionStorage {
    async fn load(&self, key: &SessionKey) -> Result<Option<Record>, StorageError> {
        let pool = &self.shared.pool;
        let get = command("GET", &self.name(key));
        let bytes = match pool.ask(Operation::Load, Question::Command(&get)).await? {
            Value::Nil => return Ok(None),
            Value::BulkString(bytes) => Bytes::from(bytes),
            _ => return Err(unexpected(Operation::Load)),
        };
        let record = decode(bytes, pool.clock().now())?;
        if !record.is_expired(record.as_of()) {
            return Ok(Some(record));
        }
        // The server removes what has expired by itself. So either somebody took the key's expiry
        // away, or the server's clock was set back: it has to be asked.
        let asking = pool.refresh_clock(Operation::Load);
        let now = bounded(CLOCK_LIMIT, Operation::Load, asking).await?;
        let record = decode(record.as_bytes().clone(), now)?;
        Ok((!record.is_expired(now)).then_some(record))
    }

    async fn commit(&self, key: &SessionKey, commit: &Commit) -> Result<Committed, StorageError> {
        commit.check_size(self.shared.settings.max_session_bytes)?;
        match commit.expect() {
            Expect::Absent => self.commit_on(key, commit, None).await,
            Expect::Exactly(version) => self.commit_on(key, commit, Some(version)).await,
            Expect::Present => {
                let limit = self.shared.pool.command_timeout();
                bounded(limit, Operation::Commit, self.commit_on_whatever(key, commit)).await
            }
        }
    }

    async fn touch(&self, key: &SessionKey) -> Result<Touched, StorageError> {
        let pool = &self.shared.pool;
        let (outcome, now) = scripts::touch(pool, &self.name(key)).await?;
        pool.clock().set(now);
        Ok(outcome)
    }

    async fn destroy(&self, key: &SessionKey) -> Result<Destroyed, StorageError> {
        let del = command("DEL", &self.name(key));
        match self.shared.pool.ask(Operation::Destroy, Question::Command(&del)).await? {
            Value::Int(0) => Ok(Destroyed::Absent(Durability::LOCAL)),
            Value::Int(_) => Ok(Destroyed::Removed(Durability::LOCAL)),
            _ => Err(unexpected(Operation::Destroy)),
        }
    }

    async fn stats(&self) -> Result<StorageStats, StorageError> {
        stats::stats(&self.shared.pool, &self.shared.keys, self.backend_name()).await
    }

    fn backend_name(&self) -> &'static str {
        "redis"
    }

    fn default_ttl(&self) -> Duration {
        self.shared.settings.default_ttl
    }

    fn fingerprint_mode(&self) -> FingerprintMode {
        self.shared.settings.fingerprint_mode
    }

    fn timeout(&self, _: Operation) -> Option<Duration> {
        Some(self.shared.pool.command_timeout())
    }

    fn max_session_bytes(&self) -> usize {
        self.shared.settings.max_session_bytes
    }
}

/// A command on one key, in as much memory as it needs.
fn command(name: &str, key: &[u8]) -> Cmd {
    let mut command = Cmd::with_capacity(2, name.len() + key.len());
    command.arg(name).arg(key);
    command
}

/// Several exchanges under one limit.
async fn bounded<T>(
    limit: Duration,
    operation: Operation,
    work: impl Future<Output = Result<T, StorageError>>,
) -> Result<T, StorageError> {
    let start = Instant::now();
    let done = tokio::time::timeout(limit, work).await;
    done.unwrap_or_else(|_| {
        Err(StorageError::timeout(operation, "command timeout", limit, start.elapsed()))
    })
}

fn decode(bytes: Bytes, now: Timestamp) -> Result<Record, StorageError> {
    Record::decode(bytes, now).map_err(|corrupt| {
        StorageError::new(StorageErrorKind::Corrupt, Operation::Load, corrupt.to_string())
    })
}
