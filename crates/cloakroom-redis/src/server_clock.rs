//! [`ServerClock`]: the Redis server's time, known without asking each time.
//!
//! Deadlines are the server's. Every connection and every script answer brings the server's time;
//! between two of them the local monotonic clock counts on. The application's own wall clock plays
//! no part, so one that is an hour off neither ends nor prolongs a session.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use cloakroom::Timestamp;

/// The server's time at this process's start of counting, and what has passed since.
#[derive(Debug)]
pub(crate) struct ServerClock {
    start: Instant,
    /// The server's milliseconds since the epoch at `start`.
    at_start: AtomicU64,
}

impl ServerClock {
    /// A clock that has not been set yet.
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), at_start: AtomicU64::new(0) }
    }

    /// The server has just said what time it is.
    pub(crate) fn set(&self, now: Timestamp) {
        let at_start = now.as_millis().saturating_sub(self.elapsed());
        self.at_start.store(at_start, Ordering::Relaxed);
    }

    /// The server's time now.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.at_start.load(Ordering::Relaxed) + self.elapsed())
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
