//! [`Worker`]: one of those who work at once. Each has sessions of its own, so that none meets what
//! another one has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cloakroom::{SessionError, StorageErrorKind};
use cloakroom_redis::RedisSessionStorage;
use tokio::time::Instant;

use super::deed::Deed;
use super::figures::Tally;
use super::plan::{Phase, Plan};

/// One of those who work at once.
pub(super) struct Worker {
    pub(super) storage: RedisSessionStorage,
    pub(super) run: Arc<str>,
    pub(super) number: u64,
    /// How many workers there are.
    pub(super) of: u64,
    pub(super) stop: Arc<AtomicBool>,
    /// How many of its sessions are there: those with the numbers below this.
    pub(super) made: u64,
    /// How many more may be there, for nobody knows what became of an operation: one or none.
    pub(super) perhaps: u64,
}

/// What a worker is done with.
pub(super) struct Worked {
    pub(super) worker: Worker,
    pub(super) tally: Tally,
}

impl Worker {
    /// Works in a phase until it is over: as many operations as there are sessions, or as many as
    /// there is time for. Where there was no time to make all sessions, the others do not exist for
    /// the phases that follow.
    pub(super) async fn work(mut self, phase: Phase, plan: Plan, mut tally: Tally) -> Worked {
        let end = Instant::now() + plan.limit(phase);
        let tries = match phase {
            Phase::SignIn => self.own(plan.sessions),
            Phase::SignOut => self.made,
            Phase::Read | Phase::Write | Phase::Mixed if self.made == 0 => 0,
            Phase::Read | Phase::Write | Phase::Mixed => u64::MAX,
        };
        for number in 0..tries {
            if self.stop.load(Ordering::Relaxed) || Instant::now() >= end {
                break;
            }
            let (session, made) = match phase {
                Phase::SignIn => (self.made, self.made + 1),
                Phase::SignOut => (self.made - 1, self.made - 1),
                Phase::Read | Phase::Write | Phase::Mixed => (number % self.made, self.made),
            };
            let (deed, name) = (Deed::of(phase, number + self.number), self.name(session));
            let begin = Instant::now();
            match deed.carry_out(&self.storage, &name).await {
                Ok(()) => {
                    tally.done(begin.elapsed());
                    self.made = made;
                }
                Err(error) => {
                    self.perhaps = self.perhaps.max(u64::from(is_unknown(&error)));
                    tally.failed(error);
                }
            }
        }
        Worked { worker: self, tally }
    }

    /// Removes every session of this worker; answers how many may still be there.
    pub(super) async fn clean(&self) -> u64 {
        let mut left = 0;
        for number in 0..self.made + self.perhaps {
            let gone = Deed::SignOut.carry_out(&self.storage, &self.name(number)).await;
            left += u64::from(gone.is_err());
        }
        left
    }

    /// How many of the sessions are this worker's.
    fn own(&self, sessions: u64) -> u64 {
        sessions / self.of + u64::from(self.number < sessions % self.of)
    }

    fn name(&self, number: u64) -> String {
        format!("{}-{}-{number}", self.run, self.number)
    }
}

/// Whether an operation that failed may have been carried out.
fn is_unknown(error: &SessionError) -> bool {
    let SessionError::Storage(error) = error else { return false };
    matches!(error.kind(), StorageErrorKind::Timeout { .. } | StorageErrorKind::Unavailable)
}
