//! [`Owners`]: the owners' indexes of the embedded storage, in parts with a lock each.
//!
//! The calendar of a part holds exactly one entry per index, under the moment at which its last entry
//! is over.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::SHARDS;
use crate::clock::Timestamp;
use crate::error::{Operation, StorageError, StorageErrorKind};
use crate::index::{Entries, IndexChange, OwnerIndex};
use crate::owner::OwnerKey;

pub(super) struct Owners {
    parts: Box<[Mutex<Part>]>,
    /// How many entries there are in all indexes.
    entries: AtomicUsize,
    /// How many there may be: twice as many as sessions, since an entry outlives a session that
    /// nobody has used for long.
    most: usize,
}

#[derive(Default)]
struct Part {
    indexes: HashMap<OwnerKey, Entries>,
    calendar: BTreeSet<(Timestamp, OwnerKey)>,
}

impl Owners {
    pub(super) fn new(max_sessions: usize) -> Self {
        let parts = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { parts, entries: AtomicUsize::new(0), most: max_sessions.saturating_mul(2) }
    }

    pub(super) fn look(&self, owner: &OwnerKey, now: Timestamp) -> OwnerIndex {
        self.part(owner).indexes.get(owner).unwrap_or(&Entries::default()).look(now)
    }

    pub(super) fn change(
        &self,
        owner: &OwnerKey,
        change: &IndexChange,
        now: Timestamp,
    ) -> Result<OwnerIndex, StorageError> {
        let grows = matches!(change, IndexChange::Enter { .. });
        if grows && self.entries.load(Ordering::Relaxed) >= self.most {
            self.remove_expired(now);
            if self.entries.load(Ordering::Relaxed) >= self.most {
                let message = format!("the indexes of the owners are full ({} entries)", self.most);
                return Err(StorageError::new(StorageErrorKind::Full, Operation::Index, message));
            }
        }
        let mut part = self.part(owner);
        let mut entries = part.take(owner);
        let before = entries.len();
        let index = entries.apply(change, now);
        let after = entries.len();
        part.put(owner, entries);
        self.entries.fetch_add(after, Ordering::Relaxed);
        self.entries.fetch_sub(before, Ordering::Relaxed);
        Ok(index)
    }

    /// Removes the indexes of which every entry is over.
    pub(super) fn remove_expired(&self, now: Timestamp) {
        for part in &self.parts {
            let removed = lock(part).remove_expired(now);
            self.entries.fetch_sub(removed, Ordering::Relaxed);
        }
    }

    fn part(&self, owner: &OwnerKey) -> MutexGuard<'_, Part> {
        lock(&self.parts[owner.shard(SHARDS)])
    }
}

impl Part {
    fn take(&mut self, owner: &OwnerKey) -> Entries {
        let entries = self.indexes.remove(owner).unwrap_or_default();
        if let Some(end) = entries.end() {
            self.calendar.remove(&(end, *owner));
        }
        entries
    }

    fn put(&mut self, owner: &OwnerKey, entries: Entries) {
        if let Some(end) = entries.end() {
            self.calendar.insert((end, *owner));
            self.indexes.insert(*owner, entries);
        }
    }

    fn remove_expired(&mut self, now: Timestamp) -> usize {
        let mut removed = 0;
        while let Some((end, owner)) = self.calendar.first().copied() {
            if now <= end {
                break;
            }
            removed += self.take(&owner).len();
        }
        removed
    }
}

/// A part stays sound when a thread panicked: every method changes it in one go.
fn lock(part: &Mutex<Part>) -> MutexGuard<'_, Part> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}
