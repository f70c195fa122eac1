//! [`Commit`]: one atomic write of one record, and [`Committed`], its possible outcomes.

mod builder;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use crate::clock::Timestamp;
use crate::error::{Operation, RandomError, StorageError, StorageErrorKind};
use crate::record::{
    Fields, Generation, Record, RecordHead, Seen, Stamp, StampBytes, Version, bind,
};
use crate::token::SessionKey;

pub use builder::CommitBuilder;

/// What must be true of the stored record for a commit to be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// There is no record yet.
    Absent,
    /// There is a record, of whatever generation.
    Present,
    /// There is exactly this state of the record.
    Exactly(Version),
}

/// From when the absolute timeout counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absolute {
    /// The record keeps the deadline that it has.
    Keep,
    /// The absolute timeout starts now: a new session, or somebody has just signed in.
    Start(Duration),
    /// The record gets another deadline, so long from now, and is as old as before: a visitor who
    /// wants to be remembered has not signed in by that.
    Prolong(Duration),
}

/// Names one commit, so that a repetition after a lost reply is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce([u8; 16]);

impl Nonce {
    /// Makes a nonce that no other commit has. It is no secret.
    ///
    /// Its first half is random per process and counts on; its second half is the time to the
    /// nanosecond, by which two copies of one process differ (a virtual machine that was resumed
    /// twice). Random bytes for each commit would cost more than the rest of its preparation.
    ///
    /// # Errors
    /// [`RandomError`] where the operating system gives no random bytes.
    pub fn generate() -> Result<Self, RandomError> {
        /// Odd, so that counting in its steps meets every number once.
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        static START: OnceLock<u64> = OnceLock::new();
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let start = match START.get() {
            Some(start) => *start,
            None => {
                let mut bytes = [0; 8];
                getrandom::fill(&mut bytes).map_err(|_| RandomError)?;
                *START.get_or_init(|| u64::from_ne_bytes(bytes))
            }
        };
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let first = start.wrapping_add(count.wrapping_mul(STEP));
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let nanos = time.as_nanos() as u64;
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&first.to_be_bytes());
        bytes[8..].copy_from_slice(&nanos.wrapping_mul(STEP).to_be_bytes());
        Ok(Self(bytes))
    }

    /// The nonce with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The nonce's bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// One atomic write: the whole new record under one expectation.
///
/// It names no session. The storage that is given a key and a commit writes the commit's content
/// *for that key*, so a record always says where it belongs. The content's stamp (generation and
/// times) is filled in by the storage from its own clock. The same value may be given to a storage
/// again: a repetition changes nothing.
#[derive(Clone)]
pub struct Commit {
    pub(crate) nonce: Nonce,
    pub(crate) expect: Expect,
    /// The record that is expected, where it was read.
    pub(crate) seen: Option<Seen>,
    pub(crate) absolute: Absolute,
    pub(crate) idle_timeout: Duration,
    /// When the session was created that it brings from elsewhere.
    pub(crate) elsewhere: Option<Timestamp>,
    /// The record, as yet of no key.
    pub(crate) unbound: Vec<u8>,
    pub(crate) fields_at: usize,
}

/// What became of a commit.
#[derive(Clone, Debug)]
#[must_use = "a commit that was not applied must be answered"]
pub enum Committed {
    /// The record is stored, now or by an earlier try with the same nonce.
    Applied {
        /// What the storage wrote into the record.
        stamp: Stamp,
        /// The storage's clock at the time of the commit.
        as_of: Timestamp,
    },
    /// The stored record is in another state; here it is.
    Conflict(Record),
    /// There is no such record (any more); nothing was created.
    Gone,
    /// There is a record already; nothing was overwritten.
    Exists,
}

impl Commit {
    /// What must be true of the stored record.
    pub fn expect(&self) -> Expect {
        self.expect
    }

    /// From when the absolute timeout counts.
    pub fn absolute(&self) -> Absolute {
        self.absolute
    }

