//! [`Ages`]: how many of many spans of time are how long.

use std::time::Duration;

use serde::Serialize;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Where one group ends and the next begins, in seconds. What is longer is in a last group.
const ENDS: [u64; 8] = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY];

/// Groups of spans, the shortest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct Ages([Group; ENDS.len() + 1]);

/// How many are shorter than this, and in no group before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Group {
    /// `None` in the last group.
    pub(super) below_seconds: Option<u64>,
    pub(super) sessions: u64,
}

impl Ages {
    pub(super) fn new() -> Self {
        let group = |at| Group { below_seconds: ENDS.get(at).copied(), sessions: 0 };
        Self(std::array::from_fn(group))
    }

    pub(super) fn add(&mut self, span: Duration) {
        let at = ENDS.partition_point(|end| span.as_secs() >= *end);
        self.0[at].sessions += 1;
    }

    pub(super) fn groups(&self) -> &[Group] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_falls_into_the_group_that_ends_behind_it() {
        let mut ages = Ages::new();
        for seconds in [0, 59, 60, 30 * DAY - 1, 30 * DAY, u64::MAX] {
            ages.add(Duration::from_secs(seconds));
        }
        let counts: Vec<_> = ages.groups().iter().map(|group| group.sessions).collect();
        assert_eq!(counts, [2, 1, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(ages.groups()[8].below_seconds, None);
    }
}
