//! [`MemorySessionStorage`]: the embedded storage, for one process and for tests.
//!
//! Records lie in shards, each a map and a calendar of deadlines under one lock that is never held
//! across an await. Every call removes what has expired in its own shard, in the order of the
//! deadlines, so no call ever looks at all sessions; a sweeper that dies with the storage does the
//! same when nobody calls. When the storage is full, new sessions are refused: a live session is
//! never given up for another one.

mod builder;
mod marks;
mod owners;
mod shard;
mod sweeper;
mod used;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::{
    Destroyed, Durability, Page, Position, RoomHealth, SessionStorage, StorageHealth, StorageStats,
    Touched,
};
use crate::clock::Timestamp;
use crate::commit::{Commit, Committed};
use crate::error::{Operation, StorageError, StorageErrorKind};
use crate::facts::{Found, SessionFacts};
use crate::fingerprint::FingerprintMode;
use crate::index::{IndexChange, OwnerIndex};
use crate::mark::MarkKey;
use crate::owner::OwnerKey;
use crate::record::Record;
use crate::token::{SessionKey, VerifierHash};
use marks::Marks;
use owners::Owners;
use shard::Shard;
use sweeper::Sweeper;
use used::Used;

pub use builder::{DEFAULT_MAX_BYTES, DEFAULT_MAX_SESSIONS, MemorySessionStorageBuilder};

const SHARDS: usize = 64;

/// Keeps sessions in this process's memory, bounded by their number and their bytes.
///
/// Nothing is installed and nothing survives a restart. Use it for development, tests and
/// applications of one process. Clones share the sessions.
///
/// Defaults: 1,000,000 sessions, 1 GiB of records, 64 KiB per session, 30 minutes of idle timeout.
#[derive(Clone)]
pub struct MemorySessionStorage {
    shared: Arc<Shared>,
}

struct Shared {
    shards: Box<[Mutex<Shard>]>,
    owners: Owners,
    marks: Marks,
    used: Arc<Used>,
    settings: MemorySessionStorageBuilder,
    sweeper: Sweeper,
}

impl MemorySessionStorage {
    /// A storage with the default limits.
    pub fn new() -> Self {
        Self::start(Self::builder())
    }

    /// Begins to build a storage with other limits.
    pub fn builder() -> MemorySessionStorageBuilder {
        MemorySessionStorageBuilder::default()
    }

    /// Removes what has expired, and says how many sessions that were.
    ///
    /// The storage does this by itself once a second inside a Tokio runtime, which must have its
    /// timer enabled (`enable_time` or `enable_all`); call it where there is no runtime, or where
    /// a test moves the clock by hand.
    pub fn remove_expired(&self) -> usize {
        self.shared.remove_expired()
    }

    fn start(settings: MemorySessionStorageBuilder) -> Self {
        let used = Arc::new(Used::default());
        let shards = (0..SHARDS).map(|_| Mutex::new(Shard::new(used.clone()))).collect();
        let owners = Owners::new(settings.max_sessions);
        let marks = Marks::new(settings.max_sessions);
        let sweeper = Sweeper::default();
        Self { shared: Arc::new(Shared { shards, owners, marks, used, settings, sweeper }) }
    }

    fn now(&self) -> Timestamp {
        self.shared.settings.clock.now()
    }

    fn shard(&self, key: &SessionKey, now: Timestamp) -> MutexGuard<'_, Shard> {
        let mut shard = lock(&self.shared.shards[key.shard(SHARDS)]);
        shard.remove_expired(now);
        shard
    }

    fn full(&self) -> StorageError {
        let settings = &self.shared.settings;
        let message = format!(
            "the memory storage is full ({} sessions and {} bytes are allowed)",
            settings.max_sessions, settings.max_bytes
        );
        StorageError::new(StorageErrorKind::Full, Operation::Commit, message)
    }
}

impl Shared {
    fn remove_expired(&self) -> usize {
        let now = self.settings.clock.now();
        self.owners.remove_expired(now);
        self.marks.remove_expired(now);
        self.shards.iter().map(|shard| lock(shard).remove_expired(now)).sum()
    }
}

impl SessionStorage for MemorySessionStorage {
    async fn load(&self, key: &SessionKey) -> Result<Option<Record>, StorageError> {
        let now = self.now();
        let Some(bytes) = self.shard(key, now).read(key) else { return Ok(None) };
        shard::decode(key, bytes, now, Operation::Load).map(Some)
    }

    async fn commit(&self, key: &SessionKey, commit: &Commit) -> Result<Committed, StorageError> {
        commit.check_size(self.shared.settings.max_session_bytes)?;
        self.shared.sweeper.start(&self.shared);
        let (now, settings) = (self.now(), &self.shared.settings);
        let outcome = self.shard(key, now).commit(key, commit, now, settings)?;
        if let Some(outcome) = outcome {
            return Ok(outcome);
        }
        // What has expired in other shards may make room; that must not be done under this
        // shard's lock.
        self.shared.remove_expired();
        self.shard(key, now).commit(key, commit, now, settings)?.ok_or_else(|| self.full())
    }

