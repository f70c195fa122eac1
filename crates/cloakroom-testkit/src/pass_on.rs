//! [`pass_on!`](crate::pass_on): what a storage in front of another one does not do itself.

/// Writes the methods of a [`SessionStorage`](cloakroom::SessionStorage) that only pass their call on to
/// another storage, which lies in this field. For storages in front of another one that misbehave, count
/// or wait in some of their methods.
///
/// ```
/// use cloakroom::{Destroyed, MemorySessionStorage, SessionKey, SessionStorage, StorageError};
///
/// /// Memory that forgets nobody.
/// struct Elephant {
///     memory: MemorySessionStorage,
/// }
///
/// impl SessionStorage for Elephant {
///     cloakroom_testkit::pass_on! {
///         [memory] load commit touch owner_index change_owner_index facts stats backend_name
///     }
///
///     async fn destroy(&self, _: &SessionKey) -> Result<Destroyed, StorageError> {
///         Ok(Destroyed::Pending)
///     }
/// }
/// ```
#[macro_export]
macro_rules! pass_on {
    (@ load [$($inner:tt)+]) => {
        async fn load(&self, key: &::cloakroom::SessionKey) -> ::std::result::Result<Option<::cloakroom::Record>, ::cloakroom::StorageError> {
            ::cloakroom::SessionStorage::load(&self.$($inner)+, key).await
        }
    };
    (@ cached [$($inner:tt)+]) => {
        fn cached(&self, key: &::cloakroom::SessionKey) -> Option<::cloakroom::Record> {
            ::cloakroom::SessionStorage::cached(&self.$($inner)+, key)
        }
    };
    (@ commit [$($inner:tt)+]) => {
        async fn commit(&self, key: &::cloakroom::SessionKey, commit: &::cloakroom::Commit) -> ::std::result::Result<::cloakroom::Committed, ::cloakroom::StorageError> {
            ::cloakroom::SessionStorage::commit(&self.$($inner)+, key, commit).await
        }
    };
    (@ touch [$($inner:tt)+]) => {
        async fn touch(&self, key: &::cloakroom::SessionKey) -> ::std::result::Result<::cloakroom::Touched, ::cloakroom::StorageError> {
            ::cloakroom::SessionStorage::touch(&self.$($inner)+, key).await
        }
    };
    (@ destroy [$($inner:tt)+]) => {
        async fn destroy(&self, key: &::cloakroom::SessionKey) -> ::std::result::Result<::cloakroom::Destroyed, ::cloakroom::StorageError> {
            ::cloakroom::SessionStorage::destroy(&self.$($inner)+, key).await
        }
    };
    (@ destroy_unseen [$($inner:tt)+]) => {
        async fn destroy_unseen(&self, key: &::cloakroom::SessionKey, proof: &::cloakroom::VerifierHash) -> ::std::result::Result<::cloakroom::Destroyed, ::cloakroom::StorageError> {
            ::cloakroom::SessionStorage::destroy_unseen(&self.$($inner)+, key, proof).await
        }
    };
    (@ owner_index [$($inner:tt)+]) => {
        async fn owner_index(&self, owner: &::cloakroom::OwnerKey) -> ::std::result::Result<::cloakroom::OwnerIndex, ::cloakroom::StorageError> {
            ::cloakroom::SessionStorage::owner_index(&self.$($inner)+, owner).await
        }
    };
    (@ change_owner_index [$($inner:tt)+]) => {
        async fn change_owner_index(&self, owner: &::cloakroom::OwnerKey, change: &::cloakroom::IndexChange) -> ::std::result::Result<::cloakroom::OwnerIndex, ::cloakroom::StorageError> {
            ::cloakroom::SessionStorage::change_owner_index(&self.$($inner)+, owner, change).await
        }
    };
    (@ mark [$($inner:tt)+]) => {
        async fn mark(&self, key: &::cloakroom::MarkKey) -> ::std::result::Result<Option<$crate::Bytes>, ::cloakroom::StorageError> {
            ::cloakroom::SessionStorage::mark(&self.$($inner)+, key).await
        }
    };
    (@ leave_mark [$($inner:tt)+]) => {
        async fn leave_mark(&self, key: &::cloakroom::MarkKey, content: &[u8], lifetime: ::std::time::Duration) -> ::std::result::Result<$crate::Bytes, ::cloakroom::StorageError> {
            ::cloakroom::SessionStorage::leave_mark(&self.$($inner)+, key, content, lifetime).await
        }
    };
    (@ facts [$($inner:tt)+]) => {
        async fn facts(&self, sessions: &[::cloakroom::SessionKey]) -> ::std::result::Result<Vec<::cloakroom::Found>, ::cloakroom::StorageError> {
            ::cloakroom::SessionStorage::facts(&self.$($inner)+, sessions).await
        }
    };
    (@ walk [$($inner:tt)+]) => {
        async fn walk(&self, position: &::cloakroom::Position) -> ::std::result::Result<::cloakroom::Page, ::cloakroom::StorageError> {
            ::cloakroom::SessionStorage::walk(&self.$($inner)+, position).await
        }
    };
    (@ destroy_created_before [$($inner:tt)+]) => {
        async fn destroy_created_before(&self, sessions: &[::cloakroom::SessionKey], moment: ::cloakroom::Timestamp) -> ::std::result::Result<::cloakroom::DestroyedBefore, ::cloakroom::StorageError> {
            ::cloakroom::SessionStorage::destroy_created_before(&self.$($inner)+, sessions, moment).await
        }
    };
    (@ stats [$($inner:tt)+]) => {
        async fn stats(&self) -> ::std::result::Result<::cloakroom::StorageStats, ::cloakroom::StorageError> {
            ::cloakroom::SessionStorage::stats(&self.$($inner)+).await
        }
    };
    (@ backend_metrics [$($inner:tt)+]) => {
        async fn backend_metrics(&self) -> ::std::result::Result<::std::collections::BTreeMap<String, String>, ::cloakroom::StorageError> {
            ::cloakroom::SessionStorage::backend_metrics(&self.$($inner)+).await
        }
    };
    (@ backend_name [$($inner:tt)+]) => {
        fn backend_name(&self) -> &'static str {
            ::cloakroom::SessionStorage::backend_name(&self.$($inner)+)
        }
    };
    (@ default_ttl [$($inner:tt)+]) => {
        fn default_ttl(&self) -> ::std::time::Duration {
            ::cloakroom::SessionStorage::default_ttl(&self.$($inner)+)
        }
    };
    (@ fingerprint_mode [$($inner:tt)+]) => {
        fn fingerprint_mode(&self) -> ::cloakroom::FingerprintMode {
            ::cloakroom::SessionStorage::fingerprint_mode(&self.$($inner)+)
        }
    };
    (@ timeout [$($inner:tt)+]) => {
        fn timeout(&self, operation: ::cloakroom::Operation) -> Option<::std::time::Duration> {
            ::cloakroom::SessionStorage::timeout(&self.$($inner)+, operation)
        }
    };
    (@ health [$($inner:tt)+]) => {
        fn health(&self) -> ::cloakroom::StorageHealth {
            ::cloakroom::SessionStorage::health(&self.$($inner)+)
        }
    };
    (@ observe_with [$($inner:tt)+]) => {
        fn observe_with(&self, observer: ::std::sync::Arc<dyn ::cloakroom::Observer>) {
            ::cloakroom::SessionStorage::observe_with(&self.$($inner)+, observer)
        }
    };
    (@ max_session_bytes [$($inner:tt)+]) => {
        fn max_session_bytes(&self) -> usize {
            ::cloakroom::SessionStorage::max_session_bytes(&self.$($inner)+)
        }
    };
    ($inner:tt $($method:ident)+) => {
        $($crate::pass_on!(@ $method $inner);)+
    };
}
