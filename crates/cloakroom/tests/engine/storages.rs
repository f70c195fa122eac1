//! Storages that misbehave on command.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloakroom::{
    Commit, Committed, Destroyed, Found, IndexChange, MemorySessionStorage, Operation, OwnerIndex,
    OwnerKey, Record, SessionKey, SessionStorage, StorageError, StorageErrorKind, StorageStats,
    Touched,
};
use tokio::sync::Semaphore;

/// Memory that can be told to fail, and whose commits can be held up. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Moody {
    memory: MemorySessionStorage,
    failing: Arc<AtomicBool>,
    gate: Arc<Semaphore>,
    /// Commits that have arrived at the gate.
    arrived: Arc<AtomicUsize>,
}

impl Moody {
    pub(crate) fn new(memory: MemorySessionStorage) -> Self {
        let gate = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        Self { memory, failing: Arc::default(), gate, arrived: Arc::default() }
    }

    pub(crate) fn fail(&self, failing: bool) {
        self.failing.store(failing, Ordering::SeqCst);
    }

    /// From now on commits wait.
    pub(crate) fn close_gate(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn open_gate(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS);
    }

    /// Waits until so many commits have come to the gate since the storage was made.
    pub(crate) async fn arrivals(&self, wanted: usize) {
        while self.arrived.load(Ordering::SeqCst) < wanted {
            tokio::task::yield_now().await;
        }
    }

    fn answer(&self, operation: Operation) -> Result<(), StorageError> {
        if self.failing.load(Ordering::SeqCst) {
            let kind = StorageErrorKind::Unavailable;
            return Err(StorageError::new(kind, operation, "out for lunch"));
        }
        Ok(())
    }
}

impl SessionStorage for Moody {
    async fn load(&self, key: &SessionKey) -> Result<Option<Record>, StorageError> {
        self.answer(Operation::Load)?;
        self.memory.load(key).await
    }

    async fn commit(&self, key: &SessionKey, commit: &Commit) -> Result<Committed, StorageError> {
        self.answer(Operation::Commit)?;
        self.arrived.fetch_add(1, Ordering::SeqCst);
        let _passed = self.gate.acquire().await.expect("the gate is never removed");
        self.memory.commit(key, commit).await
    }

    async fn touch(&self, key: &SessionKey) -> Result<Touched, StorageError> {
        self.answer(Operation::Touch)?;
        self.memory.touch(key).await
    }

    async fn destroy(&self, key: &SessionKey) -> Result<Destroyed, StorageError> {
        self.answer(Operation::Destroy)?;
        self.memory.destroy(key).await
    }

    async fn owner_index(&self, owner: &OwnerKey) -> Result<OwnerIndex, StorageError> {
        self.answer(Operation::Index)?;
        self.memory.owner_index(owner).await
    }

    async fn change_owner_index(
        &self,
        owner: &OwnerKey,
        change: &IndexChange,
    ) -> Result<OwnerIndex, StorageError> {
        self.answer(Operation::Index)?;
        self.memory.change_owner_index(owner, change).await
    }

    async fn facts(&self, sessions: &[SessionKey]) -> Result<Vec<Found>, StorageError> {
        self.answer(Operation::Facts)?;
        self.memory.facts(sessions).await
    }

    async fn stats(&self) -> Result<StorageStats, StorageError> {
        self.answer(Operation::Stats)?;
        self.memory.stats().await
    }

    fn backend_name(&self) -> &'static str {
        "moody"
    }

    fn max_session_bytes(&self) -> usize {
        self.memory.max_session_bytes()
    }
}

/// Memory whose removals take a while.
pub(crate) struct SlowToRemove {
    pub(crate) memory: MemorySessionStorage,
    pub(crate) takes: Duration,
}

impl SessionStorage for SlowToRemove {
    cloakroom_testkit::pass_on! {
        [memory] load commit touch owner_index change_owner_index facts stats
    }

    async fn destroy(&self, key: &SessionKey) -> Result<Destroyed, StorageError> {
        tokio::time::sleep(self.takes).await;
        self.memory.destroy(key).await
    }

    fn backend_name(&self) -> &'static str {
        "slow to remove"
    }
}

/// Memory whose indexes and commits take their time, and whose indexes fail after so many steps.
pub(crate) struct SickIndexes {
    pub(crate) memory: MemorySessionStorage,
    pub(crate) step_takes: Duration,
    pub(crate) commit_takes: Duration,
    pub(crate) steps_left: AtomicUsize,
}

impl SessionStorage for SickIndexes {
    cloakroom_testkit::pass_on! {
        [memory] load touch destroy owner_index facts stats
    }

