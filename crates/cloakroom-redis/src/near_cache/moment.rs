//! [`Moment`]: a time that passes while the machine sleeps, too.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// By how much the wall clock has to run ahead at once to be believed. Less is drift.
const LEAP: i64 = 20_000_000;

/// A moment of this process, in as much memory as an atomic holds. No moment is earlier than one that
/// was before it.
///
/// A machine that sleeps, or is moved, stops the monotonic clock. The wall clock goes on, and may be
/// set. So time passes as on the monotonic clock, and whenever the wall clock has run ahead of that, by
/// as much as it has: to be wrong by it makes a copy older than it is. A wall clock that is put back
/// takes nothing away, and what it runs ahead from there counts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

static START: LazyLock<(Instant, SystemTime)> =
    LazyLock::new(|| (Instant::now(), SystemTime::now()));

static SLEEP: Sleep = Sleep::new();

impl Moment {
    pub(crate) fn now() -> Self {
        let passed = monotonic();
        let slept = SLEEP.until(wall().saturating_sub(passed), careful_lead);
        // From 1: the moment 0 has never been.
        Self(slept.saturating_add(passed.unsigned_abs()).max(1))
    }

    /// The moment with this number; 0 where there was none.
    pub(super) fn from_number(number: u64) -> Self {
        Self(number)
    }

    pub(super) fn number(self) -> u64 {
        self.0
    }

    /// How long ago another moment is; `None` where it is yet to come.
    pub(super) fn since(self, earlier: Self) -> Option<Duration> {
        self.0.checked_sub(earlier.0).map(Duration::from_nanos)
    }

    pub(super) fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// How long the monotonic clock has stood still so far, as the wall clock says.
#[derive(Debug)]
struct Sleep {
    /// How far the wall clock was ahead of the monotonic one when last looked at, in nanoseconds.
    lead: AtomicI64,
    slept: AtomicU64,
    leaping: Mutex<()>,
}

impl Sleep {
    const fn new() -> Self {
        Self { lead: AtomicI64::new(0), slept: AtomicU64::new(0), leaping: Mutex::new(()) }
    }

    /// The sum at a moment at which the wall clock is so far ahead, in nanoseconds. Where that is news,
    /// `careful` looks again.
    fn until(&self, lead: i64, careful: impl FnOnce() -> i64) -> u64 {
        if lead.saturating_sub(self.lead.load(Ordering::Acquire)).abs() >= LEAP {
            self.leap(careful);
        }
        self.slept.load(Ordering::Acquire)
    }

    #[cold]
    fn leap(&self, careful: impl FnOnce() -> i64) {
        let _alone = self.leaping.lock().unwrap_or_else(PoisonError::into_inner);
        let lead = careful();
        let ahead = lead.saturating_sub(self.lead.load(Ordering::Acquire));
        // This thread may have stood still between the two clocks, or another one may have seen the same.
        if ahead.abs() < LEAP {
            return;
        }
        // The sum first: whoever sees the new lead sees it too.
        let slept = u64::try_from(ahead).unwrap_or(0);
        self.slept.fetch_add(slept, Ordering::AcqRel);
        self.lead.store(lead, Ordering::Release);
    }
}

/// How far the wall clock is ahead, where the two were looked at almost at once. Gives that up after
/// some tries, on a machine that is too busy: then too much has passed and not too little.
fn careful_lead() -> i64 {
    let look = || {
        let (before, wall) = (monotonic(), wall());
        (wall.saturating_sub(before), monotonic() - before)
    };
    let mut looks = (0..10).map(|_| look());
    let best = looks.find(|(_, apart)| *apart < LEAP / 10);
    best.unwrap_or_else(look).0
}

/// What has passed since the start by the monotonic clock, in nanoseconds.
fn monotonic() -> i64 {
    i64_nanos(START.0.elapsed())
}

/// The same by the wall clock.
fn wall() -> i64 {
    match START.1.elapsed() {
        Ok(passed) => i64_nanos(passed),
        Err(before) => -i64_nanos(before.duration()),
    }
}

fn i64_nanos(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn after(leads: &[i64]) -> u64 {
        let sleep = Sleep::new();
        leads.iter().map(|lead| sleep.until(*lead, || *lead)).last().unwrap()
    }

    #[test]
    fn sleep_counts_also_behind_a_wall_clock_that_was_put_back() {
        assert_eq!(after(&[0, 20 * SECOND]), 20 * SECOND as u64);
        assert_eq!(after(&[0, -30 * SECOND]), 0);
        assert_eq!(after(&[0, -30 * SECOND, -10 * SECOND]), 20 * SECOND as u64);
        assert_eq!(after(&[5 * SECOND, -30 * SECOND, -30 * SECOND + LEAP]), 5_020_000_000);
    }

    #[test]
    fn drift_counts_once_it_is_a_leap_and_never_twice() {
        assert_eq!(after(&[0, LEAP - 1, 0, 1 - LEAP]), 0);
        let drift: Vec<i64> = (0..=10).map(|step| step * LEAP / 2).collect();
        assert_eq!(after(&drift), 5 * LEAP as u64);
        assert_eq!(after(&[SECOND, SECOND, SECOND]), SECOND as u64);
    }

    #[test]
    fn a_thread_that_stood_still_between_the_clocks_has_seen_no_leap() {
        let sleep = Sleep::new();
        assert_eq!(sleep.until(SECOND, || 0), 0);
        assert_eq!(sleep.until(-SECOND, || 0), 0);
        assert!(careful_lead().abs() < LEAP, "nobody sets the clock in a test");
    }

    #[test]
    fn threads_that_see_one_leap_count_it_once() {
        for _ in 0..100 {
            let sleep = Sleep::new();
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| assert_eq!(sleep.until(SECOND, || SECOND), SECOND as u64));
                }
            });
        }
    }

    #[test]
    fn no_moment_is_earlier_than_the_one_before() {
        let moments: Vec<Moment> = (0..10_000).map(|_| Moment::now()).collect();
        assert!(moments.is_sorted());
        assert_eq!(
            moments[0].after(Duration::from_secs(1)).since(moments[0]).unwrap().as_secs(),
            1
        );
        assert_eq!(moments[0].since(moments[0].after(Duration::from_nanos(1))), None);
    }
}
