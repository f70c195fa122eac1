//! [`Ailing`]: memory behind a server that can be ill in every way that matters to the engine, with
//! a journal of removals as a storage over a network has one.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloakroom::{
    Commit, Committed, ConnectionHealth, ConnectionState, Destroyed, MemorySessionStorage,
    NodeHealth, Operation, Record, SessionKey, SessionStorage, StorageError, StorageErrorKind,
    StorageHealth, StorageStats, Touched,
};
use cloakroom_testkit::ManualClock;

use crate::house::House;

/// How the server is for one kind of command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// Every command is an error at once.
    Down,
    /// No command is ever answered, and the storage does not keep its own timeout.
    Silent,
}

/// What becomes of a removal that the server does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// It is pending.
    Free,
    /// It is an error.
    Full,
}

/// Clones are the same one.
#[derive(Clone)]
pub(crate) struct Ailing {
    memory: MemorySessionStorage,
    timeout: Option<Duration>,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    reads: Mood,
    writes: Mood,
    room: Room,
    pending: HashSet<SessionKey>,
}

impl Ailing {
    pub(crate) fn new(memory: MemorySessionStorage) -> Self {
        let (reads, writes) = (Mood::Well, Mood::Well);
        let inner = Inner { reads, writes, room: Room::Free, pending: HashSet::new() };
        Self { memory, timeout: None, inner: Arc::new(Mutex::new(inner)) }
    }

    /// A house on a storage that is well for now.
    pub(crate) fn house(change: impl FnOnce(&mut cloakroom::Policy)) -> (House, Self) {
        let clock = ManualClock::new();
        let memory = MemorySessionStorage::builder().clock(clock.clone()).build().unwrap();
        let ailing = Self::new(memory);
        (House::on(ailing.clone(), clock, change), ailing)
    }

    /// The same, with a timeout that it promises for every operation.
    pub(crate) fn promising(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    pub(crate) fn reads(&self, mood: Mood) {
        self.inner.lock().unwrap().reads = mood;
    }

    pub(crate) fn writes(&self, mood: Mood) {
        self.inner.lock().unwrap().writes = mood;
    }

    pub(crate) fn journal(&self, room: Room) {
        self.inner.lock().unwrap().room = room;
    }

    /// The server is well again, and everything that was pending is carried out.
    pub(crate) async fn recover(&self) {
        let pending = {
            let mut inner = self.inner.lock().unwrap();
            (inner.reads, inner.writes) = (Mood::Well, Mood::Well);
            std::mem::take(&mut inner.pending)
        };
        for key in pending {
            let _ = self.memory.destroy(&key).await.unwrap();
        }
    }

    fn refuses(&self, key: &SessionKey) -> bool {
        self.inner.lock().unwrap().pending.contains(key)
    }

    async fn answer(&self, operation: Operation) -> Result<(), StorageError> {
        let mood = {
            let inner = self.inner.lock().unwrap();
            if operation == Operation::Load { inner.reads } else { inner.writes }
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

impl SessionStorage for Ailing {
    async fn load(&self, key: &SessionKey) -> Result<Option<Record>, StorageError> {
        if self.refuses(key) {
            return Ok(None);
        }
        self.answer(Operation::Load).await?;
        self.memory.load(key).await
    }

    async fn commit(&self, key: &SessionKey, commit: &Commit) -> Result<Committed, StorageError> {
        if self.refuses(key) {
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
            Err(error) => {
                let mut inner = self.inner.lock().unwrap();
                if inner.room == Room::Full {
                    return Err(error);
                }
                inner.pending.insert(*key);
                Ok(Destroyed::Pending)
            }
        }
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
        let inner = self.inner.lock().unwrap();
        let state =
            if inner.reads == Mood::Well { ConnectionState::Live } else { ConnectionState::Down };
        let mut node = NodeHealth::new("ward:1");
        node.connections = vec![ConnectionHealth::new(state)];
        StorageHealth::of_nodes("ailing", vec![node], inner.pending.len(), Vec::new())
    }
}
