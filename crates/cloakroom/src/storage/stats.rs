//! [`StorageStats`]: what an operator wants to know about a storage.

use std::collections::BTreeMap;

/// A storage's figures at one moment.
///
/// With Redis the count comes from a walk over the keys while others write, so it means "at least
/// these, at about this time".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StorageStats {
    /// The storage's name, as [`SessionStorage::backend_name`](crate::SessionStorage::backend_name)
    /// gives it.
    pub backend: &'static str,
    /// Live sessions.
    pub total_sessions: u64,
    /// Bytes of all their records, without what the backend needs around them.
    pub total_bytes: u64,
    /// The backend's own figures by name, for example `used_memory` and `maxmemory_policy`.
    pub backend_metrics: BTreeMap<String, String>,
}

impl StorageStats {
    /// Figures of a backend that has counted its sessions and their bytes.
    pub fn new(backend: &'static str, total_sessions: u64, total_bytes: u64) -> Self {
        Self { backend, total_sessions, total_bytes, backend_metrics: BTreeMap::new() }
    }

    /// The same figures with one more of the backend's own.
    #[must_use]
    pub fn with_metric(mut self, name: &str, value: impl ToString) -> Self {
        self.backend_metrics.insert(name.to_owned(), value.to_string());
        self
    }
}
