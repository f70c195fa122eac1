//! [`Moment`]: a point in time as the pages show it.

use std::time::Duration;

use cloakroom::{Clock, SystemClock, Timestamp};

/// A moment, and how far it is away.
pub(super) struct Moment {
    /// RFC 3339, for the `datetime` attribute.
    pub(super) exact: String,
    /// For example `29 min 59 s`; an empty span is `0 s`.
    pub(super) distance: String,
}

impl Moment {
    /// A moment to come.
    pub(super) fn ahead(moment: Timestamp) -> Self {
        Self { exact: moment.to_string(), distance: words(SystemClock.now().until(moment)) }
    }

    /// A moment that has passed.
    pub(super) fn ago(moment: Timestamp) -> Self {
        Self { exact: moment.to_string(), distance: words(moment.until(SystemClock.now())) }
    }
}

/// A span in its two largest units.
fn words(span: Duration) -> String {
    let seconds = (span + Duration::from_millis(500)).as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let (large, small) = match (days, hours, minutes) {
        (0, 0, 0) => return format!("{seconds} s"),
        (0, 0, minutes) => ((minutes, "min"), (seconds % 60, "s")),
        (0, hours, minutes) => ((hours, "h"), (minutes % 60, "min")),
        (days, hours, _) => ((days, if days == 1 { "day" } else { "days" }), (hours % 24, "h")),
    };
    match small.0 {
        0 => format!("{} {}", large.0, large.1),
        _ => format!("{} {} {} {}", large.0, large.1, small.0, small.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_its_two_largest_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (1800, "30 min"),
            (1799, "29 min 59 s"),
            (43_199, "11 h 59 min"),
            (86_400, "1 day"),
            (7 * 86_400 - 1, "6 days 23 h"),
        ] {
            assert_eq!(words(Duration::from_secs(seconds)), text);
        }
    }
}
