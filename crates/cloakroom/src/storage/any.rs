//! [`AnyStorage`]: some storage behind one pointer. The only place where futures are boxed, so that
//! everything above a storage is free of type parameters.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{
    Destroyed, DestroyedBefore, Page, Position, SessionStorage, StorageHealth, StorageStats,
    Touched,
};
use crate::clock::Timestamp;
use crate::commit::{Commit, Committed};
use crate::error::{Operation, StorageError};
use crate::event::Observer;
use crate::facts::Found;
use crate::fingerprint::FingerprintMode;
use crate::index::{IndexChange, OwnerIndex};
use crate::mark::MarkKey;
use crate::owner::OwnerKey;
use crate::record::Record;
use crate::token::{SessionKey, VerifierHash};

/// A storage whose type is chosen at run time. Clones share it.
#[derive(Clone)]
pub struct AnyStorage(Arc<dyn ErasedStorage>);

impl AnyStorage {
    /// Puts a storage behind a pointer.
    pub fn new(storage: impl SessionStorage) -> Self {
        Self(Arc::new(storage))
    }
}

impl std::fmt::Debug for AnyStorage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AnyStorage({})", self.0.backend_name())
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StorageError>> + Send + 'a>>;

trait ErasedStorage: Send + Sync {
    fn load<'a>(&'a self, key: &'a SessionKey) -> Answer<'a, Option<Record>>;
    fn cached(&self, key: &SessionKey) -> Option<Record>;
    fn commit<'a>(&'a self, key: &'a SessionKey, commit: &'a Commit) -> Answer<'a, Committed>;
    fn touch<'a>(&'a self, key: &'a SessionKey) -> Answer<'a, Touched>;
    fn destroy<'a>(&'a self, key: &'a SessionKey) -> Answer<'a, Destroyed>;
    fn destroy_unseen<'a>(
        &'a self,
        key: &'a SessionKey,
        proof: &'a VerifierHash,
    ) -> Answer<'a, Destroyed>;
    fn owner_index<'a>(&'a self, owner: &'a OwnerKey) -> Answer<'a, OwnerIndex>;
    fn change_owner_index<'a>(
        &'a self,
        owner: &'a OwnerKey,
        change: &'a IndexChange,
    ) -> Answer<'a, OwnerIndex>;
    fn mark<'a>(&'a self, key: &'a MarkKey) -> Answer<'a, Option<Bytes>>;
    fn leave_mark<'a>(
        &'a self,
        key: &'a MarkKey,
        content: &'a [u8],
        lifetime: Duration,
    ) -> Answer<'a, Bytes>;
    fn facts<'a>(&'a self, sessions: &'a [SessionKey]) -> Answer<'a, Vec<Found>>;
    fn walk<'a>(&'a self, position: &'a Position) -> Answer<'a, Page>;
    fn destroy_created_before<'a>(
        &'a self,
        sessions: &'a [SessionKey],
        moment: Timestamp,
    ) -> Answer<'a, DestroyedBefore>;
    fn stats(&self) -> Answer<'_, StorageStats>;
    fn backend_metrics(&self) -> Answer<'_, BTreeMap<String, String>>;
    fn backend_name(&self) -> &'static str;
    fn default_ttl(&self) -> Duration;
    fn fingerprint_mode(&self) -> FingerprintMode;
    fn timeout(&self, operation: Operation) -> Option<Duration>;
    fn health(&self) -> StorageHealth;
    fn observe_with(&self, observer: Arc<dyn Observer>);
    fn max_session_bytes(&self) -> usize;
}

impl<S: SessionStorage> ErasedStorage for S {
    fn load<'a>(&'a self, key: &'a SessionKey) -> Answer<'a, Option<Record>> {
        Box::pin(SessionStorage::load(self, key))
    }

    fn cached(&self, key: &SessionKey) -> Option<Record> {
        SessionStorage::cached(self, key)
    }

