//! [`Breaker`]: whether commands are let through to a server at present (circuit breaker).
//!
//! A pool has one for reads and one for writes, since a server that is full or read-only still
//! answers reads. The pool asks it before every command and tells it the outcome; the supervisor
//! tells it what the heartbeat found. It does no I/O and reads no clock.
//!
//! What always holds:
//! - Only failures of the server or of the way to it count: a conflict or a missing record is a
//!   success, a wrong password is neutral.
//! - While a server is well, a call costs two loads of one word that nobody writes. Calls are
//!   counted only while the window holds a failure, because a rate of zero needs no total. So the
//!   rate is that of the calls since the trouble began, and hours of good calls do not hide it.
//! - Open ends by evidence of the heartbeat: users do not pay for finding out. After that a few
//!   calls at a time are let through, and they decide.
//! - A call counts only for the period in which it was admitted. What was sent before an outage and
//!   fails after it does not open a breaker that has closed meanwhile.
//! - The first opening after a good while may end as soon as the heartbeat succeeds; those that
//!   follow last for a second at least. So it opens about once per second at most.

mod machine;
mod policy;
mod window;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloakroom::BreakerState;
use tokio::time::Instant;

use machine::{Machine, Mode};

pub use policy::BreakerPolicy;

/// Lets commands through to a server, or answers in its place.
pub(crate) struct Breaker {
    /// The machine's [`Word`] for those who only look.
    word: AtomicU64,
    machine: Mutex<Machine>,
}

/// What a finished call says about the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It did what it was asked for, or had a good reason not to.
    Success,
    /// It could not be reached, did not answer in time, or takes no such commands at present.
    Failure,
    /// Nothing: the call never went out, or was wrong in itself.
    Neutral,
}

/// What the heartbeat found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProbeResult {
    /// The server answered and takes the breaker's kind of commands, as far as that can be seen.
    Success,
    /// It did not.
    Failure,
}

/// The breaker did not let a call through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    /// When a further try makes sense, counted from now.
    pub(crate) retry_after: Duration,
}

/// The right to make one call. Dropped unfinished it counts nothing.
#[must_use = "the outcome of the call has to be told"]
pub(crate) struct Pass<'a> {
    breaker: &'a Breaker,
    word: Word,
}

/// The mode in the lowest two bits, and the number of the period above them. It changes whenever
/// the breaker's state does.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Word(u64);

impl Word {
    fn of(machine: &Machine) -> Self {
        Self(machine.period() << 2 | machine.mode() as u64)
    }

    fn period(self) -> u64 {
        self.0 >> 2
    }

    fn is(self, mode: Mode) -> bool {
        self.0 & 3 == mode as u64
    }

    fn state(self) -> BreakerState {
        if self.is(Mode::Open) {
            BreakerState::Open
        } else if self.is(Mode::HalfOpen) {
            BreakerState::HalfOpen
        } else {
            BreakerState::Closed
        }
    }
}

impl Breaker {
    /// A closed breaker. The policy must be one without problems.
    pub(crate) fn new(policy: BreakerPolicy, now: Instant) -> Self {
        let machine = Machine::new(policy, now);
        Self { word: AtomicU64::new(Word::of(&machine).0), machine: Mutex::new(machine) }
    }

    /// Asks to make one call.
    ///
    /// An open breaker that nobody has probed for long lets a few calls through as well: a
    /// supervisor that ended with its runtime must not lock everybody out for ever.
    #[inline]
    pub(crate) fn admit(&self, now: Instant) -> Result<Pass<'_>, Open> {
        let word = self.word();
        if word.is(Mode::Calm) || word.is(Mode::Counting) {
            return Ok(Pass { breaker: self, word });
        }
        self.admit_trial(now)
    }

    /// The heartbeat has found something out. `Some` where the state has changed.
    pub(crate) fn probe(&self, result: ProbeResult, now: Instant) -> Option<BreakerState> {
        self.change(|machine| machine.probe(result, now)).1
    }

    /// The present state.
    pub(crate) fn state(&self) -> BreakerState {
        self.word().state()
    }

    fn word(&self) -> Word {
        // Relaxed: whatever belongs to the word is read under the lock.
        Word(self.word.load(Ordering::Relaxed))
    }

    #[cold]
    fn admit_trial(&self, now: Instant) -> Result<Pass<'_>, Open> {
        let (admitted, _) = self.change(|machine| machine.admit(now).map(|()| Word::of(machine)));
        admitted.map(|word| Pass { breaker: self, word })
    }

    #[cold]
    fn finish(&self, admitted: Word, outcome: Outcome, now: Instant) -> Option<BreakerState> {
        self.change(|machine| {
            if machine.period() == admitted.period() {
                machine.finish(outcome, now);
            }
        })
        .1
    }

    #[cold]
    fn give_back(&self, admitted: Word) {
        self.change(|machine| {
            if machine.period() == admitted.period() {
                machine.give_back();
            }
        });
    }

    fn change<T>(&self, step: impl FnOnce(&mut Machine) -> T) -> (T, Option<BreakerState>) {
        let mut machine = self.lock();
        let before = Word::of(&machine);
        let value = step(&mut machine);
        let after = Word::of(&machine);
        if before != after {
            self.word.store(after.0, Ordering::Relaxed);
        }
        (value, (before.state() != after.state()).then(|| after.state()))
    }

    fn lock(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// Tells that the call did what it was asked for. The time is read only where calls are counted.
    #[inline]
    pub(crate) fn succeed(self, now: impl FnOnce() -> Instant) -> Option<BreakerState> {
        if self.breaker.word().is(Mode::Calm) {
            std::mem::forget(self);
            return None;
        }
        self.finish(Outcome::Success, now())
    }

    /// Tells the outcome of the call. `Some` where the state has changed by it.
    #[inline]
    pub(crate) fn finish(self, outcome: Outcome, now: Instant) -> Option<BreakerState> {
        let (breaker, word) = (self.breaker, self.word);
        std::mem::forget(self);
        if outcome != Outcome::Failure && breaker.word().is(Mode::Calm) {
            return None;
        }
        breaker.finish(word, outcome, now)
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.word.is(Mode::HalfOpen) {
            self.breaker.give_back(self.word);
        }
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker").field("state", &self.state()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Pass<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pass").field("state", &self.word.state()).finish_non_exhaustive()
    }
}
