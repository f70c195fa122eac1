//! [`ServerClock`]: the Redis server's time, known without asking each time.
//!
//! Deadlines are the server's. Every connection, every heartbeat of the first one and most script
//! answers bring the server's time; between two of them the local monotonic clock counts on. The application's own wall clock plays
//! no part, so one that is an hour off neither ends nor prolongs a session.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use cloakroom::Timestamp;
use redis::{Cmd, ParsingError, Value};

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

    /// The command that asks for the server's time.
    pub(crate) fn ask() -> Cmd {
        redis::cmd("TIME")
    }

    /// Reads the server's answer to it.
    pub(crate) fn read(answer: Value) -> Result<Timestamp, ParsingError> {
        let (seconds, micros): (u64, u64) = redis::from_redis_value(answer)?;
        let millis = seconds.saturating_mul(1000).saturating_add(micros / 1000);
        Ok(Timestamp::from_millis(millis))
    }

    /// The server has just said what time it is.
    pub(crate) fn set(&self, now: Timestamp) {
        let at_start = now.as_millis().saturating_sub(self.elapsed());
        self.at_start.store(at_start, Ordering::Relaxed);
    }

    /// The server's time now; `None` as long as it has not been told.
    pub(crate) fn told(&self) -> Option<Timestamp> {
        (self.at_start.load(Ordering::Relaxed) != 0).then(|| self.now())
    }

    /// The server's time now.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.at_start.load(Ordering::Relaxed) + self.elapsed())
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A clock of a process that has been running for a minute.
    fn clock() -> ServerClock {
        let clock = ServerClock::new();
        let start = clock.start.checked_sub(Duration::from_secs(60)).unwrap();
        ServerClock { start, ..clock }
    }

    /// The clock is read right after it was set; a busy machine may take a second for that.
    fn assert_shows(clock: &ServerClock, server: Timestamp) {
        let shown = clock.now();
        assert!((server..server + Duration::from_secs(1)).contains(&shown), "{shown:?}");
    }

    #[test]
    fn the_clock_shows_the_servers_time_and_never_the_applications() {
        let clock = clock();
        let hour = Duration::from_secs(3600);
        let server = Timestamp::from_millis(1_000_000_000_000);
        for time in [server, server + hour, server, Timestamp::from_millis(hour.as_millis() as u64)]
        {
            clock.set(time);
            assert_shows(&clock, time);
        }
    }

    #[test]
    fn the_clock_goes_on_between_two_answers() {
        let clock = clock();
        clock.set(Timestamp::from_millis(1_000_000_000_000));
        let start = clock.start.checked_sub(Duration::from_secs(5)).unwrap();
        let five_seconds_later = ServerClock { start, ..clock };
        assert_shows(&five_seconds_later, Timestamp::from_millis(1_000_000_005_000));
    }

    #[test]
    fn a_server_whose_clock_has_just_begun_is_no_reason_to_panic() {
        let clock = clock();
        clock.set(Timestamp::from_millis(0));
        assert!(clock.now() < Timestamp::from_millis(120_000));
    }
}
