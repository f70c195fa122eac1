//! [`Pace`]: so many operations per second over all clients, and an end.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

pub(super) struct Pace {
    state: Mutex<State>,
    interval: Duration,
    end: Option<Instant>,
}

struct State {
    next: Instant,
    left: u64,
}

impl Pace {
    pub(super) fn new(per_second: Option<u32>, duration: Option<Duration>, left: u64) -> Self {
        let now = Instant::now();
        let interval =
            per_second.map_or(Duration::ZERO, |rate| Duration::from_secs(1) / rate.max(1));
        let end = duration.map(|duration| now + duration);
        Self { state: Mutex::new(State { next: now, left }), interval, end }
    }

    /// Waits for the turn to do one operation; `false` where there are no more.
    ///
    /// What a stall has kept clients from doing is not made up for: a storm after it would be a
    /// load that nobody asked for.
    pub(super) async fn turn(&self) -> bool {
        let Some(turn) = self.claim() else { return false };
        if self.interval.is_zero() {
            // Clients whose storage never makes them wait share a thread all the same.
            tokio::task::yield_now().await;
        } else {
            sleep_until(turn).await;
        }
        true
    }

    fn claim(&self) -> Option<Instant> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = state.next.max(Instant::now());
        if state.left == 0 || self.end.is_some_and(|end| turn >= end) {
            return None;
        }
        state.left -= 1;
        state.next = turn + self.interval;
        Some(turn)
    }
}