    /// How long the session may lie unused from now on.
    pub fn idle_timeout(&self) -> Duration {
        self.idle_timeout
    }

    /// The commit's nonce.
    pub fn nonce(&self) -> Nonce {
        self.nonce
    }

    /// How many bytes the record takes.
    pub fn size(&self) -> usize {
        self.unbound.len()
    }

    /// The record that is expected, where its writer has [seen](CommitBuilder::seen) it under this key
    /// in exactly the expected state.
    pub fn seen(&self, key: &SessionKey) -> Option<&Seen> {
        let seen = self.seen.as_ref().filter(|seen| seen.is_under(key))?;
        (self.expect == Expect::Exactly(seen.version())).then_some(seen)
    }

    /// The bytes of the record under this key, in two parts: its head, and the sections that follow.
    /// Whoever writes them somewhere needs no copy of the whole. Where no stamp is given its 48 bytes
    /// are zero, but for the generation 1 and the creation of a session that began
    /// [elsewhere](CommitBuilder::created_elsewhere).
    pub fn parts(&self, key: &SessionKey, stamp: Option<&Stamp>) -> (RecordHead, &[u8]) {
        let stamp = stamp.map_or_else(|| self.empty_stamp(), Stamp::to_bytes);
        bind(&self.unbound, key, &stamp)
    }

    /// The bytes of the record under this key, without a stamp, as [`Commit::parts`] gives them.
    pub fn content(&self, key: &SessionKey) -> Vec<u8> {
        let (head, sections) = self.parts(key, None);
        [&head, sections].concat()
    }

    /// The bytes of the record under this key, with a stamp.
    pub fn stamped(&self, key: &SessionKey, stamp: &Stamp) -> Bytes {
        let (head, sections) = self.parts(key, Some(stamp));
        [&head, sections].concat().into()
    }

    fn empty_stamp(&self) -> StampBytes {
        let mut stamp = [0; size_of::<StampBytes>()];
        if let Some(created) = self.elsewhere {
            let numbers = [Generation::ZERO.next().number(), created.as_millis()];
            for (chunk, number) in stamp.chunks_exact_mut(8).zip(numbers) {
                chunk.copy_from_slice(&number.to_be_bytes());
            }
        }
        stamp
    }

    /// The stamp that this commit makes at `now`, given the stored record that it meets.
    ///
    /// `None` stands for a record that does not exist; a commit that creates starts its absolute
    /// timeout now, also for a session that began elsewhere.
    pub fn stamp(&self, stored: Option<&Stamp>, now: Timestamp) -> Stamp {
        let begun = self.elsewhere.map_or(now, |created| created.min(now));
        let created = stored.map_or(begun, |stored| stored.created.min(now));
        let (started, absolute_deadline) = match (self.absolute, stored) {
            (Absolute::Start(timeout), _) | (Absolute::Prolong(timeout), None) => {
                (now, now + timeout)
            }
            (Absolute::Prolong(timeout), Some(stored)) => (stored.started.min(now), now + timeout),
            (Absolute::Keep, Some(stored)) => (stored.started.min(now), stored.absolute_deadline),
            (Absolute::Keep, None) => (now, now + self.idle_timeout),
        };
        let is_from_elsewhere = stored.is_none() && self.elsewhere.is_some();
        let started = if is_from_elsewhere { Timestamp::UNKNOWN } else { started };
        Stamp {
            generation: stored.map_or(Generation::ZERO, |stored| stored.generation).next(),
            created,
            started,
            touched: now,
            idle_deadline: absolute_deadline.min(now + self.idle_timeout),
            absolute_deadline,
        }
    }

