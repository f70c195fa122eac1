//! [`JournalStats`]: the journal's figures for health and metrics.

use std::time::Duration;

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