    fn commit<'a>(&'a self, key: &'a SessionKey, commit: &'a Commit) -> Answer<'a, Committed> {
        Box::pin(SessionStorage::commit(self, key, commit))
    }

    fn touch<'a>(&'a self, key: &'a SessionKey) -> Answer<'a, Touched> {
        Box::pin(SessionStorage::touch(self, key))
    }

    fn destroy<'a>(&'a self, key: &'a SessionKey) -> Answer<'a, Destroyed> {
        Box::pin(SessionStorage::destroy(self, key))
    }

    fn destroy_unseen<'a>(
        &'a self,
        key: &'a SessionKey,
        proof: &'a VerifierHash,
    ) -> Answer<'a, Destroyed> {
        Box::pin(SessionStorage::destroy_unseen(self, key, proof))
    }

    fn owner_index<'a>(&'a self, owner: &'a OwnerKey) -> Answer<'a, OwnerIndex> {
        Box::pin(SessionStorage::owner_index(self, owner))
    }

    fn change_owner_index<'a>(
        &'a self,
        owner: &'a OwnerKey,
        change: &'a IndexChange,
    ) -> Answer<'a, OwnerIndex> {
        Box::pin(SessionStorage::change_owner_index(self, owner, change))
    }

    fn mark<'a>(&'a self, key: &'a MarkKey) -> Answer<'a, Option<Bytes>> {
        Box::pin(SessionStorage::mark(self, key))
    }

    fn leave_mark<'a>(
        &'a self,
        key: &'a MarkKey,
        content: &'a [u8],
        lifetime: Duration,
    ) -> Answer<'a, Bytes> {
        Box::pin(SessionStorage::leave_mark(self, key, content, lifetime))
    }

    fn facts<'a>(&'a self, sessions: &'a [SessionKey]) -> Answer<'a, Vec<Found>> {
        Box::pin(SessionStorage::facts(self, sessions))
    }

    fn walk<'a>(&'a self, position: &'a Position) -> Answer<'a, Page> {
        Box::pin(SessionStorage::walk(self, position))
    }

    fn destroy_created_before<'a>(
        &'a self,
        sessions: &'a [SessionKey],
        moment: Timestamp,
    ) -> Answer<'a, DestroyedBefore> {
        Box::pin(SessionStorage::destroy_created_before(self, sessions, moment))
    }

    fn stats(&self) -> Answer<'_, StorageStats> {
        Box::pin(SessionStorage::stats(self))
    }

    fn backend_metrics(&self) -> Answer<'_, BTreeMap<String, String>> {
        Box::pin(SessionStorage::backend_metrics(self))
    }

    fn backend_name(&self) -> &'static str {
        SessionStorage::backend_name(self)
    }

    fn default_ttl(&self) -> Duration {
        SessionStorage::default_ttl(self)
    }

    fn fingerprint_mode(&self) -> FingerprintMode {
        SessionStorage::fingerprint_mode(self)
    }

    fn timeout(&self, operation: Operation) -> Option<Duration> {
        SessionStorage::timeout(self, operation)
    }

    fn health(&self) -> StorageHealth {
        SessionStorage::health(self)
    }

    fn observe_with(&self, observer: Arc<dyn Observer>) {
        SessionStorage::observe_with(self, observer);
    }

    fn max_session_bytes(&self) -> usize {
        SessionStorage::max_session_bytes(self)
    }
}

impl SessionStorage for AnyStorage {
    async fn load(&self, key: &SessionKey) -> Result<Option<Record>, StorageError> {
        self.0.load(key).await
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
    ) -> Result<DestroyedBefore, StorageError> {
        self.0.destroy_created_before(sessions, moment).await
    }

    async fn stats(&self) -> Result<StorageStats, StorageError> {
        self.0.stats().await
    }

    async fn backend_metrics(&self) -> Result<BTreeMap<String, String>, StorageError> {
        self.0.backend_metrics().await
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
