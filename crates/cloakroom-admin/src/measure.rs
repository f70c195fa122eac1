//! [`Measure`]: how much of something there may be: some at once, and then one after each pause. The
//! throttle counts guesses with it and the audit trail refusals. What is kept of it is one moment, the
//! one at which all is there again.

use std::time::Duration;

use tokio::time::Instant;

/// Some at once, and then one after each pause.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure {
    pub(crate) at_once: u32,
    pub(crate) each: Duration,
}

impl Measure {
    /// How long until there is one; zero where there is one now.
    pub(crate) fn wait(self, full_at: Instant, now: Instant) -> Duration {
        let missing = full_at.saturating_duration_since(now);
        missing.saturating_sub(self.each * self.at_once.saturating_sub(1))
    }

    /// When all is there again after one more was taken.
    pub(crate) fn take(self, full_at: Instant, now: Instant) -> Instant {
        full_at.max(now) + self.each
    }
}
