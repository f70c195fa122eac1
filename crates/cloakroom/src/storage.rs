//! [`SessionStorage`]: where records lie, and the laws that every storage keeps.

mod any;
mod direct;
mod health;
mod limit;
mod memory;
mod outcome;
mod stats;
mod walk;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::clock::Timestamp;
use crate::commit::{Commit, Committed};
use crate::error::{Operation, SessionError, StorageError, StorageErrorKind};
use crate::event::Observer;
use crate::facts::Found;
use crate::fingerprint::{FingerprintMode, SessionFingerprint};
use crate::index::{IndexChange, OwnerIndex};
use crate::mark::MarkKey;
use crate::owner::OwnerKey;
use crate::record::Record;
use crate::session::SessionData;
use crate::token::{SessionKey, VerifierHash};

pub(crate) use limit::within;

pub use any::AnyStorage;
pub use health::{
    BreakerState, ConnectionHealth, ConnectionState, HealthStatus, JournalHealth, NearCacheHealth,
    NodeHealth, RoomHealth, StorageHealth,
};
pub use limit::end_by;
pub use memory::{
    DEFAULT_MAX_BYTES, DEFAULT_MAX_SESSIONS, MemorySessionStorage, MemorySessionStorageBuilder,
};
pub use outcome::{Destroyed, DestroyedBefore, Durability, Touched};
pub use stats::StorageStats;
pub use walk::{Page, Position};

/// The idle timeout of a storage that was given none: 30 minutes.
pub const DEFAULT_TTL: Duration = Duration::from_secs(30 * 60);

/// The size limit of a storage that was given none: 64 KiB for the whole record.
pub const DEFAULT_MAX_SESSION_BYTES: usize = 64 * 1024;

