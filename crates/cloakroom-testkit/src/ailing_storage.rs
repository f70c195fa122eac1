//! [`AilingStorage`]: memory behind a server that is ill on command, for tests of what an application
//! does in an outage. Nothing but the test decides when it falls ill and when it recovers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use cloakroom::{
    Commit, Committed, ConnectionHealth, ConnectionState, Destroyed, Found, IndexChange, MarkKey,
    MemorySessionStorage, NodeHealth, Operation, OwnerIndex, OwnerKey, Record, SessionKey,
    SessionStorage, StorageError, StorageErrorKind, StorageHealth, StorageStats, Touched,
    VerifierHash,
};

/// How the server takes one kind of command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Every command is carried out.
    Well,
    /// Every command is an error at once.
    Down,
    /// No command is ever answered, and the storage does not keep its own timeout.
    Silent,
}

/// What becomes of a removal that the server does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// It is pending.
    Free,
    /// It is an error.
    Full,
}

/// A storage in memory whose server can be made ill. Clones are the same one.
///
/// It takes removals on while the server takes no writes, and refuses their records from then on, as
/// a storage over a network does.
///
/// ```
/// use cloakroom::{Engine, HealthStatus};
/// use cloakroom_testkit::{AilingStorage, Mood};
///
/// let storage = AilingStorage::default();
/// let engine = Engine::builder(storage.clone()).build()?;
/// storage.reads(Mood::Down);
/// assert_eq!(engine.health().status, HealthStatus::Unavailable);
/// # Ok::<(), cloakroom::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct AilingStorage {
    memory: MemorySessionStorage,
    timeout: Option<Duration>,
    server: Arc<Mutex<Server>>,
}

struct Server {
    reads: Mood,
    writes: Mood,
    room: Room,
    /// Removals that wait, with the verifier that the record must have where it was not looked at.
    pending: HashMap<SessionKey, Option<VerifierHash>>,
}

impl AilingStorage {
    /// A storage that is well, and keeps its records in `memory`.
    pub fn new(memory: MemorySessionStorage) -> Self {
        let (reads, writes) = (Mood::Well, Mood::Well);
        let server = Server { reads, writes, room: Room::Free, pending: HashMap::new() };
        Self { memory, timeout: None, server: Arc::new(Mutex::new(server)) }
    }

    /// The same, with a timeout that it promises for every operation and does not keep where its
    /// server is silent.
    #[must_use]
    pub fn promising(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How the server takes loads from now on.
    pub fn reads(&self, mood: Mood) {
        self.server().reads = mood;
    }

    /// How the server takes commits, touches and removals from now on.
    pub fn writes(&self, mood: Mood) {
        self.server().writes = mood;
    }

    /// What becomes of removals that the server does not take from now on.
    pub fn journal(&self, room: Room) {
        self.server().room = room;
    }

    /// The server is well again, and everything that was pending is carried out.
    pub async fn recover(&self) {
        let pending = {
            let mut server = self.server();
            (server.reads, server.writes) = (Mood::Well, Mood::Well);
            std::mem::take(&mut server.pending)
        };
        for (key, proof) in pending {
            // Memory never fails.
            let _ = match proof {
                Some(proof) => self.memory.destroy_unseen(&key, &proof).await,
                None => self.memory.destroy(&key).await,
            };
        }
    }

    fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuses(&self, key: &SessionKey) -> bool {
        self.server().pending.get(key).is_some_and(Option::is_none)
    }

    /// Takes a removal on that the server does not take.
    fn keep(
        &self,
        error: StorageError,
        key: &SessionKey,
        proof: Option<VerifierHash>,
    ) -> Result<Destroyed, StorageError> {
        let mut server = self.server();
        if server.room == Room::Full {
            return Err(error);
        }
        server.pending.insert(*key, proof);
        Ok(Destroyed::Pending)
    }

    async fn answer(&self, operation: Operation) -> Result<(), StorageError> {
        let mood = {
            let server = self.server();
            if operation == Operation::Load { server.reads } else { server.writes }
        };
        match mood {
            Mood::Well => Ok(()),
            Mood::Down => {
                let kind = StorageErrorKind::Unavailable;
                Err(StorageError::new(kind, operation, "out for lunch"))
            }
            Mood::Silent => std::future::pending().await,
        }
    }
}

impl Default for AilingStorage {
    fn default() -> Self {
        Self::new(MemorySessionStorage::new())
    }
}

impl std::fmt::Debug for AilingStorage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let server = self.server();
        f.debug_struct("AilingStorage")
            .field("reads", &server.reads)
            .field("writes", &server.writes)
            .finish_non_exhaustive()
    }
}

