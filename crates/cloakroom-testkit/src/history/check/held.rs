//! INV-7: after the faults the process holds what it held before.

use super::super::{Bounds, Findings, Moment, Resources};
use super::Evidence;

/// Compares the last sample before the first fault with those within the time to settle after the
/// last one; where there is none within it, with the first one after it.
pub(super) fn check(
    samples: &[(Moment, Resources)],
    evidence: &Evidence<'_>,
    found: &mut Findings,
) {
    let Some((begin, end)) = evidence.faults.first_begin_and_last_end() else { return };
    let settled = end + evidence.bounds.settled_within;
    let before = samples.iter().rev().find(|(at, _)| *at <= begin);
    let after = || samples.iter().filter(|(at, _)| *at > end);
    let within = after().filter(|(at, _)| *at <= settled).count().max(1);
    let Some((_, before)) = before else { return };
    let after: Vec<&Resources> = after().take(within).map(|(_, held)| held).collect();
    let Bounds { spare_memory, spare_files, spare_tasks, growth, .. } = *evidence.bounds;
    let mut compare = |name: &str, before: u64, after: Option<u64>, spare: u64| {
        let Some(after) = after else { return };
        found.check();
        if after > (before as f64 * (1.0 + growth)) as u64 + spare {
            found.violate(|| format!("{name}: {before} before the faults, {after} after"), &[]);
        }
    };
    let least = |figure: fn(&Resources) -> u64| after.iter().map(|held| figure(held)).min();
    compare("bytes of memory", before.memory, least(|held| held.memory), spare_memory);
    compare("open files", before.files, least(|held| held.files), spare_files);
    if let Some(tasks) = before.tasks {
        let after = after.iter().filter_map(|held| held.tasks).min();
        compare("tasks", tasks, after, spare_tasks);
    }
}