/// A place for session records.
///
/// The first part of the trait (`load`, `commit`, `touch`, `destroy`, `owner_index`,
/// `change_owner_index`, `facts`, `stats`) is what a storage implements; an error there always means
/// that the storage *could not say*, and for a write that the outcome is unknown. It should implement
/// `destroy_unseen` as well, whose default cannot be atomic, and `mark`, `leave_mark` and `walk` where
/// visitors of another library are to move in and operators to look at all sessions. The second part
/// (`get`, `set`, `delete`, `exists`) is for applications that keep sessions without a web framework,
/// under names of their own; it stands on the first.
///
/// The laws, each a test in `cloakroom-testkit` that a new storage should run:
/// - `load` after an applied commit returns exactly what was committed, whoever has committed it: no
///   copy ever answers a load.
/// - `Expect::Absent` never overwrites; `Present` and `Exactly` never create. After `destroy`
///   nothing brings a record back.
/// - A commit repeated with its own nonce answers `Applied` and changes nothing.
/// - A touch never shortens a lifetime, never passes the absolute deadline, never rewrites the
///   payload, never creates.
/// - An expired record is never returned. Deadlines come from the storage's clock.
/// - What lies under a key and is no record, or another session's, is an error and is left as it is.
///
/// ```
/// use std::time::Duration;
/// use cloakroom::{MemorySessionStorage, SessionData, SessionStorage};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let storage = MemorySessionStorage::new();
/// let mut data = SessionData::new();
/// data.insert("colour", "green")?;
/// storage.set("visitor-7", &data, Duration::from_secs(600)).await?;
///
/// let found = storage.get("visitor-7", None).await?.expect("it was just stored");
/// assert_eq!(found.get::<String>("colour")?.as_deref(), Some("green"));
/// # Ok::<(), cloakroom::SessionError>(())
/// # }).unwrap();
/// ```
pub trait SessionStorage: Send + Sync + 'static {
    /// Reads one record as it is now. `None` means that there is none, or that it has expired.
    ///
    /// Never from a near-cache, whose copies come from [`SessionStorage::cached`] alone: whoever
    /// loads must be sure. So a storage that wraps another one and passes on only what it must has
    /// no near-cache, and is right.
    ///
    /// # Errors
    /// [`StorageError`] where the storage could not say.
    fn load(
        &self,
        key: &SessionKey,
    ) -> impl Future<Output = Result<Option<Record>, StorageError>> + Send;

    /// A copy of the record that is at hand without asking anybody: from a near-cache.
    ///
    /// The copy may be older than what the storage holds, by no more than the storage states. So
    /// what it lets in may have ended a moment ago, and what it would *refuse* has to be loaded
    /// first. `None` means that there is no copy, and says nothing of the record. A storage that
    /// wraps another one passes this on to keep its near-cache.
    fn cached(&self, key: &SessionKey) -> Option<Record> {
        let _ = key;
        None
    }

    /// Writes one record in one atomic step.
    ///
    /// # Errors
    /// [`StorageError`] where the outcome is unknown, or where nothing was sent.
    fn commit(
        &self,
        key: &SessionKey,
        commit: &Commit,
    ) -> impl Future<Output = Result<Committed, StorageError>> + Send;

    /// Moves one record's idle deadline to now plus its idle timeout.
    ///
    /// # Errors
    /// [`StorageError`] where the outcome is unknown.
    fn touch(&self, key: &SessionKey)
    -> impl Future<Output = Result<Touched, StorageError>> + Send;

    /// Removes one record for good.
    ///
    /// A storage with a journal answers [`Destroyed::Pending`] where its server could not be
    /// reached or took no writes: from then on it refuses the record, and removes it as soon as
    /// the server answers.
    ///
    /// # Errors
    /// [`StorageError`] where the outcome is unknown and nobody will try again.
    fn destroy(
        &self,
        key: &SessionKey,
    ) -> impl Future<Output = Result<Destroyed, StorageError>> + Send;

    /// Removes one record if a ticket with this proof opens it: a sign-out whose session could not be
    /// loaded, so that nobody knows yet whether the ticket is the session's own.
    ///
    /// A storage with a journal answers [`Destroyed::Pending`] as for
    /// [`SessionStorage::destroy`], and compares the proof when it carries the removal out.
    ///
    /// A storage should implement it in one atomic step. Unless implemented it looks and removes in
    /// two, and a sign-in that is committed between them is ended although its visitor is told that
    /// it has succeeded.
    ///
    /// # Errors
    /// [`StorageError`] where the outcome is unknown and nobody will try again.
    fn destroy_unseen(
        &self,
        key: &SessionKey,
        proof: &VerifierHash,
    ) -> impl Future<Output = Result<Destroyed, StorageError>> + Send {
        async move {
            match self.load(key).await? {
                Some(record) if record.accepts(proof) => self.destroy(key).await,
                _ => Ok(Destroyed::Absent(Durability::LOCAL)),
            }
        }
    }

    /// The index of one owner's sessions, as it is.
    ///
    /// # Errors
    /// [`StorageError`] where the storage could not say.
    fn owner_index(
        &self,
        owner: &OwnerKey,
    ) -> impl Future<Output = Result<OwnerIndex, StorageError>> + Send;

    /// Changes the index of one owner's sessions in one atomic step, and answers what it is then.
    ///
    /// What each step does is told by [`IndexChange`].
    ///
    /// # Errors
    /// [`StorageError`] where the outcome is unknown, or where nothing was sent.
    fn change_owner_index(
        &self,
        owner: &OwnerKey,
        change: &IndexChange,
    ) -> impl Future<Output = Result<OwnerIndex, StorageError>> + Send;

    /// What lies under a mark; `None` where there is none any more.
    ///
    /// Marks are no sessions: nothing else of this trait meets one. Visitors of another library move
    /// in by them; a storage that has none answers an error, which is what this does unless
    /// implemented.
    ///
    /// # Errors
    /// [`StorageError`] where the storage could not say.
    fn mark(
        &self,
        key: &MarkKey,
    ) -> impl Future<Output = Result<Option<Bytes>, StorageError>> + Send {
        let _ = key;
        async move { Err(no_marks(Operation::Load)) }
    }

    /// Leaves a mark for so long, unless there is one. Answers what lies there then: this content, or
    /// that of whoever came first. Nothing removes a mark before its time.
    ///
    /// # Errors
    /// [`StorageError`] where the outcome is unknown; it may be left again.
    fn leave_mark(
        &self,
        key: &MarkKey,
        content: &[u8],
        lifetime: Duration,
    ) -> impl Future<Output = Result<Bytes, StorageError>> + Send {
        let _ = (key, content, lifetime);
        async move { Err(no_marks(Operation::Commit)) }
    }

    /// What may be seen of several sessions, in the order in which they were asked for. Not for
    /// deciding whom a ticket lets in.
    ///
    /// [`Found::Nothing`] only where there certainly is no record, because its entry then leaves the
    /// owner's index. So this does not stand on [`SessionStorage::load`], which shows neither what is
    /// refused until its pending removal is carried out ([`Found::Ending`]) nor what may be over
    /// ([`Found::Over`]); a storage that wraps another one passes it on.
    ///
    /// # Errors
    /// [`StorageError`] where the storage could not say.
    fn facts(
        &self,
        sessions: &[SessionKey],
    ) -> impl Future<Output = Result<Vec<Found>, StorageError>> + Send;

    /// Goes one step on a walk over all sessions. Never on a request's path. A storage that cannot
    /// be walked over answers an error, which is what this does unless implemented.
    ///
    /// # Errors
    /// [`StorageError`] where the storage could not say, or does not know the position.
    fn walk(&self, position: &Position) -> impl Future<Output = Result<Page, StorageError>> + Send {
        let _ = position;
        async move {
            let message = "this storage cannot be walked over";
            Err(StorageError::new(StorageErrorKind::Backend, Operation::Walk, message))
        }
    }

    /// Removes those of these sessions that were created before a moment, and says how many that
    /// were, and how many could not be read and were left alone. For ending a great number of them, by
    /// pages of a walk: nothing is remembered, neither where the server cannot be reached nor for the
    /// case that a failover brings sessions back. So the caller repeats what was not confirmed, and walks
    /// once more after a failover.
    ///
    /// # Errors
    /// [`StorageError`] where the outcome is unknown: any of them may be gone. Where the removal of one
    /// is pending its kind is [`StorageErrorKind::Pending`](crate::StorageErrorKind::Pending).
    fn destroy_created_before(
        &self,
        sessions: &[SessionKey],
        moment: Timestamp,
    ) -> impl Future<Output = Result<DestroyedBefore, StorageError>> + Send {
        walk::destroy_created_before(self, sessions, moment)
    }

    /// Counts the sessions and reads the backend's figures. Never on a request's path: it may
    /// walk over everything.
    ///
    /// # Errors
    /// [`StorageError`] where the storage could not say.
    fn stats(&self) -> impl Future<Output = Result<StorageStats, StorageError>> + Send;

    /// Reads the backend's own figures without counting anything: what is cheap of that which
    /// [`stats`](SessionStorage::stats) answers. None unless implemented.
    ///
    /// # Errors
    /// [`StorageError`] where the storage could not say.
    fn backend_metrics(
        &self,
    ) -> impl Future<Output = Result<BTreeMap<String, String>, StorageError>> + Send {
        async { Ok(BTreeMap::new()) }
    }

    /// The storage's name in logs, metrics and statistics.
    fn backend_name(&self) -> &'static str;

    /// The idle timeout of a session that is set without one; 30 minutes unless configured.
    ///
    /// An engine that was given no policy uses it too; an engine with a policy of its own uses the
    /// policy's `idle_timeout`.
    fn default_ttl(&self) -> Duration {
        DEFAULT_TTL
    }

    /// How `get` compares fingerprints, and an engine whose policy names no mode of its own
    /// (`Policy::fingerprint` is `None`); soft unless configured.
    fn fingerprint_mode(&self) -> FingerprintMode {
        FingerprintMode::default()
    }

    /// How long an operation may take with all its exchanges and repetitions; `None` where there is
    /// no server to wait for. A `get`, a `set`, and a request that shows several tickets ask more
    /// than once, and end within it altogether.
    fn timeout(&self, operation: Operation) -> Option<Duration> {
        let _ = operation;
        None
    }

    /// How the storage is at this moment, without asking its server anything.
    fn health(&self) -> StorageHealth {
        StorageHealth::healthy(self.backend_name())
    }

    /// Tells the storage who wants to hear its own events: breakers, connections, removals that
    /// were carried out late. The engine's builder calls it with the engine's observer.
    fn observe_with(&self, observer: Arc<dyn Observer>) {
        drop(observer);
    }

    /// The largest record in bytes that is accepted; 64 KiB unless configured.
    fn max_session_bytes(&self) -> usize {
        DEFAULT_MAX_SESSION_BYTES
    }

    /// Finds the session that the application stored under `id`.
    ///
    /// `None` means that there is none, that it has expired, or that `fingerprint` does not match
    /// under the storage's [`FingerprintMode`]; a mismatch leaves the session as it is. When less
    /// than half of the idle timeout is left, the lifetime is renewed by a touch.
    ///
    /// # Errors
    /// [`StorageError`] where the storage could not say.
    fn get(
        &self,
        id: &str,
        fingerprint: Option<&SessionFingerprint>,
    ) -> impl Future<Output = Result<Option<SessionData>, StorageError>> + Send
    where
        Self: Sized,
    {
        direct::get(self, id, fingerprint)
    }

    /// Stores a session under `id`.
    ///
    /// New data ([`SessionData::new`]) replaces whatever is there. Data that came from
    /// [`SessionStorage::get`] is written as the changes that were made to it since, so that
    /// parallel writers keep each other's fields; if the session was deleted meanwhile it stays
    /// deleted. Data that was not changed is not written: its lifetime is renewed by a touch.
    ///
    /// After an error the outcome is unknown; where the data holds updates, find it again before
    /// you repeat them. One hot name is better written through an engine, which combines commits.
    ///
    /// `ttl` is the idle timeout; `None` means the storage's default. Such a session has no
    /// absolute deadline other than the one that its TTL gives anew with every `set`.
    ///
    /// # Errors
    /// [`SessionError::Gone`] where loaded data meets a session that was deleted or has expired;
    /// [`SessionError::TooLarge`]; [`SessionError::Storage`] where the outcome is unknown.
    fn set(
        &self,
        id: &str,
        data: &SessionData,
        ttl: impl Into<Option<Duration>> + Send,
    ) -> impl Future<Output = Result<(), SessionError>> + Send
    where
        Self: Sized,
    {
        let ttl = ttl.into();
        direct::set(self, id, data, ttl)
    }

    /// Deletes the session that the application stored under `id`; `true` where there was one.
    ///
    /// # Errors
    /// [`StorageError`] where the outcome is unknown, or where the removal is still to come; its
    /// kind is then [`StorageErrorKind::Pending`](crate::StorageErrorKind::Pending).
    fn delete(&self, id: &str) -> impl Future<Output = Result<bool, StorageError>> + Send
    where
        Self: Sized,
    {
        direct::delete(self, id)
    }

    /// Whether there is a live session under `id`. Does not count as activity.
    ///
    /// # Errors
    /// [`StorageError`] where the storage could not say.
    fn exists(&self, id: &str) -> impl Future<Output = Result<bool, StorageError>> + Send
    where
        Self: Sized,
    {
        direct::exists(self, id)
    }
}

fn no_marks(operation: Operation) -> StorageError {
    let message = "this storage keeps no marks, so nobody can move in";
    StorageError::new(StorageErrorKind::Backend, operation, message)
}