impl SessionStorage for AilingStorage {
    async fn load(&self, key: &SessionKey) -> Result<Option<Record>, StorageError> {
        if self.refuses(key) {
            return Ok(None);
        }
        self.answer(Operation::Load).await?;
        let found = self.memory.load(key).await?;
        let unseen = self.server().pending.get(key).copied().flatten();
        Ok(found.filter(|record| unseen.is_none_or(|proof| !record.accepts(&proof))))
    }

    async fn commit(&self, key: &SessionKey, commit: &Commit) -> Result<Committed, StorageError> {
        if self.server().pending.contains_key(key) {
            return Ok(Committed::Gone);
        }
        self.answer(Operation::Commit).await?;
        self.memory.commit(key, commit).await
    }

    async fn touch(&self, key: &SessionKey) -> Result<Touched, StorageError> {
        self.answer(Operation::Touch).await?;
        self.memory.touch(key).await
    }

    async fn destroy(&self, key: &SessionKey) -> Result<Destroyed, StorageError> {
        match self.answer(Operation::Destroy).await {
            Ok(()) => self.memory.destroy(key).await,
            Err(error) => self.keep(error, key, None),
        }
    }

    async fn destroy_unseen(
        &self,
        key: &SessionKey,
        proof: &VerifierHash,
    ) -> Result<Destroyed, StorageError> {
        match self.answer(Operation::Destroy).await {
            Ok(()) => self.memory.destroy_unseen(key, proof).await,
            Err(error) => self.keep(error, key, Some(*proof)),
        }
    }

    async fn owner_index(&self, owner: &OwnerKey) -> Result<OwnerIndex, StorageError> {
        // A read, which a server that takes no writes answers.
        self.answer(Operation::Load).await?;
        self.memory.owner_index(owner).await
    }

    async fn change_owner_index(
        &self,
        owner: &OwnerKey,
        change: &IndexChange,
    ) -> Result<OwnerIndex, StorageError> {
        self.answer(Operation::Index).await?;
        self.memory.change_owner_index(owner, change).await
    }

    async fn mark(&self, key: &MarkKey) -> Result<Option<Bytes>, StorageError> {
        self.answer(Operation::Load).await?;
        self.memory.mark(key).await
    }

    async fn leave_mark(
        &self,
        key: &MarkKey,
        content: &[u8],
        lifetime: Duration,
    ) -> Result<Bytes, StorageError> {
        self.answer(Operation::Commit).await?;
        self.memory.leave_mark(key, content, lifetime).await
    }

    async fn facts(&self, sessions: &[SessionKey]) -> Result<Vec<Found>, StorageError> {
        self.answer(Operation::Load).await?;
        let mut found = self.memory.facts(sessions).await?;
        for (session, found) in sessions.iter().zip(&mut found) {
            if self.refuses(session) && *found != Found::Nothing {
                *found = Found::Ending;
            }
        }
        Ok(found)
    }

    async fn stats(&self) -> Result<StorageStats, StorageError> {
        self.memory.stats().await
    }

    fn backend_name(&self) -> &'static str {
        "ailing"
    }

    fn timeout(&self, _: Operation) -> Option<Duration> {
        self.timeout
    }

    fn health(&self) -> StorageHealth {
        let server = self.server();
        let state =
            if server.reads == Mood::Well { ConnectionState::Live } else { ConnectionState::Down };
        let mut node = NodeHealth::new("ward:1");
        node.connections = vec![ConnectionHealth::new(state)];
        StorageHealth::of_nodes("ailing", vec![node], server.pending.len(), Vec::new())
    }
}
