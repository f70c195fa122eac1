//! [`BreakerPolicy`]: when a circuit breaker opens, for how long, and what closes it.

use std::time::Duration;

use cloakroom::Problem;

/// The shortest time that a window or an open breaker may last.
const SHORTEST: Duration = Duration::from_millis(10);

/// The longest. A breaker that is open for longer is an outage of its own.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// When a circuit breaker opens, for how long, and what closes it.
///
/// A storage of sessions is on the path of every request, and a failover lasts for a few seconds.
/// So the defaults react within a handful of calls, and look again after half a second.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BreakerPolicy {
    /// So many failures without a success between them open it; 5. Servers with few callers need
    /// this rule, since they never reach `minimum_calls`.
    pub consecutive_failures: u32,
    /// This share of failures within the window opens it, between 0 and 1; 0.5. Calls are counted
    /// from the first failure on.
    pub failure_rate: f64,
    /// The share says nothing about fewer calls than these; 20.
    pub minimum_calls: u32,
    /// For how long a call counts; 10 s.
    pub window: Duration,
    /// For how long it is open the first time, give or take a fifth; 500 ms. Each time that follows
    /// lasts twice as long as the one before.
    pub open_for: Duration,
    /// The longest time that it is open, give or take a fifth, once the server answers; 10 s. When
    /// it has stayed closed for that long, the next opening is a first one again.
    pub open_for_at_most: Duration,
    /// How many calls may be under way at once while it is half open; 5.
    pub trials: u32,
    /// So many of them must succeed to close it; 3.
    pub successes_to_close: u32,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self {
            consecutive_failures: 5,
            failure_rate: 0.5,
            minimum_calls: 20,
            window: Duration::from_secs(10),
            open_for: Duration::from_millis(500),
            open_for_at_most: Duration::from_secs(10),
            trials: 5,
            successes_to_close: 3,
        }
    }
}

impl BreakerPolicy {
    /// Every problem of the policy; an empty list where there is none.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let counts = [
            ("consecutive_failures", self.consecutive_failures, "5"),
            ("minimum_calls", self.minimum_calls, "20"),
            ("trials", self.trials, "5"),
            ("successes_to_close", self.successes_to_close, "3"),
        ];
        for (field, count, advice) in counts {
            if count == 0 {
                problems.push(Problem::new(field, format!("must be at least 1; use {advice}")));
            }
        }
        if !(self.failure_rate > 0.0 && self.failure_rate <= 1.0) {
            let message = format!("{} is not above 0 and up to 1; use 0.5", self.failure_rate);
            problems.push(Problem::new("failure_rate", message));
        }
        let times = [
            ("window", self.window, "10s"),
            ("open_for", self.open_for, "500ms"),
            ("open_for_at_most", self.open_for_at_most, "10s"),
        ];
        for (field, time, advice) in times {
            if !(SHORTEST..=LONGEST).contains(&time) {
                let message = format!("{time:?} is not between 10ms and 1h; use {advice}");
                problems.push(Problem::new(field, message));
            }
        }
        if self.open_for > self.open_for_at_most {
            let message = format!(
                "{:?} is longer than the open_for_at_most of {:?}",
                self.open_for, self.open_for_at_most
            );
            problems.push(Problem::new("open_for", message));
        }
        problems
    }
}
