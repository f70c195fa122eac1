//! [`RedisSessionStorage`]: sessions in Redis or Valkey, one string per session.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use cloakroom::{
    Commit, Committed, ConfigError, Destroyed, DestroyedBefore, FingerprintMode, Found,
    IndexChange, MarkKey, Observer, Operation, OwnerIndex, OwnerKey, Page, Position, Record,
    SessionKey, SessionStorage, StorageError, StorageHealth, StorageStats, Timestamp, Touched,
    VerifierHash,
};
use redis::Value;

use crate::builder::RedisSessionStorageBuilder;
use crate::config::RedisConfig;
use crate::connection::{Question, Servers};
use crate::inspect;
use crate::journal::{Journal, JournalPolicy};
use crate::marks;
use crate::near_cache::Cached;
use crate::owners;
use crate::records::Records;
use crate::signals::{Outage, Signals};
use crate::stats;

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
    /// Before the records: what is under way there ends first.
    journal: Journal<Cached>,
    records: Arc<Cached>,
    settings: Settings,
    signals: Arc<Signals>,
}

impl Shared {
    /// Adds what is known in this process.
    fn add_to(&self, stats: StorageStats) -> StorageStats {
        let stats = stats::with_near_cache(stats, self.records.health());
        self.journal.stats().put_into(stats)
    }
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
        records: Cached,
        journal: JournalPolicy,
        settings: Settings,
        signals: Arc<Signals>,
    ) -> Self {
        let records = Arc::new(records);
        let journal = Journal::new(journal, Arc::downgrade(&records));
        let shared = Arc::new(Shared { journal, records, settings, signals });
        let outage: Weak<Shared> = Arc::downgrade(&shared);
        shared.signals.watch_outages(outage);
        Self { shared }
    }

    fn records(&self) -> &Records {
        &self.shared.records.records
    }

    pub(crate) fn servers(&self) -> &Servers {
        &self.records().servers
    }

    /// Asks every server for a PONG, within the command timeout.
    ///
    /// # Errors
    /// [`StorageError`] where one does not come.
    pub async fn ping(&self) -> Result<(), StorageError> {
        let (ping, servers) = (redis::cmd("PING"), &self.shared.records.records.servers);
        for server in servers.all(Operation::Ping)? {
            let deadline = servers.deadline(Operation::Ping);
            let _: Value = server.ask_here(Question::Command(&ping), deadline).await?;
        }
        Ok(())
    }
}

impl SessionStorage for RedisSessionStorage {
    async fn load(&self, key: &SessionKey) -> Result<Option<Record>, StorageError> {
        let journal = &self.shared.journal;
        if journal.denies(key) {
            return Ok(None);
        }
        let found = self.shared.records.load(key).await?;
        // Looked at where it stands: a record is large to move.
        let refused = found.as_ref().is_some_and(|record| {
            !journal.accepts(key, record.created(), |proof| record.accepts(proof))
        });
        if refused { Ok(None) } else { Ok(found) }
    }

    fn cached(&self, key: &SessionKey) -> Option<Record> {
        let (journal, records) = (&self.shared.journal, &self.shared.records);
        let copy = records.copy(key)?;
        if !journal.denies(key) && journal.accepts(key, copy.created(), |proof| copy.accepts(proof))
        {
            return Some(copy);
        }
        records.forget(key);
        None
    }

    async fn commit(&self, key: &SessionKey, commit: &Commit) -> Result<Committed, StorageError> {
        commit.check_size(self.shared.settings.max_session_bytes)?;
        let work = pin!(self.shared.records.commit(key, commit));
        self.shared.journal.commit(key, commit, work).await
    }

    async fn touch(&self, key: &SessionKey) -> Result<Touched, StorageError> {
        if self.shared.journal.holds_writes(key) {
            return Ok(Touched::Gone);
        }
        self.shared.records.touch(key).await
    }

    async fn destroy(&self, key: &SessionKey) -> Result<Destroyed, StorageError> {
        let records = &self.shared.records;
        let work = pin!(records.remove(key));
        self.shared.journal.remove(key, records.records.now(key), work).await
    }

