//! [`ServerClock`]: the Redis server's time, known without asking each time.
//!
//! Deadlines are the server's. Every connection, every heartbeat of the first one and most script
//! answers bring the server's time; between two of them the local monotonic clock counts on. The
//! application's own wall clock plays no part, so one that is an hour off neither ends nor prolongs a
//! session. Only that it has *moved* is looked at: a machine that slept counts on from where it was.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cloakroom::Timestamp;
use redis::{Cmd, ParsingError, Value};

/// For how long the server's time may be counted on here before somebody writes by it: longer than a
/// few heartbeats by default, and short enough to be wrong by.
const RECENT: Duration = Duration::from_secs(3);

/// The server's time at this process's start of counting, and what has passed since.
#[derive(Debug)]
pub(crate) struct ServerClock {
    start: Instant,
    /// The server's microseconds since the epoch at `start`. In milliseconds this clock could be one
    /// ahead of the server's.
    at_start: AtomicU64,
    /// When it was told: in milliseconds since `start`, and by this machine's wall clock.
    told: [AtomicU64; 2],
}

impl ServerClock {
    /// A clock that has not been set yet.
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), at_start: AtomicU64::new(0), told: Default::default() }
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
        for (told, now) in self.told.iter().zip(self.own()) {
            told.store(now, Ordering::Relaxed);
        }
        let at_start = now.as_millis().saturating_mul(1000).saturating_sub(self.micros());
        self.at_start.store(at_start, Ordering::Relaxed);
    }

    /// The server's time now; `None` as long as it has not been told.
    pub(crate) fn told(&self) -> Option<Timestamp> {
        (self.at_start.load(Ordering::Relaxed) != 0).then(|| self.now())
    }

    /// The server's time now, for writing by it; `None` where it was not told lately, or this machine
    /// has slept or was set since.
    pub(crate) fn recent(&self) -> Option<Timestamp> {
        let mut ages = self.told.iter().zip(self.own());
        let is_recent = |(told, now): (&AtomicU64, u64)| {
            u128::from(now.abs_diff(told.load(Ordering::Relaxed))) <= RECENT.as_millis()
        };
        self.told().filter(|_| ages.all(is_recent))
    }

    /// The server's time now.
    pub(crate) fn now(&self) -> Timestamp {
        let micros = self.at_start.load(Ordering::Relaxed).saturating_add(self.micros());
        Timestamp::from_millis(micros / 1000)
    }

    /// The time by this machine's own clocks.
    fn own(&self) -> [u64; 2] {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        [self.micros() / 1000, u64::try_from(wall.as_millis()).unwrap_or(u64::MAX)]
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
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
    fn the_clock_is_never_ahead_of_the_servers() {
        let (clock, server) = (clock(), Timestamp::from_millis(1_000_000_000_000));
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(20) {
            let set = Instant::now();
            clock.set(server);
            while set.elapsed() < Duration::from_micros(100) {}
            let shown = clock.now();
            assert!(shown <= server + set.elapsed(), "{shown:?}");
        }
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

    #[test]
    fn a_time_that_was_told_long_ago_is_not_written_by() {
        let clock = clock();
        assert_eq!(clock.recent(), None, "it was never told");
        clock.set(Timestamp::from_millis(1_000_000_000_000));
        assert!(clock.recent().is_some());
        let start = clock.start.checked_sub(RECENT + Duration::from_secs(1)).unwrap();
        let later = ServerClock { start, ..clock };
        assert_eq!(later.recent(), None);
        assert!(later.told().is_some());
    }

    #[test]
    fn a_machine_that_slept_does_not_write_by_the_time_before() {
        let clock = clock();
        clock.set(Timestamp::from_millis(1_000_000_000_000));
        let [_, wall] = &clock.told;
        // The monotonic clock has stood still, the wall clock has not.
        wall.fetch_sub(3_600_000, Ordering::Relaxed);
        assert_eq!(clock.recent(), None);
        clock.set(Timestamp::from_millis(1_000_003_600_000));
        assert!(clock.recent().is_some());
    }
}