    async fn commit(&self, key: &SessionKey, commit: &Commit) -> Result<Committed, StorageError> {
        tokio::time::sleep(self.commit_takes).await;
        self.memory.commit(key, commit).await
    }

    async fn change_owner_index(
        &self,
        owner: &OwnerKey,
        change: &IndexChange,
    ) -> Result<OwnerIndex, StorageError> {
        tokio::time::sleep(self.step_takes).await;
        let left = |left: usize| left.checked_sub(1);
        if self.steps_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_err() {
            let kind = StorageErrorKind::Unavailable;
            return Err(StorageError::new(kind, Operation::Index, "out for lunch"));
        }
        self.memory.change_owner_index(owner, change).await
    }

    fn backend_name(&self) -> &'static str {
        "sick indexes"
    }
}

/// Memory whose answer to an entry into an index is lost on command. Clones are the same one.
#[derive(Clone)]
pub(crate) struct LosesAnEntry {
    pub(crate) memory: MemorySessionStorage,
    pub(crate) next: Arc<AtomicBool>,
}

impl SessionStorage for LosesAnEntry {
    cloakroom_testkit::pass_on! {
        [memory] load commit touch destroy owner_index facts stats backend_name
    }

    async fn change_owner_index(
        &self,
        owner: &OwnerKey,
        change: &IndexChange,
    ) -> Result<OwnerIndex, StorageError> {
        let index = self.memory.change_owner_index(owner, change).await?;
        let is_entry = matches!(change, IndexChange::Enter { .. });
        if is_entry && self.next.swap(false, Ordering::SeqCst) {
            let kind = StorageErrorKind::Unavailable;
            return Err(StorageError::new(kind, Operation::Index, "the answer is lost"));
        }
        Ok(index)
    }
}

/// Memory whose index takes its time for each step and never lets go of an entry: as if another one came
/// each time.
pub(crate) struct KeepsWhatIsOver {
    pub(crate) memory: MemorySessionStorage,
    pub(crate) step: Duration,
    pub(crate) promises: Duration,
}

impl SessionStorage for KeepsWhatIsOver {
    cloakroom_testkit::pass_on! {
        [memory] load commit touch destroy owner_index facts stats backend_name
    }

    async fn change_owner_index(
        &self,
        owner: &OwnerKey,
        change: &IndexChange,
    ) -> Result<OwnerIndex, StorageError> {
        tokio::time::sleep(self.step).await;
        match change {
            IndexChange::Remove(_) => self.memory.owner_index(owner).await,
            change => self.memory.change_owner_index(owner, change).await,
        }
    }

    fn timeout(&self, operation: Operation) -> Option<Duration> {
        (operation == Operation::Index).then_some(self.promises)
    }
}

/// Memory that shows sessions as the test says. Clones are the same one.
#[derive(Clone)]
pub(crate) struct ShowsOtherwise {
    memory: MemorySessionStorage,
    otherwise: Arc<Mutex<HashMap<SessionKey, Show>>>,
}

type Show = fn(Found) -> Found;

impl ShowsOtherwise {
    pub(crate) fn new(memory: MemorySessionStorage) -> Self {
        Self { memory, otherwise: Arc::default() }
    }

    /// From now on what is found of this session is shown as that.
    pub(crate) fn show(&self, session: SessionKey, otherwise: Show) {
        self.otherwise.lock().unwrap().insert(session, otherwise);
    }
}

impl SessionStorage for ShowsOtherwise {
    cloakroom_testkit::pass_on! {
        [memory] load commit touch destroy owner_index change_owner_index stats backend_name
    }

    async fn facts(&self, sessions: &[SessionKey]) -> Result<Vec<Found>, StorageError> {
        let found = self.memory.facts(sessions).await?;
        let otherwise = self.otherwise.lock().unwrap();
        let shown = sessions.iter().zip(found).map(|(session, found)| {
            otherwise.get(session).map_or_else(|| found.clone(), |show| show(found.clone()))
        });
        Ok(shown.collect())
    }
}

/// Memory that shows every session as one that is ending, for so many looks. Clones are the same one.
#[derive(Clone)]
pub(crate) struct SlowToShow {
    pub(crate) memory: MemorySessionStorage,
    pub(crate) looks: Arc<AtomicUsize>,
}

impl SessionStorage for SlowToShow {
    cloakroom_testkit::pass_on! {
        [memory] load commit touch destroy owner_index change_owner_index stats backend_name
    }

    async fn facts(&self, sessions: &[SessionKey]) -> Result<Vec<Found>, StorageError> {
        let left = |left: usize| left.checked_sub(1);
        if self.looks.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_ok() {
            return Ok(vec![Found::Ending; sessions.len()]);
        }
        self.memory.facts(sessions).await
    }
}