    async fn destroy_unseen(
        &self,
        key: &SessionKey,
        proof: &VerifierHash,
    ) -> Result<Destroyed, StorageError> {
        let records = &self.shared.records;
        let work = pin!(records.remove_unseen(key, proof));
        self.shared.journal.remove_unseen(key, proof, records.records.now(key), work).await
    }

    async fn owner_index(&self, owner: &OwnerKey) -> Result<OwnerIndex, StorageError> {
        let records = self.records();
        owners::look(&records.servers, &records.keys, owner).await
    }

    async fn change_owner_index(
        &self,
        owner: &OwnerKey,
        change: &IndexChange,
    ) -> Result<OwnerIndex, StorageError> {
        let records = self.records();
        owners::change(&records.servers, &records.keys, owner, change).await
    }

    async fn mark(&self, key: &MarkKey) -> Result<Option<Bytes>, StorageError> {
        let records = self.records();
        marks::look(&records.servers, &records.keys, key).await
    }

    async fn leave_mark(
        &self,
        key: &MarkKey,
        content: &[u8],
        lifetime: Duration,
    ) -> Result<Bytes, StorageError> {
        let records = self.records();
        marks::leave(&records.servers, &records.keys, key, content, lifetime).await
    }

    async fn facts(&self, sessions: &[SessionKey]) -> Result<Vec<Found>, StorageError> {
        let records = self.records();
        let mut found = inspect::facts(&records.servers, &records.keys, sessions).await?;
        for (session, found) in sessions.iter().zip(&mut found) {
            if self.shared.journal.denies(session) && *found != Found::Nothing {
                *found = Found::Ending;
            }
        }
        Ok(found)
    }

    async fn walk(&self, position: &Position) -> Result<Page, StorageError> {
        let records = self.records();
        inspect::walk(&records.servers, &records.keys, position).await
    }

    async fn destroy_created_before(
        &self,
        sessions: &[SessionKey],
        moment: Timestamp,
    ) -> Result<DestroyedBefore, StorageError> {
        let records = self.records();
        let (servers, keys) = (&records.servers, &records.keys);
        let forget = || sessions.iter().for_each(|session| self.shared.records.forget(session));
        // This node shall not show what it has removed until the server tells it so: not when this is
        // dropped half-way either, and nothing that was read meanwhile.
        forget();
        let removed = inspect::destroy_created_before(servers, keys, sessions, moment).await;
        forget();
        removed
    }

    async fn stats(&self) -> Result<StorageStats, StorageError> {
        let shared = &self.shared;
        let records = &shared.records.records;
        let stats = stats::stats(&records.servers, &records.keys, self.backend_name()).await?;
        Ok(shared.add_to(stats))
    }

    async fn backend_metrics(&self) -> Result<BTreeMap<String, String>, StorageError> {
        let stats = stats::metrics(&self.shared.records.records.servers).await?;
        Ok(self.shared.add_to(stats).backend_metrics)
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
        Some(self.shared.records.records.servers.timeout(operation))
    }

    fn health(&self) -> StorageHealth {
        let servers = &self.shared.records.records.servers;
        let journal = &self.shared.journal;
        let (nodes, warnings) = (servers.health(), servers.warnings());
        StorageHealth::of_nodes(self.backend_name(), nodes, journal.stats().pending, warnings)
            .with_journal(journal.health())
            .with_near_cache(self.shared.records.health())
    }

    fn observe_with(&self, observer: Arc<dyn Observer>) {
        self.shared.journal.set_observer(observer.clone());
        self.shared.signals.observe_with(observer);
    }

    fn max_session_bytes(&self) -> usize {
        self.shared.settings.max_session_bytes
    }
}

impl Outage for Shared {
    fn server_is_back(&self) {
        self.journal.retry_now();
    }

    fn history_changed(&self) {
        self.records.clear();
        self.journal.reapply();
    }
}
