//! [`Figures`]: how many operations there were, and how long they took.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::plan::Phase;
use crate::failure::Failure;

/// Longer than any operation can take.
const LONGEST: u64 = 10 * 60 * 1_000_000;

/// Of a time, so many digits are kept.
const DIGITS: u8 = 2;

/// What one worker, or all of them, have measured.
#[derive(Clone)]
pub(super) struct Tally {
    micros: Histogram<u64>,
    failed: u64,
    first_failure: Option<String>,
}

/// A phase's figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Figures {
    pub(super) name: &'static str,
    pub(super) operations: u64,
    pub(super) failed: u64,
    pub(super) seconds: f64,
    pub(super) per_second: u64,
    pub(super) p50_micros: u64,
    pub(super) p99_micros: u64,
    pub(super) p999_micros: u64,
    pub(super) longest_micros: u64,
}

/// Everything that was measured.
#[derive(Debug, Default)]
pub(super) struct Measured {
    /// How many sessions there were: fewer than were asked for where making them took too long.
    pub(super) sessions: u64,
    pub(super) phases: Vec<Figures>,
    /// Why the first operation that failed did.
    pub(super) first_failure: Option<String>,
}

impl Measured {
    pub(super) fn add(&mut self, tally: &Tally, phase: Phase, took: Duration) {
        self.phases.push(tally.figures(phase, took));
        if self.first_failure.is_none() {
            self.first_failure = tally.first_failure().map(str::to_owned);
        }
    }

    pub(super) fn failed(&self) -> u64 {
        self.phases.iter().map(|figures| figures.failed).sum()
    }
}

impl Tally {
    pub(super) fn new() -> Result<Self, Failure> {
        let micros = Histogram::new_with_bounds(1, LONGEST, DIGITS).map_err(Failure::new)?;
        Ok(Self { micros, failed: 0, first_failure: None })
    }

    pub(super) fn done(&mut self, took: Duration) {
        self.micros.saturating_record(u64::try_from(took.as_micros()).unwrap_or(LONGEST));
    }

    pub(super) fn failed(&mut self, why: impl std::fmt::Display) {
        self.failed += 1;
        self.first_failure.get_or_insert_with(|| why.to_string());
    }

    pub(super) fn add(&mut self, other: Self) {
        // Both have the same bounds.
        let _ = self.micros.add(&other.micros);
        self.failed += other.failed;
        self.first_failure = self.first_failure.take().or(other.first_failure);
    }

    /// Why the first of those that failed did.
    pub(super) fn first_failure(&self) -> Option<&str> {
        self.first_failure.as_deref()
    }

    pub(super) fn successes(&self) -> u64 {
        self.micros.len()
    }

    pub(super) fn figures(&self, phase: Phase, took: Duration) -> Figures {
        let at = |share| self.micros.value_at_quantile(share);
        let seconds = took.as_secs_f64();
        let operations = self.successes();
        let per_second =
            if seconds > 0.0 { (operations as f64 / seconds).round() as u64 } else { 0 };
        Figures {
            name: phase.name(),
            operations,
            failed: self.failed,
            seconds,
            per_second,
            p50_micros: at(0.5),
            p99_micros: at(0.99),
            p999_micros: at(0.999),
            longest_micros: self.micros.max(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_kept_to_a_hundredth_and_added_up() {
        let (mut one, mut other) = (Tally::new().unwrap(), Tally::new().unwrap());
        (1..=500).for_each(|micros| one.done(Duration::from_micros(micros)));
        (501..=1000).for_each(|micros| other.done(Duration::from_micros(micros)));
        other.failed("gone");
        one.add(other);
        let figures = one.figures(Phase::Read, Duration::from_secs(2));
        assert_eq!((figures.operations, figures.failed, figures.per_second), (1000, 1, 500));
        assert!((500..=505).contains(&figures.p50_micros), "{figures:?}");
        assert!((990..=1000).contains(&figures.p99_micros), "{figures:?}");
        assert!((1000..=1010).contains(&figures.longest_micros), "{figures:?}");
        assert_eq!(one.first_failure(), Some("gone"));
        // Nothing is too long for it.
        one.done(Duration::from_secs(3600));
        assert!(one.figures(Phase::Read, Duration::ZERO).longest_micros >= LONGEST);
    }
}
