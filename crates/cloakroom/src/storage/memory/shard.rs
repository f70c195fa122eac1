//! [`Shard`]: one part of the memory storage, a map of records and a calendar of their deadlines.
//!
//! The calendar holds exactly one entry per record, under the deadline that stands in the record.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;

use super::{MemorySessionStorageBuilder, StorageError, Touched, Used};
use crate::clock::Timestamp;
use crate::commit::{Commit, Committed, Expect};
use crate::error::{Operation, StorageErrorKind};
use crate::owner::OwnerKey;
use crate::record::{CorruptRecord, Glance, Record, STAMP_AT, Stamp, StampBytes};
use crate::token::{SessionKey, VerifierHash};

const STAMP_BYTES: usize = size_of::<StampBytes>();

/// Below this capacity a map keeps what it has allocated.
const SMALLEST_CAPACITY: usize = 64;

pub(super) struct Shard {
    records: HashMap<SessionKey, Stored>,
    calendar: BTreeSet<(Timestamp, SessionKey)>,
    used: Arc<Used>,
}

/// One record. Its stamp is read where it stands: a copy would cost each session 100 bytes more.
struct Stored {
    bytes: Box<[u8]>,
}

impl Shard {
    pub(super) fn new(used: Arc<Used>) -> Self {
        Self { records: HashMap::new(), calendar: BTreeSet::new(), used }
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.records.capacity()
    }

    /// Whose session it is; `None` where there is none, or nobody is signed in.
    pub(super) fn owner(&self, key: &SessionKey) -> Option<OwnerKey> {
        let glance = Glance::at(key, &self.records.get(key)?.bytes)?;
        glance.owner.map(OwnerKey::of)
    }

    pub(super) fn read(&self, key: &SessionKey) -> Option<Bytes> {
        self.records.get(key).map(|stored| Bytes::copy_from_slice(&stored.bytes))
    }

    pub(super) fn keys(&self) -> Vec<SessionKey> {
        self.records.keys().copied().collect()
    }

    /// Commits; `None` where there is no room for what the record grows by.
    pub(super) fn commit(
        &mut self,
        key: &SessionKey,
        commit: &Commit,
        now: Timestamp,
        limits: &MemorySessionStorageBuilder,
    ) -> Result<Option<Committed>, StorageError> {
        let stored = self.records.get(key);
        if let Some(outcome) = refusal(key, stored, commit, now)? {
            return Ok(Some(outcome));
        }
        let size = commit.size();
        let replaced = stored.map(|stored| (stored.stamp(), stored.bytes.len()));
        let (sessions, held) = replaced.map_or((1, 0), |(_, held)| (0, held));
        if !self.used.take(sessions, size.saturating_sub(held), limits) {
            return Ok(None);
        }
        self.used.give_back(0, held.saturating_sub(size));
        if let Some((old, _)) = replaced {
            self.calendar.remove(&(old.idle_deadline, *key));
        }
        let stamp = commit.stamp(replaced.map(|(stamp, _)| stamp).as_ref(), now);
        let (head, sections) = commit.parts(key, Some(&stamp));
        let stored = Stored { bytes: [&head, sections].concat().into_boxed_slice() };
        self.calendar.insert((stamp.idle_deadline, *key));
        self.records.insert(*key, stored);
        Ok(Some(Committed::Applied { stamp, as_of: now }))
    }

    pub(super) fn touch(
        &mut self,
        key: &SessionKey,
        now: Timestamp,
    ) -> Result<Touched, StorageError> {
        let Some(stored) = self.records.get_mut(key) else { return Ok(Touched::Gone) };
        let record = stored.record(key, now, Operation::Touch)?;
        let mut stamp = stored.stamp();
        let deadline = stamp.absolute_deadline.min(now + record.idle_timeout());
        if deadline <= stamp.idle_deadline {
            return Ok(Touched::Unchanged);
        }
        self.calendar.remove(&(stamp.idle_deadline, *key));
        stamp.touched = now;
        stamp.idle_deadline = deadline;
        stored.set_stamp(&stamp);
        self.calendar.insert((deadline, *key));
        Ok(Touched::Extended(stamp))
    }

    pub(super) fn remove(&mut self, key: &SessionKey) -> bool {
        let Some(stored) = self.records.remove(key) else { return false };
        self.calendar.remove(&(stored.stamp().idle_deadline, *key));
        self.used.give_back(1, stored.bytes.len());
        true
    }

    /// Removes the record if a ticket with this proof opens it, and says whether it did.
    pub(super) fn remove_opened(
        &mut self,
        key: &SessionKey,
        proof: &VerifierHash,
        now: Timestamp,
    ) -> Result<bool, StorageError> {
        let Some(stored) = self.records.get(key) else { return Ok(false) };
        let is_opened = stored.record(key, now, Operation::Destroy)?.accepts(proof);
        Ok(is_opened && self.remove(key))
    }

    /// Removes what has expired, in the order of the deadlines: what lives is not looked at.
    pub(super) fn remove_expired(&mut self, now: Timestamp) -> usize {
        let mut removed = 0;
        while let Some((deadline, key)) = self.calendar.first().copied() {
            if now <= deadline {
                break;
            }
            self.remove(&key);
            removed += 1;
        }
        if removed > 0 && self.records.len() < self.records.capacity() / 4 {
            self.records.shrink_to(self.records.len().max(SMALLEST_CAPACITY));
        }
        removed
    }
}

impl Stored {
    fn record(
        &self,
        key: &SessionKey,
        now: Timestamp,
        operation: Operation,
    ) -> Result<Record, StorageError> {
        decode(key, Bytes::copy_from_slice(&self.bytes), now, operation)
    }

    fn stamp(&self) -> Stamp {
        let mut bytes: StampBytes = [0; STAMP_BYTES];
        bytes.copy_from_slice(&self.bytes[STAMP_AT..STAMP_AT + STAMP_BYTES]);
        Stamp::from_bytes(&bytes)
    }

    fn set_stamp(&mut self, stamp: &Stamp) {
        self.bytes[STAMP_AT..STAMP_AT + STAMP_BYTES].copy_from_slice(&stamp.to_bytes());
    }
}

/// Reads what lies under a key.
pub(super) fn decode(
    key: &SessionKey,
    bytes: Bytes,
    now: Timestamp,
    operation: Operation,
) -> Result<Record, StorageError> {
    Record::decode(key, bytes, now).map_err(|corrupt| unreadable(corrupt, operation))
}

fn unreadable(corrupt: CorruptRecord, operation: Operation) -> StorageError {
    StorageError::new(StorageErrorKind::Corrupt, operation, corrupt.to_string())
}

/// Why the stored record does not let the commit through; `None` where it does.
fn refusal(
    key: &SessionKey,
    stored: Option<&Stored>,
    commit: &Commit,
    now: Timestamp,
) -> Result<Option<Committed>, StorageError> {
    let Some(stored) = stored else {
        return Ok((commit.expect() != Expect::Absent).then_some(Committed::Gone));
    };
    let version = Record::version_of(key, &stored.bytes)
        .map_err(|corrupt| unreadable(corrupt, Operation::Commit))?;
    if version.nonce() == commit.nonce() {
        return Ok(Some(Committed::Applied { stamp: stored.stamp(), as_of: now }));
    }
    Ok(match commit.expect() {
        Expect::Absent => Some(Committed::Exists),
        Expect::Exactly(wanted) if wanted != version => {
            Some(Committed::Conflict(stored.record(key, now, Operation::Commit)?))
        }
        Expect::Exactly(_) | Expect::Present => None,
    })
}
