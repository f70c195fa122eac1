//! [`Owners`]: the owners' indexes of the embedded storage, in parts with a lock each.
//!
//! An entry outlives a session that nobody has used for long, or that was ended without a word. So
//! where the indexes are full, entries without a session of their owner's give way. Whoever looks for
//! them does so a few owners at a time, and everybody else who needs room waits for it.
//!
//! The calendar of a part holds exactly one entry per index, under the moment at which its last entry
//! is over.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex as AsyncMutex;

use super::SHARDS;
use crate::clock::Timestamp;
use crate::error::{Operation, StorageError, StorageErrorKind};
use crate::index::{Entries, IndexChange, OwnerIndex};
use crate::owner::OwnerKey;
use crate::token::SessionKey;

/// How long nobody looks at every entry again after that was in vain.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How many owners are looked at before others get their turn on the thread.
const AT_ONCE: usize = 64;

pub(super) struct Owners {
    parts: Box<[Mutex<Part>]>,
    /// How many entries there are in all indexes.
    entries: AtomicUsize,
    /// When what is useless was last looked for in vain, in milliseconds.
    looked: AtomicU64,
    /// How many there may be: twice as many as sessions.
    most: usize,
    /// Held by whoever makes room.
    making_room: AsyncMutex<()>,
    /// In which part room is looked for next.
    next: AtomicUsize,
}

#[derive(Default)]
struct Part {
    indexes: HashMap<OwnerKey, Entries>,
    calendar: BTreeSet<(Timestamp, OwnerKey)>,
}

impl Owners {
    pub(super) fn new(max_sessions: usize) -> Self {
        let parts = (0..SHARDS).map(|_| Mutex::default()).collect();
        let most = max_sessions.saturating_mul(2);
        let (entries, looked, making_room, next) = Default::default();
        Self { parts, entries, looked, most, making_room, next }
    }

    pub(super) fn look(&self, owner: &OwnerKey, now: Timestamp) -> OwnerIndex {
        self.part(owner).indexes.get(owner).unwrap_or(&Entries::default()).look(now)
    }

    /// Takes one step. `owner_of` tells whose sessions are, by their records.
    pub(super) async fn change(
        &self,
        owner: &OwnerKey,
        change: &IndexChange,
        now: Timestamp,
        owner_of: impl Fn(&SessionKey) -> Option<OwnerKey>,
    ) -> Result<OwnerIndex, StorageError> {
        if self.is_full()
            && let IndexChange::Enter { session, .. } = change
            && !self.part(owner).has(owner, session)
        {
            self.make_room(now, owner_of).await;
            if self.is_full() {
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

    /// How many entries there are, and how many there may be.
    pub(super) fn fill(&self) -> (usize, usize) {
        (self.entries.load(Ordering::Relaxed), self.most)
    }

    fn is_full(&self) -> bool {
        self.entries.load(Ordering::Relaxed) >= self.most
    }

    fn has_room_for_a_while(&self) -> bool {
        let room = (self.most / 8).max(1);
        self.entries.load(Ordering::Relaxed) <= self.most.saturating_sub(room)
    }

    /// Removes what is over, and the entries of sessions that are gone or somebody else's by now, until
    /// there is room for a while. Where every entry was looked at as good as in vain, that is not done
    /// again within a second.
    async fn make_room(&self, now: Timestamp, owner_of: impl Fn(&SessionKey) -> Option<OwnerKey>) {
        let _turn = self.making_room.lock().await;
        let looked = Timestamp::from_millis(self.looked.load(Ordering::Relaxed));
        if !self.is_full() || (now >= looked && looked.until(now) < LOOK_AGAIN) {
            return;
        }
        self.remove_expired(now);
        for _ in &self.parts {
            if self.has_room_for_a_while() {
                return;
            }
            let part = &self.parts[self.next.fetch_add(1, Ordering::Relaxed) % self.parts.len()];
            let owners: Vec<_> = lock(part).indexes.keys().copied().collect();
            for owners in owners.chunks(AT_ONCE) {
                let removed = lock(part).remove_useless(owners, now, &owner_of);
                self.entries.fetch_sub(removed, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        }
        if !self.has_room_for_a_while() {
            self.looked.store(now.as_millis(), Ordering::Relaxed);
        }
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
    fn has(&self, owner: &OwnerKey, session: &SessionKey) -> bool {
        self.indexes.get(owner).is_some_and(|entries| entries.has(session))
    }

    /// Removes entries of these owners that are not under way and whose session is none of the owner's.
    fn remove_useless(
        &mut self,
        owners: &[OwnerKey],
        now: Timestamp,
        owner_of: &impl Fn(&SessionKey) -> Option<OwnerKey>,
    ) -> usize {
        let mut removed = 0;
        for owner in owners {
            let mut entries = self.take(owner);
            removed += entries.retain(|entry| {
                entry.is_under_way(now) || owner_of(&entry.session) == Some(*owner)
            });
            self.put(owner, entries);
        }
        removed
    }

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