    /// The stamp that this commit makes at `now` if the record under this key is in the expected
    /// state, so that a storage need not look at that record first. `None` where the state is not
    /// known: the commit takes whatever is there, its writer has not [seen](CommitBuilder::seen) what
    /// it expects, or it brings a session from elsewhere.
    pub fn expected_stamp(&self, key: &SessionKey, now: Timestamp) -> Option<Stamp> {
        match self.expect {
            Expect::Absent if self.elsewhere.is_none() => Some(self.stamp(None, now)),
            Expect::Exactly(_) => Some(self.stamp(Some(&self.seen(key)?.stamp()), now)),
            Expect::Absent | Expect::Present => None,
        }
    }

    /// Refuses a record that is larger than `limit` bytes.
    ///
    /// # Errors
    /// [`StorageErrorKind::TooLarge`], which names the largest field.
    pub fn check_size(&self, limit: usize) -> Result<(), StorageError> {
        let size = self.size();
        if size <= limit {
            return Ok(());
        }
        let largest_field = Fields::new(&self.unbound[self.fields_at..])
            .max_by_key(|(name, value)| name.len() + value.len())
            .map(|(name, _)| name.to_owned())
            .unwrap_or_default();
        let message = format!(
            "the session would take {size} bytes, the limit is {limit}; its largest field is `{largest_field}`"
        );
        let kind = StorageErrorKind::TooLarge { size, limit, largest_field };
        Err(StorageError::new(kind, Operation::Commit, message))
    }
}

impl std::fmt::Debug for Commit {
    /// Shows no value, no hash and no owner.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Commit")
            .field("expect", &self.expect)
            .field("absolute", &self.absolute)
            .field("idle_timeout", &self.idle_timeout)
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const NONCE: Nonce = Nonce::from_bytes([7; 16]);

    fn key(first: u8) -> SessionKey {
        let mut bytes = [0; 16];
        bytes[0] = first;
        SessionKey::from_bytes(bytes)
    }

    /// The record of a key in this generation.
    fn record(of: &SessionKey, generation: u64) -> Record {
        let commit = CommitBuilder::new(Expect::Absent).nonce(NONCE).build().unwrap();
        let mut stamp = commit.stamp(None, Timestamp::from_millis(1_000));
        stamp.generation = Generation::new(generation);
        Record::decode(of, commit.stamped(of, &stamp), stamp.touched).unwrap()
    }

    #[test]
    fn a_stamp_is_foretold_only_for_a_state_that_is_known() {
        let (ann, bob, now) = (key(1), key(2), Timestamp::from_millis(5_000));
        let exactly = Expect::Exactly(Version::new(Generation::new(3), NONCE));
        let foretold = |builder: CommitBuilder| builder.build().unwrap().expected_stamp(&ann, now);
        assert_eq!(foretold(CommitBuilder::new(exactly)), None);
        assert_eq!(foretold(CommitBuilder::new(exactly).seen(&record(&ann, 2))), None);
        assert_eq!(foretold(CommitBuilder::new(exactly).seen(&record(&bob, 3))), None);
        assert_eq!(foretold(CommitBuilder::new(Expect::Present).seen(&record(&ann, 3))), None);
        let seen = record(&ann, 3);
        let next = foretold(CommitBuilder::new(exactly).seen(&seen)).unwrap();
        assert_eq!((next.generation, next.created), (Generation::new(4), seen.created()));
        assert_eq!(next.touched, now);
        let first = foretold(CommitBuilder::new(Expect::Absent)).unwrap();
        assert_eq!((first.generation, first.created), (Generation::new(1), now));
    }

    #[test]
    fn no_nonce_comes_twice_in_a_process_by_its_first_half_alone() {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                std::thread::spawn(|| {
                    let nonces = (0..10_000).map(|_| Nonce::generate().unwrap());
                    nonces.map(|nonce| nonce.as_bytes()[..8].to_vec()).collect::<Vec<_>>()
                })
            })
            .collect();
        let all = threads.into_iter().flat_map(|thread| thread.join().unwrap());
        assert_eq!(all.collect::<HashSet<_>>().len(), 40_000);
    }
}
