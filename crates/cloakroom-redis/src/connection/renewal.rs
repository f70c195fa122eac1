//! [`Renewal`]: looks at all connections in the background once one of them broke or kept silent,
//! and opens those that are missing. There is one at a time, and it opens one connection at a time,
//! so that a server in trouble gets no storm.
//!
//! It goes on until every slot has a connection that answers. The pool's drop ends it.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::task::AbortHandle;

use super::connector::Proof;
use super::slots::Slots;

/// The pause after the first failure is at most this long, and after each one twice as long.
const SHORT_PAUSE: Duration = Duration::from_millis(50);
const LONG_PAUSE: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(super) struct Renewal {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Somebody has had trouble since the last look at all connections began.
    wanted: bool,
    task: Option<AbortHandle>,
}

/// How a look at all connections ended.
enum Round {
    /// Each has answered.
    Done,
    /// One could not be opened.
    Failed,
    /// The pool is gone.
    Over,
}

impl Slots {
    /// Has all connections looked at, and those replaced that do not work.
    pub(super) fn renew(self: &Arc<Self>) {
        let mut state = self.renewal().state.lock().unwrap_or_else(PoisonError::into_inner);
        state.wanted = true;
        // A task that has ended with its runtime is finished too, and another one takes its place.
        if state.task.as_ref().is_none_or(AbortHandle::is_finished) {
            state.task = Some(tokio::spawn(run(Arc::downgrade(self))).abort_handle());
        }
    }
}

impl Renewal {
    fn begin(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).wanted = false;
    }

    /// Whether the task may end: nobody has asked for another look meanwhile.
    fn end(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.wanted {
            // Under the lock: whoever asks from now on starts another task.
            state.task = None;
        }
        !state.wanted
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = &state.task {
            task.abort();
        }
    }
}

async fn run(slots: Weak<Slots>) {
    let mut failures = 0;
    loop {
        match round(&slots).await {
            Round::Done => {
                failures = 0;
                if slots.upgrade().is_none_or(|slots| slots.renewal().end()) {
                    return;
                }
            }
            Round::Failed => {
                tokio::time::sleep(pause(failures)).await;
                failures += 1;
            }
            Round::Over => return,
        }
    }
}

/// Looks at one connection after the other. What it waits for, it waits for without holding the
/// pool's connections.
async fn round(weak: &Weak<Slots>) -> Round {
    let Some(slots) = weak.upgrade() else { return Round::Over };
    slots.renewal().begin();
    let (connector, limit) = (slots.connector.clone(), slots.proof_limit);
    drop(slots);
    for at in 0.. {
        let Some(slots) = weak.upgrade() else { return Round::Over };
        let Some(slot) = slots.get(at).cloned() else { return Round::Done };
        drop(slots);
        if let Some(mut live) = slot.live() {
            match connector.prove(&mut live.connection, limit).await {
                Proof::Answered => {
                    slot.trust(live.number);
                    continue;
                }
                Proof::Broken => slot.retire(&live),
                // It stays until another one takes its place: whoever waits for an answer there may
                // still get it, and a server that does not answer at all would not answer a new
                // connection either.
                Proof::Silent => drop(slot.suspect(live.number)),
            }
        }
        let Some(slots) = weak.upgrade() else { return Round::Over };
        let opening = slots.opening(&slot);
        drop(slots);
        if opening.outcome().await.is_err() {
            return Round::Failed;
        }
    }
    Round::Done
}

/// Anything up to a limit that doubles with each failure: many applications that lost the same
/// server do not come back to it at once.
fn pause(failures: u32) -> Duration {
    let limit = SHORT_PAUSE.saturating_mul(1 << failures.min(16)).min(LONG_PAUSE);
    let random = RandomState::new().hash_one(failures) as u32;
    limit.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_two_seconds_and_differ() {
        for (failures, limit) in [(0, 50), (1, 100), (5, 1600), (6, 2000), (u32::MAX, 2000)] {
            let pauses: Vec<_> = (0..200).map(|_| pause(failures)).collect();
            let (limit, longest) = (Duration::from_millis(limit), pauses.iter().max().unwrap());
            assert!(*longest <= limit && *longest > limit / 2, "{longest:?}");
            assert!(pauses.iter().min().unwrap() < &(limit / 2));
        }
    }
}
