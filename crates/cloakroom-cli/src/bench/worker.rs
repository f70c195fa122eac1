//! [`Worker`]: one of those who work at once. Each has sessions of its own, so that none meets what
//! another one has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
}

/// What a worker is done with.
pub(super) struct Worked {
    pub(super) worker: Worker,
    pub(super) tally: Tally,
}

impl Worker {
    /// Works in a phase until it is over: as many operations as there are sessions, or as many as
    /// there is time for.
    pub(super) async fn work(self, phase: Phase, plan: Plan, mut tally: Tally) -> Worked {
        let end = Instant::now() + plan.limit(phase);
        let own = self.own(plan.sessions);
        let count = match phase {
            Phase::SignIn | Phase::SignOut => own,
            Phase::Read | Phase::Write | Phase::Mixed => u64::MAX,
        };
        for number in 0..count {
            if self.stop.load(Ordering::Relaxed) || Instant::now() >= end {
                break;
            }
            let name = self.name(number % own);
            let begin = Instant::now();
            match Deed::of(phase, number + self.number).carry_out(&self.storage, &name).await {
                Ok(()) => tally.done(begin.elapsed()),
                Err(error) => tally.failed(error),
            }
        }
        Worked { worker: self, tally }
    }

    /// Removes every session of this worker; answers how many may still be there.
    pub(super) async fn clean(&self, sessions: u64) -> u64 {
        let mut left = 0;
        for number in 0..self.own(sessions) {
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
