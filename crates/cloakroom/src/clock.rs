//! Time as Cloakroom sees it: [`Timestamp`] and the [`Clock`] that tells it.
//!
//! Nothing else in the core asks the operating system for the time, so a test can hold the clock
//! in its hand. Storages with a clock of their own (a Redis server) ignore this one for deadlines.

use std::fmt;
use std::ops::Add;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The last moment that RFC 3339 can write: the end of the year 9999.
const LAST_WRITABLE: Timestamp = Timestamp(253_402_300_799_999);

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
    /// Stands for a moment that nobody knows: earlier than all others. A session that was imported may
    /// have been created and signed in to whenever it was.
    pub const UNKNOWN: Self = Self(0);

    /// The moment, where somebody knows it.
    pub fn known(self) -> Option<Self> {
        (self != Self::UNKNOWN).then_some(self)
    }

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

impl From<Timestamp> for SystemTime {
    fn from(moment: Timestamp) -> Self {
        UNIX_EPOCH + Duration::from_millis(moment.0)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with whole seconds; whatever is later than the year 9999 is its last second.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = UNIX_EPOCH + Duration::from_millis(self.min(&LAST_WRITABLE).0);
        write!(f, "{}", humantime::format_rfc3339_seconds(moment))
    }
}

/// Tells the time.
///
/// The embedded storage asks it for every deadline; the engine goes by the storage's time and has
/// no clock of its own. Production uses [`SystemClock`]; tests use a clock that they move by hand.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

impl Clock for Arc<dyn Clock> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

/// The operating system's clock, read once; from then on time passes as its monotonic clock says.
///
/// So a step of the host's clock, by hand or by a time server, neither ends nor prolongs a session.
/// What the monotonic clock leaves out (on Linux the time in which the machine sleeps) is left out
/// here too. Every value of this type is the same clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        static ANCHOR: LazyLock<Anchor> = LazyLock::new(|| Anchor::new(SystemTime::now()));
        ANCHOR.at(Instant::now())
    }
}

/// A moment as both clocks tell it.
struct Anchor {
    wall: Timestamp,
    monotonic: Instant,
}

impl Anchor {
    fn new(wall: SystemTime) -> Self {
        let since_epoch = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { wall: Timestamp::default() + since_epoch, monotonic: Instant::now() }
    }

    fn at(&self, now: Instant) -> Timestamp {
        self.wall + now.saturating_duration_since(self.monotonic)
    }
}

#[cfg(test)]
mod tests;
