//! [`Coverage`]: whether a connection can be relied on to hear of changes, and since when.
//!
//! The connection's listener and supervisor keep it up to date. Copies, tickets and writes hold an
//! [`Arm`] on it and ask whether that still counts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::moment::Moment;

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

impl Coverage {
    /// The server has answered here what was asked at that moment.
    pub(crate) fn confirm(&self, asked: Moment) {
        let standing = self.standing();
        if !standing.ended && standing.suspended.is_none_or(|suspended| asked > suspended) {
            self.confirmed.fetch_max(asked.number(), Ordering::AcqRel);
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
        self.coverage.confirmed.load(Ordering::Acquire) > moment.number()
    }

    /// For how long the server's last sign of life lies back, where that is no longer than the lease.
    pub(super) fn unconfirmed(&self, now: Moment, lease: Duration) -> Option<Duration> {
        let confirmed = self.coverage.confirmed.load(Ordering::Acquire);
        // The epoch behind it, so that a suspension in between shows in one or the other.
        if confirmed == 0 || !self.holds() {
            return None;
        }
        now.since(Moment::from_number(confirmed)).filter(|age| *age < lease)
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
