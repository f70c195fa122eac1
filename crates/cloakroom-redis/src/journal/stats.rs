//! [`JournalStats`]: the journal's figures for health and metrics.

use std::time::Duration;

use cloakroom::{JournalHealth, StorageStats};

use super::JournalPolicy;

/// The journal's figures. Counters count since the journal was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct JournalStats {
    /// Removals whose outcome is unknown.
    pub(crate) pending: usize,
    /// For how long the oldest of them has been pending.
    pub(crate) oldest_pending: Option<Duration>,
    /// All removals that are remembered, whatever their state.
    pub(crate) entries: usize,
    /// Pending removals that were carried out.
    pub(crate) applied: u64,
    /// Records that had come back and were removed again.
    pub(crate) repeated: u64,
    /// Pending removals that were given up.
    pub(crate) expired: u64,
    /// Removals that found the journal full.
    pub(crate) refused: u64,
    /// Confirmed removals that gave way to newer ones before their time.
    pub(crate) displaced: u64,
}

impl JournalStats {
    /// What of it belongs into the storage's health, beside the bounds.
    pub(super) fn health(self, policy: &JournalPolicy) -> JournalHealth {
        let mut health = JournalHealth::default();
        health.max_pending = policy.max_pending;
        health.max_unseen = policy.max_unseen;
        health.oldest_pending = self.oldest_pending.unwrap_or_default();
        health.remembered = self.entries;
        health.max_remembered = policy.max_confirmed;
        health.displaced = self.displaced;
        health
    }

    /// The same figures among those of the storage.
    pub(crate) fn put_into(self, stats: StorageStats) -> StorageStats {
        stats
            .with_metric("pending_removals", self.pending)
            .with_metric(
                "oldest_pending_removal_ms",
                self.oldest_pending.unwrap_or_default().as_millis(),
            )
            .with_metric("remembered_removals", self.entries)
            .with_metric("late_removals", self.applied)
            .with_metric("repeated_removals", self.repeated)
            .with_metric("expired_removals", self.expired)
            .with_metric("refused_removals", self.refused)
            .with_metric("displaced_removals", self.displaced)
    }
}
