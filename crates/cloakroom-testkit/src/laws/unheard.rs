//! [`Unheard`]: a storage that carries a commit out and cannot say so, as when the answer is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cloakroom::{
    AnyStorage, Commit, Committed, Operation, SessionKey, SessionStorage, StorageError,
    StorageErrorKind,
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
    crate::pass_on! {
        [storage] load touch destroy destroy_unseen owner_index change_owner_index facts stats
        backend_name fingerprint_mode timeout
    }

    async fn commit(&self, key: &SessionKey, commit: &Commit) -> Result<Committed, StorageError> {
        let committed = self.storage.commit(key, commit).await?;
        if self.loses.swap(false, Ordering::SeqCst) {
            let (kind, message) = (StorageErrorKind::Unavailable, "the answer was lost");
            return Err(StorageError::new(kind, Operation::Commit, message));
        }
        Ok(committed)
    }
}
