//! Medians, ratios and spreads: the arithmetic of the tables.

/// The middle of some figures; of an even number the mean of the middle two. `None` of none.
pub fn median(figures: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut figures: Vec<_> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => None,
        count if count % 2 == 1 => Some(figures[middle]),
        _ => Some(f64::midpoint(figures[middle - 1], figures[middle])),
    }
}

/// The smallest and the largest.
pub fn spread(figures: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    figures.into_iter().fold(None, |spread, figure| {
        let (least, most) = spread.unwrap_or((figure, figure));
        Some((figure.min(least), figure.max(most)))
    })
}

/// The median of the ratios within each round: what disturbs a whole round disturbs both.
pub fn ratio(ours: &[f64], theirs: &[f64]) -> Option<f64> {
    let pairs = ours.iter().zip(theirs).filter(|(_, theirs)| **theirs > 0.0);
    median(pairs.map(|(ours, theirs)| ours / theirs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_the_middle_two() {
        assert_eq!(median([]), None);
        assert_eq!(median([5.0]), Some(5.0));
        assert_eq!(median([9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([9.0, 1.0, 2.0, 4.0]), Some(3.0));
    }

    #[test]
    fn the_spread_is_from_the_smallest_to_the_largest() {
        assert_eq!(spread([]), None);
        assert_eq!(spread([3.0, 1.0, 2.0]), Some((1.0, 3.0)));
    }

    #[test]
    fn a_ratio_compares_within_each_round() {
        // The second round was twice as slow for both, and the ratio does not notice.
        assert_eq!(ratio(&[40.0, 20.0, 44.0], &[20.0, 10.0, 20.0]), Some(2.0));
        // Of medians it would be 1.0.
        assert_eq!(ratio(&[10.0, 20.0, 30.0], &[20.0, 10.0, 20.0]), Some(1.5));
        assert_eq!(ratio(&[1.0], &[]), None);
        assert_eq!(ratio(&[1.0], &[0.0]), None);
    }
}
