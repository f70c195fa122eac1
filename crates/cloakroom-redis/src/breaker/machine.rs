//! [`Machine`]: the breaker's states and what leads from one to the next. One thread at a time; the
//! [`Breaker`](super::Breaker) holds the lock.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use tokio::time::Instant;

use super::window::Window;
use super::{BreakerPolicy, Open, Outcome, ProbeResult};

/// A breaker that has opened again does not let the first calls through earlier than this.
const PAUSE_OF_A_REPEATED_OPENING: Duration = Duration::from_secs(1);

/// What the others may know without the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Closed, and no call has failed lately.
    Calm = 0,
    /// Closed, and calls are counted.
    Counting = 1,
    Open = 2,
    HalfOpen = 3,
}

#[derive(Debug)]
pub(super) struct Machine {
    policy: BreakerPolicy,
    phase: Phase,
    /// Counts the phases.
    period: u64,
    /// How often it has opened without staying closed for long in between.
    openings: u32,
    /// The last probe failed.
    probe_failed: bool,
    /// A probe has succeeded after one that failed, and none has failed since.
    recovered: bool,
    /// When the last probe came.
    probed: Instant,
}

#[derive(Debug)]
enum Phase {
    Closed { since: Instant, failures_in_a_row: u32, window: Box<Window> },
    Open { since: Instant, until: Instant },
    HalfOpen { since: Instant, under_way: u32, successes: u32 },
}

impl Machine {
    pub(super) fn new(policy: BreakerPolicy, now: Instant) -> Self {
        let window = Box::new(Window::new(policy.window, now));
        Self {
            policy,
            phase: Phase::Closed { since: now, failures_in_a_row: 0, window },
            period: 0,
            openings: 0,
            probe_failed: false,
            recovered: false,
            probed: now,
        }
    }

    pub(super) fn period(&self) -> u64 {
        self.period
    }

    pub(super) fn mode(&self) -> Mode {
        match &self.phase {
            Phase::Closed { window, .. } if window.is_empty() => Mode::Calm,
            Phase::Closed { .. } => Mode::Counting,
            Phase::Open { .. } => Mode::Open,
            Phase::HalfOpen { .. } => Mode::HalfOpen,
        }
    }

    pub(super) fn admit(&mut self, now: Instant) -> Result<(), Open> {
        if let Phase::Open { since, until } = self.phase {
            let forgotten = self.policy.open_for_at_most * 2;
            // The heartbeat has seen the server well; the next one may be half a second away.
            let is_well = self.recovered && now >= since + self.pause();
            if !is_well && (now < until || now < self.probed + forgotten) {
                let rest = until.saturating_duration_since(now);
                return Err(Open { retry_after: self.at_least_a_moment(rest) });
            }
            self.half_open(now);
        }
        if let Phase::HalfOpen { under_way, .. } = &mut self.phase {
            if *under_way >= self.policy.trials {
                return Err(Open { retry_after: self.at_least_a_moment(Duration::ZERO) });
            }
            *under_way += 1;
        }
        Ok(())
    }

    /// A call of the present period has ended.
    pub(super) fn finish(&mut self, outcome: Outcome, now: Instant) {
        self.give_back();
        match (&mut self.phase, outcome) {
            (_, Outcome::Neutral) | (Phase::Open { .. }, _) => {}
            (Phase::Closed { failures_in_a_row, window, .. }, Outcome::Success) => {
                *failures_in_a_row = 0;
                window.success(now);
            }
            (Phase::Closed { failures_in_a_row, window, .. }, Outcome::Failure) => {
                *failures_in_a_row += 1;
                window.failure(now);
                let enough = window.calls() >= u64::from(self.policy.minimum_calls);
                if *failures_in_a_row >= self.policy.consecutive_failures
                    || enough && window.failure_rate() >= self.policy.failure_rate
                {
                    self.open(now);
                }
            }
            (Phase::HalfOpen { successes, .. }, Outcome::Success) => {
                *successes += 1;
                if *successes >= self.policy.successes_to_close {
                    self.close(now);
                }
            }
            (Phase::HalfOpen { .. }, Outcome::Failure) => self.open(now),
        }
    }

    /// A call of the present period was given up; a trial's place is free again.
    pub(super) fn give_back(&mut self) {
        if let Phase::HalfOpen { under_way, .. } = &mut self.phase {
            *under_way = under_way.saturating_sub(1);
        }
    }

    pub(super) fn probe(&mut self, result: ProbeResult, now: Instant) {
        let failed_before =
            std::mem::replace(&mut self.probe_failed, result == ProbeResult::Failure);
        // Kept, because the first success may come before the breaker may act upon it.
        self.recovered = !self.probe_failed && (self.recovered || failed_before);
        self.probed = now;
        if self.probe_failed {
            return;
        }
        match self.phase {
            Phase::Open { until, .. } if now >= until => self.half_open(now),
            Phase::Open { since, .. } if self.recovered && now >= since + self.pause() => {
                self.half_open(now);
            }
            // Nobody makes calls; the heartbeat has the last word.
            Phase::HalfOpen { since, .. } if now >= since + self.policy.open_for_at_most => {
                self.close(now);
            }
            _ => {}
        }
    }

    /// How long an opening lasts even if the server is well again.
    fn pause(&self) -> Duration {
        if self.openings <= 1 { Duration::ZERO } else { PAUSE_OF_A_REPEATED_OPENING }
    }

    fn open(&mut self, now: Instant) {
        if let Phase::Closed { since, .. } = self.phase
            && now >= since + self.policy.open_for_at_most
        {
            self.openings = 0;
        }
        let doubled = self.policy.open_for.saturating_mul(1 << self.openings.min(20));
        let length = doubled.min(self.policy.open_for_at_most).mul_f64(random_share(self.period));
        self.openings = self.openings.saturating_add(1);
        self.enter(Phase::Open { since: now, until: now + length.max(self.pause()) });
    }

    fn half_open(&mut self, now: Instant) {
        self.enter(Phase::HalfOpen { since: now, under_way: 0, successes: 0 });
    }

    fn close(&mut self, now: Instant) {
        let window = Box::new(Window::new(self.policy.window, now));
        self.enter(Phase::Closed { since: now, failures_in_a_row: 0, window });
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.recovered = false;
        self.period += 1;
    }

    /// Where nobody can tell when the server will be well, another try makes sense after the time
    /// of a short opening.
    fn at_least_a_moment(&self, rest: Duration) -> Duration {
        if rest.is_zero() { self.policy.open_for } else { rest }
    }
}

/// Between 0.8 and 1.2, so that many applications do not come back at once.
fn random_share(salt: u64) -> f64 {
    let random = RandomState::new().hash_one(salt) as u32;
    0.8 + 0.4 * f64::from(random) / f64::from(u32::MAX)
}