    async fn touch(&self, key: &SessionKey) -> Result<Touched, StorageError> {
        let now = self.now();
        self.shard(key, now).touch(key, now)
    }

    async fn destroy(&self, key: &SessionKey) -> Result<Destroyed, StorageError> {
        let now = self.now();
        Ok(destroyed(self.shard(key, now).remove(key)))
    }

    /// Under one lock, so that nobody can sign in between the look and the removal.
    async fn destroy_unseen(
        &self,
        key: &SessionKey,
        proof: &VerifierHash,
    ) -> Result<Destroyed, StorageError> {
        let now = self.now();
        self.shard(key, now).remove_opened(key, proof, now).map(destroyed)
    }

    async fn owner_index(&self, owner: &OwnerKey) -> Result<OwnerIndex, StorageError> {
        Ok(self.shared.owners.look(owner, self.now()))
    }

    async fn change_owner_index(
        &self,
        owner: &OwnerKey,
        change: &IndexChange,
    ) -> Result<OwnerIndex, StorageError> {
        self.shared.sweeper.start(&self.shared);
        let now = self.now();
        let owner_of = |session: &SessionKey| self.shard(session, now).owner(session);
        self.shared.owners.change(owner, change, now, owner_of).await
    }

    async fn facts(&self, sessions: &[SessionKey]) -> Result<Vec<Found>, StorageError> {
        let mut found = Vec::with_capacity(sessions.len());
        for key in sessions {
            found.push(match self.load(key).await {
                Ok(Some(record)) => SessionFacts::of(key, &record),
                Ok(None) => Found::Nothing,
                Err(error) if *error.kind() == StorageErrorKind::Corrupt => Found::Unreadable,
                Err(error) => return Err(error),
            });
        }
        Ok(found)
    }

    async fn mark(&self, key: &MarkKey) -> Result<Option<Bytes>, StorageError> {
        Ok(self.shared.marks.look(key, self.now()))
    }

    async fn leave_mark(
        &self,
        key: &MarkKey,
        content: &[u8],
        lifetime: Duration,
    ) -> Result<Bytes, StorageError> {
        self.shared.sweeper.start(&self.shared);
        self.shared.marks.leave(key, content, lifetime, self.now())
    }

    /// A page is a shard: the position is the number of the next one.
    async fn walk(&self, position: &Position) -> Result<Page, StorageError> {
        let text = if position.is_start() { "0" } else { position.as_str() };
        let Some(at) = text.parse::<usize>().ok().filter(|at| *at < SHARDS) else {
            let message = "the position is none of the memory storage's";
            return Err(StorageError::new(StorageErrorKind::Backend, Operation::Walk, message));
        };
        let sessions = {
            let mut shard = lock(&self.shared.shards[at]);
            shard.remove_expired(self.now());
            shard.keys()
        };
        let next = at + 1;
        let done = next as f64 / SHARDS as f64;
        let next = (next < SHARDS).then(|| Position::new(next.to_string()));
        Ok(Page { sessions, next, done })
    }

    async fn stats(&self) -> Result<StorageStats, StorageError> {
        self.shared.remove_expired();
        let sessions = self.shared.used.sessions.load(Ordering::Relaxed);
        let bytes = self.shared.used.bytes.load(Ordering::Relaxed);
        let settings = &self.shared.settings;
        Ok(StorageStats::new(self.backend_name(), sessions as u64, bytes as u64)
            .with_metric("max_sessions", settings.max_sessions)
            .with_metric("max_bytes", settings.max_bytes))
    }

    fn health(&self) -> StorageHealth {
        let (used, settings) = (&self.shared.used, &self.shared.settings);
        let (index_entries, max_index_entries) = self.shared.owners.fill();
        StorageHealth::healthy(self.backend_name()).with_room(RoomHealth {
            sessions: used.sessions.load(Ordering::Relaxed),
            max_sessions: settings.max_sessions,
            bytes: used.bytes.load(Ordering::Relaxed),
            max_bytes: settings.max_bytes,
            index_entries,
            max_index_entries,
        })
    }

    fn backend_name(&self) -> &'static str {
        "memory"
    }

    fn default_ttl(&self) -> Duration {
        self.shared.settings.default_ttl
    }

    fn fingerprint_mode(&self) -> FingerprintMode {
        self.shared.settings.fingerprint_mode
    }

    fn max_session_bytes(&self) -> usize {
        self.shared.settings.max_session_bytes
    }
}

impl Default for MemorySessionStorage {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for MemorySessionStorage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemorySessionStorage")
            .field("sessions", &self.shared.used.sessions)
            .field("bytes", &self.shared.used.bytes)
            .finish_non_exhaustive()
    }
}

fn destroyed(was_there: bool) -> Destroyed {
    let local = Durability::LOCAL;
    if was_there { Destroyed::Removed(local) } else { Destroyed::Absent(local) }
}

/// A shard stays sound when a thread panicked: every method changes it in one go.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
