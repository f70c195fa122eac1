//! [`Register`]: what loads and commits may know of the journal without waiting for its book.
//!
//! The book writes it, everybody reads it. While it has nothing to say, that is one relaxed load.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cloakroom::{SessionKey, Timestamp, VerifierHash};

/// Readers of different keys rarely meet.
const SHARDS: usize = 16;

/// What stands under one key.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Mark {
    /// The record is refused, whatever it is.
    Denied,
    /// A record with one of these verifiers is refused, and nothing may be written: nobody has looked
    /// whether the tickets that were signed out are the record's own.
    Unseen { proofs: Arc<[VerifierHash]> },
    /// What was created before `asked` is refused.
    Confirmed { asked: Option<Timestamp> },
}

#[derive(Debug, Default)]
pub(super) struct Register {
    /// How many keys are denied.
    denied: AtomicUsize,
    /// How many keys have a mark.
    marked: AtomicUsize,
    shards: [Mutex<HashMap<SessionKey, Mark>>; SHARDS],
}

impl Register {
    #[inline]
    pub(super) fn denies(&self, key: &SessionKey) -> bool {
        // Relaxed is enough: whoever knows of a removal has learnt of it from the thread that had
        // counted it before, and a counter never seems to go back.
        self.denied.load(Ordering::Relaxed) > 0 && self.shard(key).get(key) == Some(&Mark::Denied)
    }

    /// Whether nothing may be written under the key.
    #[inline]
    pub(super) fn holds_writes(&self, key: &SessionKey) -> bool {
        matches!(self.look(key), Some(Mark::Denied | Mark::Unseen { .. }))
    }

    #[inline]
    pub(super) fn look(&self, key: &SessionKey) -> Option<Mark> {
        if self.marked.load(Ordering::Relaxed) == 0 {
            return None;
        }
        self.shard(key).get(key).cloned()
    }

    /// Only the book calls it, under its lock.
    pub(super) fn set(&self, key: &SessionKey, mark: Option<Mark>) {
        let mut shard = self.shard(key);
        let before = match mark.clone() {
            Some(mark) => shard.insert(*key, mark),
            None => shard.remove(key),
        };
        let is_denied = |mark: &Option<Mark>| *mark == Some(Mark::Denied);
        count(&self.marked, before.is_some(), mark.is_some());
        count(&self.denied, is_denied(&before), is_denied(&mark));
    }

    fn shard(&self, key: &SessionKey) -> MutexGuard<'_, HashMap<SessionKey, Mark>> {
        let at = usize::from(key.as_bytes()[0]) % SHARDS;
        self.shards[at].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(counter: &AtomicUsize, before: bool, after: bool) {
    match (before, after) {
        (false, true) => counter.fetch_add(1, Ordering::Relaxed),
        (true, false) => counter.fetch_sub(1, Ordering::Relaxed),
        _ => return,
    };
}
