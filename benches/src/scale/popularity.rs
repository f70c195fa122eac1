//! [`Popularity`]: whose request comes next. Visitors are not equally busy; how often the one of rank
//! `r` comes is proportional to `1 / r^s` (Zipf's law).

/// The exponent `s`, as in the load generator YCSB.
pub const SKEW: f64 = 0.99;

/// Visitors by rank, each with the share of all requests that come from it and from busier ones.
pub struct Popularity {
    up_to: Vec<f64>,
}

impl Popularity {
    /// So many visitors, of whom number 0 is the busiest.
    pub fn of(visitors: usize) -> Self {
        let mut sum = 0.0;
        let weights = (1..=visitors).map(|rank| (rank as f64).powf(-SKEW));
        let mut up_to: Vec<_> = weights
            .map(|weight| {
                sum += weight;
                sum
            })
            .collect();
        up_to.iter_mut().for_each(|share| *share /= sum);
        Self { up_to }
    }

    /// The visitor in whose part of the whole a number between 0 and 1 lies.
    pub fn visitor(&self, share: f64) -> usize {
        let at = self.up_to.partition_point(|up_to| *up_to <= share);
        at.min(self.up_to.len().saturating_sub(1))
    }

    /// The share of all requests that come from the busiest visitors.
    pub fn share_of(&self, busiest: usize) -> f64 {
        let last = busiest.min(self.up_to.len()).checked_sub(1);
        last.map_or(0.0, |last| self.up_to[last])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::chance::Chance;

    #[test]
    fn visitors_come_as_often_as_the_law_says() {
        let (popularity, mut chance) = (Popularity::of(1_000), Chance::new(1));
        let mut visits = vec![0u32; 1_000];
        (0..200_000).for_each(|_| visits[popularity.visitor(chance.share())] += 1);
        for busiest in [1, 10, 100, 1_000] {
            let seen = f64::from(visits[..busiest].iter().sum::<u32>()) / 200_000.0;
            assert!((seen - popularity.share_of(busiest)).abs() < 0.01, "{busiest}: {seen}");
        }
        let ratio = f64::from(visits[0]) / f64::from(visits[9]);
        assert!((ratio / 10f64.powf(SKEW) - 1.0).abs() < 0.1, "{ratio}");
    }

    #[test]
    fn the_first_and_the_last_visitor_can_come() {
        let popularity = Popularity::of(3);
        assert_eq!([0.0, 1.0].map(|share| popularity.visitor(share)), [0, 2]);
    }
}
