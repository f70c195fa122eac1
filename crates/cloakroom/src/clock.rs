//! Time as Cloakroom sees it: [`Timestamp`] and the [`Clock`] that tells it.
//!
//! Nothing else in the core asks the operating system for the time, so a test can hold the clock
//! in its hand. Storages with a clock of their own (a Redis server) ignore this one for deadlines.

use std::fmt;
use std::ops::Add;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment in milliseconds since the Unix epoch.
///
/// ```
/// use std::time::Duration;
/// use cloakroom::Timestamp;
///
/// let noon = Timestamp::from_millis(43_200_000);
/// assert_eq!((noon + Duration::from_secs(1)).as_millis(), 43_201_000);
/// assert_eq!(noon.until(noon + Duration::from_secs(1)), Duration::from_secs(1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment that many milliseconds after the Unix epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The time from this moment to a later one; zero where `later` is not later.
    pub const fn until(self, later: Timestamp) -> Duration {
        Duration::from_millis(later.0.saturating_sub(self.0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;

    fn add(self, duration: Duration) -> Timestamp {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Timestamp(self.0.saturating_add(millis))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with whole seconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = UNIX_EPOCH + Duration::from_millis(self.0);
        write!(f, "{}", humantime::format_rfc3339_seconds(moment))
    }
}

/// Tells the time.
///
/// Give the engine and the memory storage the same clock. Production uses [`SystemClock`]; tests
/// use a clock that they move by hand.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }
}
