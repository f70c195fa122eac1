//! [`Used`]: how much of its limits the embedded storage has used up.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::MemorySessionStorageBuilder;

/// What all shards hold together; changed before a record goes in and after one went out.
#[derive(Default)]
pub(super) struct Used {
    pub(super) sessions: AtomicUsize,
    pub(super) bytes: AtomicUsize,
}

impl Used {
    /// Takes room within the limits, or nothing at all.
    pub(super) fn take(
        &self,
        sessions: usize,
        bytes: usize,
        limits: &MemorySessionStorageBuilder,
    ) -> bool {
        if !add_within(&self.sessions, sessions, limits.max_sessions) {
            return false;
        }
        let fits = add_within(&self.bytes, bytes, limits.max_bytes);
        if !fits {
            self.give_back(sessions, 0);
        }
        fits
    }

    pub(super) fn give_back(&self, sessions: usize, bytes: usize) {
        self.sessions.fetch_sub(sessions, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Adds to a total unless that would pass the limit. Adding nothing always succeeds.
fn add_within(total: &AtomicUsize, more: usize, limit: usize) -> bool {
    let add = |held: usize| held.checked_add(more).filter(|sum| more == 0 || *sum <= limit);
    total.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok()
}
