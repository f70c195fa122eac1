//! [`Marks`]: what the embedded storage holds beside its sessions.
//!
//! The calendar holds exactly one entry per mark, under the moment at which it is over.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use crate::clock::Timestamp;
use crate::error::{Operation, StorageError, StorageErrorKind};
use crate::mark::MarkKey;

pub(super) struct Marks {
    held: Mutex<Held>,
    /// How many there may be: twice as many as sessions. A note outlives its session by far, so it is
    /// those of sessions that have ended which fill this.
    most: usize,
}

#[derive(Default)]
struct Held {
    marks: HashMap<MarkKey, Bytes>,
    calendar: BTreeSet<(Timestamp, MarkKey)>,
}

impl Marks {
    pub(super) fn new(max_sessions: usize) -> Self {
        Self { held: Mutex::default(), most: max_sessions.saturating_mul(2) }
    }

    pub(super) fn look(&self, key: &MarkKey, now: Timestamp) -> Option<Bytes> {
        self.with(now, |held| held.marks.get(key).cloned())
    }

    /// Leaves a mark unless there is one; answers what is there then.
    pub(super) fn leave(
        &self,
        key: &MarkKey,
        content: &[u8],
        lifetime: Duration,
        now: Timestamp,
    ) -> Result<Bytes, StorageError> {
        self.with(now, |held| {
            if let Some(before) = held.marks.get(key) {
                return Ok(before.clone());
            }
            if held.marks.len() >= self.most {
                let message = format!("the storage is full of marks ({} are allowed)", self.most);
                return Err(StorageError::new(StorageErrorKind::Full, Operation::Commit, message));
            }
            let content = Bytes::copy_from_slice(content);
            held.calendar.insert((now + lifetime, *key));
            held.marks.insert(*key, content.clone());
            Ok(content)
        })
    }

    pub(super) fn remove_expired(&self, now: Timestamp) {
        self.with(now, |_| ());
    }

    /// It stays sound when a thread panicked: every step changes it in one go.
    fn with<T>(&self, now: Timestamp, step: impl FnOnce(&mut Held) -> T) -> T {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((_, key)) = held.calendar.first().filter(|(end, _)| *end < now).copied() {
            held.calendar.pop_first();
            held.marks.remove(&key);
        }
        step(&mut held)
    }
}
