//! [`Standstills`]: the times at which the process itself was not run, and could keep no deadline.

use std::time::Duration;

use super::Moment;

/// Stretches of time that do not overlap, in their order.
pub(super) struct Standstills(Vec<(Moment, Moment)>);

impl Standstills {
    /// From stretches in the order of their ends.
    pub(super) fn new(stretches: Vec<(Moment, Moment)>) -> Self {
        let mut apart: Vec<(Moment, Moment)> = Vec::with_capacity(stretches.len());
        for (from, to) in stretches {
            let from = apart.last().map_or(from, |(_, last)| from.max(*last));
            if from < to {
                apart.push((from, to));
            }
        }
        Self(apart)
    }

    /// How much of the time between two moments the process stood still.
    pub(super) fn between(&self, from: Moment, to: Moment) -> Duration {
        let first = self.0.partition_point(|(_, end)| *end <= from);
        let met = self.0[first..].iter().take_while(|(begin, _)| *begin < to);
        met.map(|(begin, end)| (*end).min(to).since((*begin).max(from))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_part_within_counts_and_no_moment_twice() {
        let at = |millis| Moment::at(Duration::from_millis(millis));
        let stretches = vec![(at(10), at(20)), (at(15), at(30)), (at(50), at(60))];
        let standstills = Standstills::new(stretches);
        let between = |from, to| standstills.between(at(from), at(to)).as_millis();
        assert_eq!(between(0, 100), 30);
        assert_eq!(between(18, 25), 7);
        assert_eq!(between(30, 50), 0);
        assert_eq!(between(55, 56), 1);
    }
}
