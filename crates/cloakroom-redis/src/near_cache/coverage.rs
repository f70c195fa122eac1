//! [`Coverage`]: whether a connection can be relied on to hear of changes, and since when.
//!
//! The connection's listener and supervisor keep it up to date. Copies, tickets and writes hold an
//! [`Arm`] on it and ask whether that still counts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// A moment of this process, in as much memory as an atomic holds.
///
/// A machine that sleeps, or is moved, stops the monotonic clock; the wall clock goes on and may be
/// set. The one that has gone further counts: to be wrong by it makes a copy older than it is. Only a
/// wall clock that is put back makes moments of the future, and nothing that stands on one is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

/// What is known of one connection. Each connection has one of its own, and takes it along when it
/// ends.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    /// One more each time that everything which is armed here is to be forgotten.
    epoch: AtomicU64,
    /// When the last question was sent that the server has answered here; 0: it does not count.
    confirmed: AtomicU64,
    standing: Mutex<Standing>,
}

#[derive(Debug, Default)]
struct Standing {
    /// Only what was asked after this counts again.
    suspended: Option<Moment>,
    ended: bool,
}

/// Something that counts as long as its connection would have heard of a change.
#[derive(Clone, Debug)]
pub(super) struct Arm {
    coverage: Arc<Coverage>,
    epoch: u64,
}

static START: LazyLock<(Instant, SystemTime)> =
    LazyLock::new(|| (Instant::now(), SystemTime::now()));

impl Moment {
    pub(crate) fn now() -> Self {
        let (monotonic, wall) = *START;
        let passed = monotonic.elapsed().max(wall.elapsed().unwrap_or_default());
        // From 1: the moment 0 has never been.
        Self(u64::try_from(passed.as_nanos()).unwrap_or(u64::MAX).max(1))
    }

    /// How long ago another moment is; `None` where it is yet to come.
    pub(super) fn since(self, earlier: Self) -> Option<Duration> {
        self.0.checked_sub(earlier.0).map(Duration::from_nanos)
    }

    pub(super) fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Coverage {
    /// The server has answered here what was asked at that moment.
    pub(crate) fn confirm(&self, asked: Moment) {
        let standing = self.standing();
        let still = |suspended: Moment| asked <= suspended && suspended <= Moment::now();
        if !standing.ended && !standing.suspended.is_some_and(still) {
            let before = Moment(self.confirmed.load(Ordering::Acquire));
            if asked > before || before > Moment::now() {
                self.confirmed.store(asked.0, Ordering::Release);
            }
        }
    }

    /// What is armed here is outdated. The connection goes on to be heard.
    pub(crate) fn forget(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// What is armed here may be outdated, and nothing counts before the answer to a question that
    /// is yet to be asked.
    pub(crate) fn suspend(&self) {
        let mut standing = self.standing();
        standing.suspended = Some(Moment::now());
        self.forget();
        self.confirmed.store(0, Ordering::Release);
    }

    /// Nothing is heard here any more.
    pub(crate) fn end(&self) {
        self.standing().ended = true;
        self.suspend();
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Arm {
    pub(super) fn on(coverage: &Arc<Coverage>) -> Self {
        let epoch = coverage.epoch.load(Ordering::Acquire);
        Self { coverage: coverage.clone(), epoch }
    }

    pub(super) fn is_on(&self, coverage: &Arc<Coverage>) -> bool {
        Arc::ptr_eq(&self.coverage, coverage)
    }

    /// Whether nothing has happened to the connection since that a copy would not survive.
    pub(super) fn holds(&self) -> bool {
        self.coverage.epoch.load(Ordering::Acquire) == self.epoch
    }

    /// Whether something has been answered over the connection that was asked after a moment.
    pub(super) fn was_confirmed_since(&self, moment: Moment) -> bool {
        self.coverage.confirmed.load(Ordering::Acquire) > moment.0
    }

    /// For how long the server's last sign of life lies back, where that is no longer than the lease.
    pub(super) fn unconfirmed(&self, now: Moment, lease: Duration) -> Option<Duration> {
        let confirmed = self.coverage.confirmed.load(Ordering::Acquire);
        // The epoch behind it, so that a suspension in between shows in one or the other.
        if confirmed == 0 || !self.holds() {
            return None;
        }
        now.since(Moment(confirmed)).filter(|age| *age < lease)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(1);

    fn later(time: Duration) -> Moment {
        Moment::now().after(time)
    }

    #[test]
    fn the_lease_counts_from_the_question_and_not_from_its_answer() {
        let coverage = Arc::new(Coverage::default());
        let arm = Arm::on(&coverage);
        let asked = Moment::now();
        assert_eq!(arm.unconfirmed(asked, LEASE), None);
        coverage.confirm(asked);
        assert!(arm.unconfirmed(asked.after(LEASE - Duration::from_nanos(1)), LEASE).is_some());
        assert_eq!(arm.unconfirmed(asked.after(LEASE), LEASE), None);
    }

    #[test]
    fn a_late_answer_to_an_earlier_question_does_not_shorten_the_lease() {
        let coverage = Arc::new(Coverage::default());
        let first = Moment::now();
        let mut second = Moment::now();
        while second == first {
            second = Moment::now();
        }
        coverage.confirm(second);
        coverage.confirm(first);
        let age = Arm::on(&coverage).unconfirmed(second, LEASE);
        assert_eq!(age, Some(Duration::ZERO));
    }

    #[test]
    fn nothing_is_served_on_a_sign_of_life_from_the_future() {
        let coverage = Arc::new(Coverage::default());
        let arm = Arm::on(&coverage);
        coverage.confirm(later(LEASE * 100));
        let now = Moment::now();
        assert_eq!(arm.unconfirmed(now, LEASE), None);
        // The wall clock was put back, and the connection counts again.
        coverage.confirm(now);
        assert!(arm.unconfirmed(now, LEASE).is_some());
    }

    #[test]
    fn only_a_question_after_the_suspension_brings_the_connection_back() {
        let coverage = Arc::new(Coverage::default());
        let before = Moment::now();
        coverage.confirm(before);
        let old = Arm::on(&coverage);
        coverage.suspend();
        let arm = Arm::on(&coverage);
        coverage.confirm(before);
        assert_eq!(arm.unconfirmed(before, LEASE), None);
        let suspended = Moment::now();
        let mut after = Moment::now();
        while after == suspended {
            after = Moment::now();
        }
        coverage.confirm(after);
        assert!(arm.unconfirmed(after, LEASE).is_some());
        assert_eq!(old.unconfirmed(after, LEASE), None);
    }

    #[test]
    fn what_has_ended_never_counts_again() {
        let coverage = Arc::new(Coverage::default());
        coverage.end();
        let (arm, after) = (Arm::on(&coverage), later(LEASE));
        coverage.confirm(after);
        assert_eq!(arm.unconfirmed(after, LEASE), None);
    }

    #[test]
    fn what_was_forgotten_is_gone_and_what_is_armed_after_it_counts() {
        let coverage = Arc::new(Coverage::default());
        let now = Moment::now();
        coverage.confirm(now);
        let old = Arm::on(&coverage);
        coverage.forget();
        assert_eq!(old.unconfirmed(now, LEASE), None);
        assert!(Arm::on(&coverage).unconfirmed(now, LEASE).is_some());
    }
}
