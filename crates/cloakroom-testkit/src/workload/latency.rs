//! [`Latency`]: how long the operations of one kind took.

use std::fmt;
use std::time::Duration;

/// The times of all operations of one kind, in order.
#[derive(Clone, Debug, Default)]
pub struct Latency {
    sorted: Vec<u32>,
}

impl Latency {
    /// From the times in microseconds, in any order.
    pub(super) fn new(mut micros: Vec<u32>) -> Self {
        micros.sort_unstable();
        Self { sorted: micros }
    }

    /// How many operations there were.
    pub fn count(&self) -> usize {
        self.sorted.len()
    }

    /// The time that this share of the operations did not exceed (nearest rank): 0.5 is the median,
    /// 1.0 the longest. Zero where there were none.
    pub fn percentile(&self, share: f64) -> Duration {
        let rank = (share.clamp(0.0, 1.0) * self.sorted.len() as f64).ceil() as usize;
        let micros = self.sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default();
        Duration::from_micros(micros.into())
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p99, p999, longest] = [0.5, 0.99, 0.999, 1.0].map(|at| self.percentile(at));
        write!(f, "p50 {p50:?}, p99 {p99:?}, p99.9 {p999:?}, longest {longest:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let latency = Latency::new((1..=100).rev().collect());
        assert_eq!(latency.percentile(0.5), Duration::from_micros(50));
        assert_eq!(latency.percentile(0.99), Duration::from_micros(99));
        assert_eq!(latency.percentile(1.0), Duration::from_micros(100));
        assert_eq!(latency.percentile(0.0), Duration::from_micros(1));
        assert_eq!(Latency::default().percentile(0.5), Duration::ZERO);
    }
}
