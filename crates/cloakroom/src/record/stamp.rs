//! [`Stamp`]: the part of a record that belongs to the storage.

use std::time::Duration;

use super::Generation;
use crate::clock::Timestamp;

const STAMP_BYTES: usize = 48;

/// The stamp as it stands in the record.
pub type StampBytes = [u8; STAMP_BYTES];

/// What the storage itself writes into a record: its number and its times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stamp {
    /// How many times the session was committed.
    pub generation: Generation,
    /// When the session was created; [`Timestamp::UNKNOWN`] where it was elsewhere and nobody knows.
    pub created: Timestamp,
    /// When the absolute timeout began to count: at creation or at the last sign-in.
    /// [`Timestamp::UNKNOWN`] in a session from elsewhere that nobody has signed in to since.
    pub started: Timestamp,
    /// When the session was last written or its idle deadline moved.
    pub touched: Timestamp,
    /// When the session ends unless somebody uses it.
    pub idle_deadline: Timestamp,
    /// When the session ends whatever happens.
    pub absolute_deadline: Timestamp,
}

impl Stamp {
    /// The stamp of a session's first commit.
    pub fn first(now: Timestamp, idle_timeout: Duration, absolute_timeout: Duration) -> Self {
        let absolute_deadline = now + absolute_timeout;
        Self {
            generation: Generation::ZERO.next(),
            created: now,
            started: now,
            touched: now,
            idle_deadline: absolute_deadline.min(now + idle_timeout),
            absolute_deadline,
        }
    }

    /// Reads a stamp from its 48 bytes.
    pub fn from_bytes(bytes: &StampBytes) -> Self {
        let number = |at: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&bytes[at..at + 8]);
            u64::from_be_bytes(eight)
        };
        Self {
            generation: Generation::new(number(0)),
            created: Timestamp::from_millis(number(8)),
            started: Timestamp::from_millis(number(16)),
            touched: Timestamp::from_millis(number(24)),
            idle_deadline: Timestamp::from_millis(number(32)),
            absolute_deadline: Timestamp::from_millis(number(40)),
        }
    }

    /// The stamp as its 48 bytes.
    pub fn to_bytes(&self) -> StampBytes {
        let mut bytes = [0; STAMP_BYTES];
        let numbers = [
            self.generation.number(),
            self.created.as_millis(),
            self.started.as_millis(),
            self.touched.as_millis(),
            self.idle_deadline.as_millis(),
            self.absolute_deadline.as_millis(),
        ];
        for (chunk, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            chunk.copy_from_slice(&number.to_be_bytes());
        }
        bytes
    }

    /// Whether some commit or touch can have made the stamp.
    pub(super) fn is_sound(&self, idle_timeout: Duration) -> bool {
        let idle_deadline = self.absolute_deadline.min(self.touched + idle_timeout);
        self.generation > Generation::ZERO
            && self.created <= self.touched
            && (self.created <= self.started || self.started == Timestamp::UNKNOWN)
            && self.started <= self.touched
            && self.touched <= self.idle_deadline
            && self.idle_deadline == idle_deadline
    }
}
