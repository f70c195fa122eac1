//! [`Window`]: how many calls there were lately, and how many of them failed. It counts only from
//! a first failure on, so an empty window means that all is well.

use std::time::Duration;

use tokio::time::Instant;

const SLICES: usize = 10;

/// The calls of the last ten slices of time.
#[derive(Debug)]
pub(super) struct Window {
    start: Instant,
    slice: Duration,
    /// The number of the newest slice, counted from `start`.
    newest: u64,
    slices: [Counts; SLICES],
    total: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    calls: u64,
    failures: u64,
}

impl Window {
    pub(super) fn new(length: Duration, now: Instant) -> Self {
        Self {
            start: now,
            slice: length / SLICES as u32,
            newest: 0,
            slices: [Counts::default(); SLICES],
            total: Counts::default(),
        }
    }

    pub(super) fn success(&mut self, now: Instant) {
        self.advance(now);
        if self.total.failures == 0 {
            return self.clear();
        }
        self.count(0);
    }

    pub(super) fn failure(&mut self, now: Instant) {
        self.advance(now);
        if self.total.failures == 0 {
            self.clear();
        }
        self.count(1);
    }

    pub(super) fn clear(&mut self) {
        self.slices = [Counts::default(); SLICES];
        self.total = Counts::default();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.total.calls == 0
    }

    pub(super) fn calls(&self) -> u64 {
        self.total.calls
    }

    /// The share of the calls that failed.
    pub(super) fn failure_rate(&self) -> f64 {
        self.total.failures as f64 / self.total.calls.max(1) as f64
    }

    fn count(&mut self, failures: u64) {
        let slice = &mut self.slices[self.newest as usize % SLICES];
        for counts in [slice, &mut self.total] {
            counts.calls += 1;
            counts.failures += failures;
        }
    }

    /// Forgets what is too old. A thread that looked at the clock a little earlier than the one
    /// before it counts in the newest slice.
    fn advance(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.start).as_nanos() / self.slice.as_nanos();
        let number = u64::try_from(passed).unwrap_or(u64::MAX);
        let behind = number.saturating_sub(self.newest);
        for step in 1..=behind.min(SLICES as u64) {
            let slice = &mut self.slices[(self.newest + step) as usize % SLICES];
            self.total.calls -= slice.calls;
            self.total.failures -= slice.failures;
            *slice = Counts::default();
        }
        self.newest += behind;
    }
}
