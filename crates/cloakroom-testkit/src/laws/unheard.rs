//! [`Unheard`]: a storage that carries a commit out and cannot say so, as when the answer is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cloakroom::{
    AnyStorage, Commit, Committed, Destroyed, FingerprintMode, Found, IndexChange, Operation,
    OwnerIndex, OwnerKey, Record, SessionKey, SessionStorage, StorageError, StorageErrorKind,
    StorageStats, Touched, VerifierHash,
};

#[derive(Clone)]
pub(super) struct Unheard {
    storage: AnyStorage,
    loses: Arc<AtomicBool>,
}

impl Unheard {
    pub(super) fn new(storage: AnyStorage) -> Self {
        Self { storage, loses: Arc::default() }
    }

    /// The answer to the next commit is lost.
    pub(super) fn lose_the_next(&self) {
        self.loses.store(true, Ordering::SeqCst);
    }
}

impl SessionStorage for Unheard {
    async fn load(&self, key: &SessionKey) -> Result<Option<Record>, StorageError> {
        self.storage.load(key).await
    }

    async fn commit(&self, key: &SessionKey, commit: &Commit) -> Result<Committed, StorageError> {
        let committed = self.storage.commit(key, commit).await?;
        if self.loses.swap(false, Ordering::SeqCst) {
            let (kind, message) = (StorageErrorKind::Unavailable, "the answer was lost");
            return Err(StorageError::new(kind, Operation::Commit, message));
        }
        Ok(committed)
    }

    async fn touch(&self, key: &SessionKey) -> Result<Touched, StorageError> {
        self.storage.touch(key).await
    }

    async fn destroy(&self, key: &SessionKey) -> Result<Destroyed, StorageError> {
        self.storage.destroy(key).await
    }

    async fn destroy_unseen(
        &self,
        key: &SessionKey,
        proof: &VerifierHash,
    ) -> Result<Destroyed, StorageError> {
        self.storage.destroy_unseen(key, proof).await
    }

    async fn owner_index(&self, owner: &OwnerKey) -> Result<OwnerIndex, StorageError> {
        self.storage.owner_index(owner).await
    }

    async fn change_owner_index(
        &self,
        owner: &OwnerKey,
        change: &IndexChange,
    ) -> Result<OwnerIndex, StorageError> {
        self.storage.change_owner_index(owner, change).await
    }

    async fn facts(&self, sessions: &[SessionKey]) -> Result<Vec<Found>, StorageError> {
        self.storage.facts(sessions).await
    }

    async fn stats(&self) -> Result<StorageStats, StorageError> {
        self.storage.stats().await
    }

    fn backend_name(&self) -> &'static str {
        self.storage.backend_name()
    }

    fn fingerprint_mode(&self) -> FingerprintMode {
        self.storage.fingerprint_mode()
    }

    fn timeout(&self, operation: Operation) -> Option<Duration> {
        self.storage.timeout(operation)
    }
}
