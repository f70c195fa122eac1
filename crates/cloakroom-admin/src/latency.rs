//! [`Latency`]: how long answers took, in steps that grow with the time; some hundred bytes however
//! many answers there are.

use std::time::Duration;

/// Steps for each doubling.
const STEPS: u32 = 4;

/// Doublings from a microsecond on: up to 67 seconds.
const DOUBLINGS: u32 = 26;

const BUCKETS: usize = (STEPS * DOUBLINGS) as usize;

/// Answers by how long they took.
#[derive(Clone, Debug)]
pub(crate) struct Latency {
    buckets: [u32; BUCKETS],
    answers: u32,
    longest_us: u64,
}

impl Default for Latency {
    fn default() -> Self {
        Self { buckets: [0; BUCKETS], answers: 0, longest_us: 0 }
    }
}

impl Latency {
    pub(crate) fn add(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = &mut self.buckets[bucket(micros)];
        *bucket = bucket.saturating_add(1);
        self.answers = self.answers.saturating_add(1);
        self.longest_us = self.longest_us.max(micros);
    }

    pub(crate) fn answers(&self) -> u32 {
        self.answers
    }

    /// The time in microseconds within which this share of the answers came, rounded up by at most a
    /// quarter; `None` without answers.
    pub(crate) fn within_us(&self, share: f64) -> Option<u64> {
        if self.answers == 0 {
            return None;
        }
        let wanted = (share * f64::from(self.answers)).ceil() as u64;
        let mut passed = 0;
        for (at, count) in self.buckets.iter().enumerate() {
            passed += u64::from(*count);
            if passed >= wanted {
                return Some(end_of(at).min(self.longest_us));
            }
        }
        Some(self.longest_us)
    }
}

fn bucket(micros: u64) -> usize {
    let micros = micros.max(1);
    let doubling = micros.ilog2();
    // The position within the doubling in fourths.
    let step = ((u128::from(micros) * u128::from(STEPS)) >> doubling) as u32 - STEPS;
    ((doubling * STEPS + step) as usize).min(BUCKETS - 1)
}

/// The longest time that lies in a bucket.
fn end_of(bucket: usize) -> u64 {
    let (doubling, step) = (bucket as u32 / STEPS, bucket as u32 % STEPS);
    // Below four microseconds a step is less than one.
    ((u64::from(STEPS + step + 1) << doubling).div_ceil(u64::from(STEPS)) - 1).max(1 << doubling)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_lies_in_a_bucket_that_ends_at_most_a_quarter_later() {
        for micros in (1..5000).chain([65_536, 1_000_000, 66_999_999]) {
            let end = end_of(bucket(micros));
            assert!(end >= micros && end * 4 <= micros * 5, "{micros} ends at {end}");
        }
        assert_eq!(bucket(0), 0);
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn the_slowest_hundredth_is_found() {
        let mut latency = Latency::default();
        assert_eq!(latency.within_us(0.99), None);
        for _ in 0..990 {
            latency.add(Duration::from_micros(100));
        }
        for _ in 0..10 {
            latency.add(Duration::from_millis(50));
        }
        assert!(latency.within_us(0.99).is_some_and(|it| (100..=125).contains(&it)));
        assert_eq!(latency.within_us(1.0), Some(50_000));
    }
}
