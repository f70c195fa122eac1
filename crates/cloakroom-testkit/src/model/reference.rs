//! [`Reference`]: the storage as the laws describe it, with plain maps and plain numbers. It shares
//! no code with the core's own arithmetic, so that a mistake there is not made twice.

use std::collections::BTreeMap;

use cloakroom::{Absolute, Commit, Expect, Nonce, SessionKey, Stamp};

/// The model storage. Times are milliseconds.
#[derive(Debug, Default)]
pub(super) struct Reference {
    records: BTreeMap<SessionKey, Stored>,
}

/// A record of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) times: Times,
    pub(super) idle_timeout: u64,
    pub(super) nonce: Nonce,
    /// The record's bytes, its stamp empty.
    content: Vec<u8>,
}

/// A stamp in plain numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) generation: u64,
    pub(super) created: u64,
    pub(super) started: u64,
    pub(super) touched: u64,
    pub(super) idle_deadline: u64,
    pub(super) absolute_deadline: u64,
}

/// What a commit must answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Applied(Times),
    Conflict(Stored),
    Gone,
    Exists,
}

/// What a touch must answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TouchOutcome {
    Extended(Times),
    Unchanged,
    Gone,
}

impl Reference {
    pub(super) fn load(&self, key: &SessionKey) -> Option<&Stored> {
        self.records.get(key)
    }

    pub(super) fn commit(&mut self, key: &SessionKey, commit: &Commit, now: u64) -> Outcome {
        let stored = self.records.get(key);
        if let Some(stored) = stored.filter(|stored| stored.nonce == commit.nonce()) {
            return Outcome::Applied(stored.times);
        }
        match (commit.expect(), stored) {
            (Expect::Absent, Some(_)) => return Outcome::Exists,
            (Expect::Present | Expect::Exactly(_), None) => return Outcome::Gone,
            (Expect::Exactly(wanted), Some(stored))
                if (wanted.generation().number(), wanted.nonce())
                    != (stored.times.generation, stored.nonce) =>
            {
                return Outcome::Conflict(stored.clone());
            }
            _ => {}
        }
        let idle_timeout = commit.idle_timeout().as_millis() as u64;
        let absolute_deadline = match (commit.absolute(), stored) {
            (Absolute::Start(timeout) | Absolute::Prolong(timeout), _) => {
                now + timeout.as_millis() as u64
            }
            (Absolute::Keep, Some(stored)) => stored.times.absolute_deadline,
            (Absolute::Keep, None) => now + idle_timeout,
        };
        let started = match (commit.absolute(), stored) {
            (Absolute::Keep | Absolute::Prolong(_), Some(stored)) => stored.times.started.min(now),
            _ => now,
        };
        let times = Times {
            generation: stored.map_or(1, |stored| stored.times.generation + 1),
            // The server's clock may have been put back, if only by a millisecond.
            created: stored.map_or(now, |stored| stored.times.created.min(now)),
            started,
            touched: now,
            idle_deadline: u64::min(now + idle_timeout, absolute_deadline),
            absolute_deadline,
        };
        let (nonce, content) = (commit.nonce(), commit.content(key));
        self.records.insert(*key, Stored { times, idle_timeout, nonce, content });
        Outcome::Applied(times)
    }

    pub(super) fn touch(&mut self, key: &SessionKey, now: u64) -> TouchOutcome {
        let Some(stored) = self.records.get_mut(key) else { return TouchOutcome::Gone };
        let deadline = u64::min(now + stored.idle_timeout, stored.times.absolute_deadline);
        if deadline <= stored.times.idle_deadline {
            return TouchOutcome::Unchanged;
        }
        stored.times.touched = now;
        stored.times.idle_deadline = deadline;
        TouchOutcome::Extended(stored.times)
    }

    pub(super) fn destroy(&mut self, key: &SessionKey) -> bool {
        self.records.remove(key).is_some()
    }

    /// A session lives up to and including the millisecond of its deadline.
    pub(super) fn expire(&mut self, now: u64) {
        self.records.retain(|_, stored| now <= stored.times.idle_deadline);
    }

    pub(super) fn sessions(&self) -> u64 {
        self.records.len() as u64
    }

    pub(super) fn bytes(&self) -> u64 {
        self.records.values().map(|stored| stored.content.len() as u64).sum()
    }
}

impl Stored {
    /// The bytes that a storage must give back: the content around the stamp, 48 bytes from the
    /// eighth on, six numbers of eight bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.content.clone();
        let times = self.times;
        let numbers = [
            times.generation,
            times.created,
            times.started,
            times.touched,
            times.idle_deadline,
            times.absolute_deadline,
        ];
        for (at, number) in numbers.into_iter().enumerate() {
            bytes[8 + 8 * at..16 + 8 * at].copy_from_slice(&number.to_be_bytes());
        }
        bytes
    }
}

impl From<Stamp> for Times {
    fn from(stamp: Stamp) -> Self {
        Self {
            generation: stamp.generation.number(),
            created: stamp.created.as_millis(),
            started: stamp.started.as_millis(),
            touched: stamp.touched.as_millis(),
            idle_deadline: stamp.idle_deadline.as_millis(),
            absolute_deadline: stamp.absolute_deadline.as_millis(),
        }
    }
}
