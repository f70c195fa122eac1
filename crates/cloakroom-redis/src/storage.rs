//! [`RedisSessionStorage`]: sessions in Redis or Valkey, one string per session.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cloakroom::{
    Commit, Committed, ConfigError, Destroyed, Expect, FingerprintMode, Observer, Operation,
    Record, SessionKey, SessionStorage, StorageError, StorageErrorKind, StorageHealth,
    StorageStats, Timestamp, Touched, Version,
};
use redis::{Cmd, Value};

use crate::builder::RedisSessionStorageBuilder;
use crate::config::RedisConfig;
use crate::connection::{Question, Servers};
use crate::keys::Keys;
use crate::removal::Replicas;
use crate::signals::Signals;
use crate::{removal, scripts, stats};

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
    servers: Servers,
    keys: Keys,
    settings: Settings,
    signals: Arc<Signals>,
}

/// What a storage is asked for by its users.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) fingerprint_mode: FingerprintMode,
    pub(crate) default_ttl: Duration,
    pub(crate) max_session_bytes: usize,
    pub(crate) durability: Replicas,
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
        Self::builder()
            .server(config.clone())
            .prefix(prefix)
            .fingerprint_mode(fingerprint_mode)
            .default_ttl(default_ttl)
            .connection_timeout(connection_timeout)
            .command_timeout(command_timeout)
            .build()
            .await
    }

    pub(crate) fn assemble(
        servers: Servers,
        keys: Keys,
        settings: Settings,
        signals: Arc<Signals>,
    ) -> Self {
        Self { shared: Arc::new(Shared { servers, keys, settings, signals }) }
    }

    /// Asks every server for a PONG, within the command timeout.
    ///
    /// # Errors
    /// [`StorageError`] where one does not come.
    pub async fn ping(&self) -> Result<(), StorageError> {
        let (ping, servers) = (redis::cmd("PING"), &self.shared.servers);
        for server in servers.all(Operation::Ping)? {
            let deadline = servers.deadline(Operation::Ping);
            let _: Value = server.ask_here(Question::Command(&ping), deadline).await?;
        }
        Ok(())
    }

    async fn commit_on(
        &self,
        key: &SessionKey,
        commit: &Commit,
        expect: Option<Version>,
    ) -> Result<Committed, StorageError> {
        scripts::commit(&self.shared.servers, &self.name(key), commit, expect).await
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
        let name = self.name(key);
        let get = command("GET", &name);
        let get = Question::Command(&get);
        let mut answer = self.shared.servers.ask(&name, Operation::Load, get).await?;
        let bytes = match std::mem::replace(&mut answer.value, Value::Nil) {
            Value::Nil => return Ok(None),
            Value::BulkString(bytes) => Bytes::from(bytes),
            _ => return Err(answer.unexpected(Operation::Load)),
        };
        let record = decode(bytes, answer.clock().now())?;
        if !record.is_expired(record.as_of()) {
            return Ok(Some(record));
        }
        // The server removes what has expired by itself. So either somebody took the key's expiry
        // away, or the server's clock was set back: it has to be asked.
        let deadline = self.shared.servers.deadline(Operation::Load);
        let asking = answer.server.refresh_clock(deadline);
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
                let limit = self.shared.servers.timeout(Operation::Commit);
                bounded(limit, Operation::Commit, self.commit_on_whatever(key, commit)).await
            }
        }
    }

    async fn touch(&self, key: &SessionKey) -> Result<Touched, StorageError> {
        scripts::touch(&self.shared.servers, &self.name(key)).await
    }

    async fn destroy(&self, key: &SessionKey) -> Result<Destroyed, StorageError> {
        removal::remove(&self.shared.servers, &self.name(key), &self.shared.settings).await
    }

    async fn stats(&self) -> Result<StorageStats, StorageError> {
        stats::stats(&self.shared.servers, &self.shared.keys, self.backend_name()).await
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

    fn timeout(&self, operation: Operation) -> Option<Duration> {
        Some(self.shared.servers.timeout(operation))
    }

    fn health(&self) -> StorageHealth {
        let servers = &self.shared.servers;
        let (nodes, warnings) = (servers.health(), servers.warnings());
        StorageHealth::of_nodes(self.backend_name(), nodes, 0, warnings)
    }

    fn observe_with(&self, observer: Arc<dyn Observer>) {
        self.shared.signals.observe_with(observer);
    }

    fn max_session_bytes(&self) -> usize {
        self.shared.settings.max_session_bytes
    }
}

/// A command on one key, in as much memory as it needs.
pub(crate) fn command(name: &str, key: &[u8]) -> Cmd {
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
        Err(StorageError::timeout(
            operation,
            &format!("{operation} timeout"),
            limit,
            start.elapsed(),
        ))
    })
}

fn decode(bytes: Bytes, now: Timestamp) -> Result<Record, StorageError> {
    Record::decode(bytes, now).map_err(|corrupt| {
        StorageError::new(StorageErrorKind::Corrupt, Operation::Load, corrupt.to_string())
    })
}
