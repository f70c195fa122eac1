//! [`RetryBudget`]: how many commands may be sent a second time.
//!
//! A server in trouble gets slower with every repetition. So a pool may repeat a tenth of its calls
//! and not more: each call puts a tenth of a repetition aside, each repetition takes a whole one.
//! At most 256 are put aside, which is what a connection that breaks under load needs at once, and
//! one per second comes for nothing, so that a pool with few calls may repeat them too.
//!
//! Every call deposits. While nothing was taken that is one load of a word that nobody writes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// A repetition costs so much; a call deposits 1.
const PRICE: u64 = 10;

/// The most that is put aside.
const FULL: u64 = 256 * PRICE;

/// Time deposits 1 as well, each time that this has passed: one repetition per second.
const TICK: Duration = Duration::from_millis(1000 / PRICE);

/// The balance lies in the lowest bits of the word, the ticks that were paid for above them.
const BALANCE_BITS: u32 = 16;

/// Lets one call in ten be repeated.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    start: Instant,
    word: AtomicU64,
}

impl RetryBudget {
    /// A budget with all that may be put aside.
    pub(crate) fn new(now: Instant) -> Self {
        Self { start: now, word: AtomicU64::new(word(0, FULL)) }
    }

    /// A call was made that is not a repetition.
    #[inline]
    pub(crate) fn deposit(&self) {
        if balance(self.word.load(Ordering::Relaxed)) < FULL {
            self.deposit_missing();
        }
    }

    /// Takes one repetition; `false` where there is none left and the error has to be answered.
    pub(crate) fn withdraw(&self, now: Instant) -> bool {
        let since_start = now.saturating_duration_since(self.start).as_nanos() / TICK.as_nanos();
        let ticks = u64::try_from(since_start).unwrap_or(u64::MAX);
        self.change(|before| {
            let ticks = ticks.max(before >> BALANCE_BITS);
            let unpaid = ticks - (before >> BALANCE_BITS);
            let rest = balance(before).saturating_add(unpaid).min(FULL).checked_sub(PRICE)?;
            Some(word(ticks, rest))
        })
    }

    /// How many repetitions are put aside. What time has paid since the last one is not counted yet.
    pub(crate) fn left(&self) -> u32 {
        let left = balance(self.word.load(Ordering::Relaxed)) / PRICE;
        u32::try_from(left).unwrap_or(u32::MAX)
    }

    #[cold]
    fn deposit_missing(&self) {
        self.change(|before| (balance(before) < FULL).then(|| before + 1));
    }

    fn change(&self, step: impl Fn(u64) -> Option<u64>) -> bool {
        // Relaxed: the word is all there is.
        self.word.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).is_ok()
    }
}

fn word(ticks: u64, balance: u64) -> u64 {
    ticks << BALANCE_BITS | balance
}

fn balance(word: u64) -> u64 {
    word & ((1 << BALANCE_BITS) - 1)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::thread;

    use super::*;

    fn exhausted(now: Instant) -> RetryBudget {
        let budget = RetryBudget::new(now);
        while budget.withdraw(now) {}
        budget
    }

    #[test]
    fn a_burst_may_repeat_256_calls() {
        let now = Instant::now();
        let budget = RetryBudget::new(now);
        budget.deposit();
        assert_eq!(budget.left(), 256);
        assert_eq!((0..1000).filter(|_| budget.withdraw(now)).count(), 256);
        assert_eq!(budget.left(), 0);
    }

    #[test]
    fn one_call_in_ten_may_be_repeated() {
        let now = Instant::now();
        let budget = exhausted(now);
        let repeated = (0..1000).filter(|_| {
            budget.deposit();
            budget.withdraw(now)
        });
        assert_eq!(repeated.count(), 100);
    }

    #[test]
    fn one_repetition_per_second_comes_for_nothing() {
        let mut now = Instant::now();
        let budget = exhausted(now);
        let step = Duration::from_millis(30);
        let repeated = (0..1000).filter(|_| {
            now += step;
            budget.withdraw(now)
        });
        assert_eq!(repeated.count(), 30);
    }

    #[test]
    fn a_long_rest_puts_no_more_aside_than_a_burst() {
        let now = Instant::now();
        let budget = exhausted(now);
        let later = now + Duration::from_secs(365 * 24 * 60 * 60);
        assert_eq!((0..1000).filter(|_| budget.withdraw(later)).count(), 256);
        assert!(!budget.withdraw(now), "a thread with an older time gets nothing twice");
    }

    #[test]
    fn many_threads_take_no_more_than_there_is() {
        let now = Instant::now();
        let budget = RetryBudget::new(now);
        let repeated = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        budget.deposit();
                        if budget.withdraw(now) {
                            repeated.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        let repeated = repeated.into_inner();
        // A deposit that meets a full balance is lost, so a few may be missing.
        assert!((4_000..=4_256).contains(&repeated), "{repeated} of 40,000 calls");
    }
}
