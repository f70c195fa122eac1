//! [`Cached`]: the records with the near-cache in front of them, where there is one. The storage
//! stands on it, and the journal repeats removals by it, so that no write goes by the cache.

use std::sync::Arc;

use cloakroom::{
    Commit, Committed, Destroyed, NearCacheHealth, Record, SessionKey, StorageError, Touched,
    VerifierHash,
};

use super::cache::Cache;
use crate::connection::Watch;
use crate::journal::{Meant, Remove};
use crate::records::Records;

#[derive(Debug)]
pub(crate) struct Cached {
    pub(crate) records: Records,
    cache: Option<Arc<Cache>>,
}

impl Cached {
    pub(crate) fn new(records: Records, cache: Option<Arc<Cache>>) -> Self {
        Self { records, cache }
    }

    /// A copy that may be served at this moment.
    pub(crate) fn copy(&self, key: &SessionKey) -> Option<Record> {
        self.cache.as_ref()?.get(key)
    }

    /// There shall be no copy of this record.
    pub(crate) fn forget(&self, key: &SessionKey) {
        if let Some(cache) = &self.cache {
            cache.forget(key);
        }
    }

    /// There shall be no copy at all.
    pub(crate) fn clear(&self) {
        if let Some(cache) = &self.cache {
            cache.clear();
        }
    }

    pub(crate) fn health(&self) -> Option<NearCacheHealth> {
        self.cache.as_ref().map(|cache| cache.health())
    }

    /// What the server has. It is kept for the next reader.
    pub(crate) async fn load(&self, key: &SessionKey) -> Result<Option<Record>, StorageError> {
        let read = self.cache.as_ref().map(|cache| cache.read(key));
        let watch = read.as_ref().map(|read| read as &dyn Watch);
        let found = self.records.load(key, watch).await?;
        if let (Some(read), Some(record)) = (read, &found) {
            read.found(record);
        }
        Ok(found)
    }

    pub(crate) async fn commit(
        &self,
        key: &SessionKey,
        commit: &Commit,
    ) -> Result<Committed, StorageError> {
        let write = self.cache.as_ref().map(|cache| cache.write(key));
        let watch = write.as_ref().map(|write| write as &dyn Watch);
        let outcome = self.records.commit(key, commit, watch).await?;
        if let (Some(write), Committed::Applied { as_of, .. }) = (write, &outcome) {
            write.applied(*as_of);
        }
        Ok(outcome)
    }

    pub(crate) async fn touch(&self, key: &SessionKey) -> Result<Touched, StorageError> {
        let write = self.cache.as_ref().map(|cache| cache.write(key));
        self.records.touch(key, write.as_ref().map(|write| write as &dyn Watch)).await
    }

    pub(crate) async fn remove(&self, key: &SessionKey) -> Result<Destroyed, StorageError> {
        let write = self.cache.as_ref().map(|cache| cache.write(key));
        self.records.remove(key, write.as_ref().map(|write| write as &dyn Watch)).await
    }

    /// Removes a record that was never looked at, if a ticket with this proof opens it.
    pub(crate) async fn remove_unseen(
        &self,
        key: &SessionKey,
        proof: &VerifierHash,
    ) -> Result<Destroyed, StorageError> {
        let write = self.cache.as_ref().map(|cache| cache.write(key));
        let watch = write.as_ref().map(|write| write as &dyn Watch);
        self.records.remove_unseen(key, proof, watch).await
    }
}

impl Remove for Cached {
    async fn remove(&self, key: &SessionKey, meant: &Meant) -> Result<bool, StorageError> {
        let write = self.cache.as_ref().map(|cache| cache.write(key));
        let watch = write.as_ref().map(|write| write as &dyn Watch);
        self.records.remove_meant(key, meant, watch).await
    }
}
