//! [`Entry`]: what the book knows of one removal.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use cloakroom::{Timestamp, VerifierHash};
use tokio::time::Instant;

use super::register::Mark;

/// The pause after the first failure, which doubles with each further one.
const SHORT_PAUSE: Duration = Duration::from_millis(50);
const LONG_PAUSE: Duration = Duration::from_secs(5);

/// How many tickets of one session may be signed out unseen; a session seldom has two.
const MAX_PROOFS: usize = 4;

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) state: State,
    /// The server's time when the newest removal was asked for.
    pub(super) asked: Option<Timestamp>,
    /// Of which verifiers the record must have one.
    pub(super) proofs: Proofs,
    /// The number of the newest removal; only what began with it or later confirms it.
    pub(super) number: u64,
    /// How many callers are carrying it out.
    pub(super) callers: u32,
    /// Whether the task is carrying it out.
    pub(super) in_hand: bool,
    /// Where it stands in the queue.
    pub(super) place: Option<(Instant, u64)>,
    pub(super) failures: u32,
    /// Whether it has a place among the pending ones that nobody could look at the record for.
    pub(super) counts_as_unseen: bool,
}

/// Which records a removal means, as far as their verifiers go.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Proofs {
    /// Whatever lies under the key.
    Any,
    /// One with one of these. Several where several tickets of one session were signed out.
    These(Vec<VerifierHash>),
}

impl Proofs {
    /// One more removal of the same key, with the verifier that it means. `false` where there is no
    /// room for another one.
    pub(super) fn add(&mut self, proof: Option<VerifierHash>) -> bool {
        match (&mut *self, proof) {
            (Self::Any, _) => true,
            (_, None) => {
                *self = Self::Any;
                true
            }
            (Self::These(known), Some(proof)) if known.contains(&proof) => true,
            (Self::These(known), Some(proof)) => {
                let room = known.len() < MAX_PROOFS;
                if room {
                    known.push(proof);
                }
                room
            }
        }
    }

    /// What the server has to compare; nothing where any record is meant.
    pub(super) fn to_compare(&self) -> Vec<VerifierHash> {
        match self {
            Self::Any => Vec::new(),
            Self::These(known) => known.clone(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing is known yet.
    UnderWay,
    /// Outcome unknown; `age` is its place among the pending ones.
    Pending { age: (Instant, u64) },
    /// The server has carried it out.
    Confirmed { until: Instant },
    /// The server had carried it out, and may have forgotten that.
    Again { since: Instant },
}

impl Entry {
    pub(super) fn under_way(number: u64) -> Self {
        Self {
            state: State::UnderWay,
            asked: None,
            proofs: Proofs::These(Vec::new()),
            number,
            callers: 0,
            in_hand: false,
            place: None,
            failures: 0,
            counts_as_unseen: false,
        }
    }

    /// Whether somebody is carrying it out at present.
    pub(super) fn is_busy(&self) -> bool {
        self.callers > 0 || self.in_hand
    }

    pub(super) fn is_due(&self) -> bool {
        matches!(self.state, State::Pending { .. } | State::Again { .. })
    }

    /// What the register shows of it.
    pub(super) fn mark(&self) -> Mark {
        match self.state {
            State::Confirmed { .. } if self.callers == 0 => Mark::Confirmed { asked: self.asked },
            _ => match &self.proofs {
                Proofs::Any => Mark::Denied,
                Proofs::These(proofs) => Mark::Unseen { proofs: proofs.as_slice().into() },
            },
        }
    }
}

/// Half of a limit that doubles with each failure, and a random part of the other half.
pub(super) fn pause(failures: u32) -> Duration {
    let limit = SHORT_PAUSE.saturating_mul(1 << failures.min(16)).min(LONG_PAUSE);
    let random = RandomState::new().hash_one(failures) as u32;
    limit.mul_f64(0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_five_seconds_and_differ() {
        for (failures, limit) in [(0, 50), (1, 100), (6, 3200), (7, 5000), (u32::MAX, 5000)] {
            let pauses: Vec<_> = (0..200).map(|_| pause(failures)).collect();
            let limit = Duration::from_millis(limit);
            let (shortest, longest) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
            assert!(*shortest >= limit / 2 && *longest <= limit, "{shortest:?} {longest:?}");
            assert!(*longest - *shortest > limit / 4);
        }
    }
}
