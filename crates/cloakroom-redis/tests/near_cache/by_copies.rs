//! [`ByCopies`]: a storage whose loads are answered by its near-cache's copies, as those of a request
//! are, so that laws which are about loads hold for copies too.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cloakroom::{
    Commit, Committed, Destroyed, FingerprintMode, Found, IndexChange, MarkKey, Observer,
    Operation, OwnerIndex, OwnerKey, Page, Position, Record, SessionKey, SessionStorage,
    StorageError, StorageHealth, StorageStats, Timestamp, Touched, VerifierHash,
};
use cloakroom_redis::RedisSessionStorage;

pub(crate) struct ByCopies(pub(crate) RedisSessionStorage);

impl SessionStorage for ByCopies {
    async fn load(&self, key: &SessionKey) -> Result<Option<Record>, StorageError> {
        match self.0.cached(key) {
            None => self.0.load(key).await,
            copy => Ok(copy),
        }
    }

    fn cached(&self, key: &SessionKey) -> Option<Record> {
        self.0.cached(key)
    }

    async fn commit(&self, key: &SessionKey, commit: &Commit) -> Result<Committed, StorageError> {
        self.0.commit(key, commit).await
    }

    async fn touch(&self, key: &SessionKey) -> Result<Touched, StorageError> {
        self.0.touch(key).await
    }

    async fn destroy(&self, key: &SessionKey) -> Result<Destroyed, StorageError> {
        self.0.destroy(key).await
    }

    async fn destroy_unseen(
        &self,
        key: &SessionKey,
        proof: &VerifierHash,
    ) -> Result<Destroyed, StorageError> {
        self.0.destroy_unseen(key, proof).await
    }

    async fn owner_index(&self, owner: &OwnerKey) -> Result<OwnerIndex, StorageError> {
        self.0.owner_index(owner).await
    }

    async fn change_owner_index(
        &self,
        owner: &OwnerKey,
        change: &IndexChange,
    ) -> Result<OwnerIndex, StorageError> {
        self.0.change_owner_index(owner, change).await
    }

    async fn mark(&self, key: &MarkKey) -> Result<Option<Bytes>, StorageError> {
        self.0.mark(key).await
    }

    async fn leave_mark(
        &self,
        key: &MarkKey,
        content: &[u8],
        lifetime: Duration,
    ) -> Result<Bytes, StorageError> {
        self.0.leave_mark(key, content, lifetime).await
    }

    async fn facts(&self, sessions: &[SessionKey]) -> Result<Vec<Found>, StorageError> {
        self.0.facts(sessions).await
    }

    async fn walk(&self, position: &Position) -> Result<Page, StorageError> {
        self.0.walk(position).await
    }

    async fn destroy_created_before(
        &self,
        sessions: &[SessionKey],
        moment: Timestamp,
    ) -> Result<usize, StorageError> {
        self.0.destroy_created_before(sessions, moment).await
    }

    async fn stats(&self) -> Result<StorageStats, StorageError> {
        self.0.stats().await
    }

    fn backend_name(&self) -> &'static str {
        self.0.backend_name()
    }

    fn default_ttl(&self) -> Duration {
        self.0.default_ttl()
    }

    fn fingerprint_mode(&self) -> FingerprintMode {
        self.0.fingerprint_mode()
    }

    fn timeout(&self, operation: Operation) -> Option<Duration> {
        self.0.timeout(operation)
    }

    fn health(&self) -> StorageHealth {
        self.0.health()
    }

    fn observe_with(&self, observer: Arc<dyn Observer>) {
        self.0.observe_with(observer);
    }

    fn max_session_bytes(&self) -> usize {
        self.0.max_session_bytes()
    }
}
