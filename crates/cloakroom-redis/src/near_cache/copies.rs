//! [`Copies`]: the copies of one shard, bounded by number and bytes. What was used since the hand
//! last came by gets another round (CLOCK), so that neither a look nor an eviction sorts anything.

use std::collections::HashMap;

use cloakroom::{Record, SessionKey};

use super::claims::Echo;
use super::coverage::Arm;
use super::moment::Moment;

/// What a copy takes in memory beside its bytes, about: itself, its place in the index, and what the
/// record has decoded.
const OVERHEAD: usize = 512;

/// One session as it was read or written.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) record: Record,
    pub(super) arm: Arm,
    pub(super) taken: Moment,
    /// From here on somebody has to look.
    pub(super) until: Moment,
    /// Whether its connection is yet to be told of the write that made it.
    pub(super) echo: Echo,
}

#[derive(Debug)]
struct Place {
    key: SessionKey,
    copy: Kept,
    was_used: bool,
}

#[derive(Debug)]
pub(super) struct Copies {
    index: HashMap<SessionKey, usize>,
    places: Vec<Place>,
    hand: usize,
    bytes: usize,
    max_entries: usize,
    max_bytes: usize,
    evictions: u64,
}

impl Copies {
    pub(super) fn new(max_entries: usize, max_bytes: usize) -> Self {
        Self {
            index: HashMap::new(),
            places: Vec::new(),
            hand: 0,
            bytes: 0,
            max_entries,
            max_bytes,
            evictions: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn max_entries(&self) -> usize {
        self.max_entries
    }

    pub(super) fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    pub(super) fn evictions(&self) -> u64 {
        self.evictions
    }

    /// A copy that is about to be used.
    pub(super) fn get(&mut self, key: &SessionKey) -> Option<&Kept> {
        let place = &mut self.places[*self.index.get(key)?];
        place.was_used = true;
        Some(&place.copy)
    }

    pub(super) fn look_at(&mut self, key: &SessionKey) -> Option<&mut Kept> {
        Some(&mut self.places[*self.index.get(key)?].copy)
    }

    /// Keeps a copy in place of the one that there was. Others give way to it; one that is larger
    /// than all of the room is not kept.
    pub(super) fn insert(&mut self, key: &SessionKey, copy: Kept) {
        self.remove(key);
        let size = size(&copy.record);
        if size > self.max_bytes || self.max_entries == 0 {
            return;
        }
        while self.places.len() >= self.max_entries || self.bytes + size > self.max_bytes {
            self.evict();
        }
        self.bytes += size;
        self.index.insert(*key, self.places.len());
        self.places.push(Place { key: *key, copy, was_used: false });
    }

    pub(super) fn remove(&mut self, key: &SessionKey) -> Option<Kept> {
        let at = self.index.remove(key)?;
        let removed = self.places.swap_remove(at);
        if let Some(moved) = self.places.get(at) {
            self.index.insert(moved.key, at);
        }
        self.bytes -= size(&removed.copy.record);
        Some(removed.copy)
    }

    pub(super) fn clear(&mut self) {
        self.index.clear();
        self.places.clear();
        (self.hand, self.bytes) = (0, 0);
    }

    /// Removes one copy. It ends within two rounds: the first one leaves none that was used.
    fn evict(&mut self) {
        loop {
            if self.hand >= self.places.len() {
                self.hand = 0;
            }
            let Some(place) = self.places.get_mut(self.hand) else { return };
            if place.was_used && place.copy.arm.holds() {
                place.was_used = false;
                self.hand += 1;
                continue;
            }
            let key = place.key;
            self.remove(&key);
            self.evictions += 1;
            return;
        }
    }
}

fn size(record: &Record) -> usize {
    record.size() + OVERHEAD
}
