//! Moments and spans as people read them. All moments are in UTC, as in logs.

use std::fmt;
use std::time::Duration;

use cloakroom::Timestamp;

use crate::rfc3339::read_moment;

/// A moment, for `<time>`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(pub(crate) Timestamp);

/// A span in its two largest units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span(pub(crate) Duration);

impl Moment {
    /// For programs, as an attribute.
    pub(crate) fn exact(self) -> String {
        self.0.to_string()
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        write!(f, "{} UTC", text.trim_end_matches('Z').replace('T', " "))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let units = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
        let first = units.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(3);
        let (unit, name) = units[first];
        write!(f, "{} {name}", seconds / unit)?;
        if let Some((smaller, name)) = units.get(first + 1)
            && seconds % unit >= *smaller
        {
            write!(f, " {} {name}", seconds % unit / smaller)?;
        }
        Ok(())
    }
}

/// Reads a moment in RFC 3339, or as a form's field writes it, without an offset and in UTC.
pub(crate) fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    // A browser leaves out seconds that are zero.
    let seconds = if text.len() == 16 { ":00" } else { "" };
    read_moment(text).or_else(|| read_moment(&format!("{text}{seconds}Z")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_two_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3661, "1 h 1 min"),
            (90_000, "1 d 1 h"),
            (86_400 + 59, "1 d"),
        ] {
            assert_eq!(Span(Duration::from_secs(seconds)).to_string(), text);
        }
    }

    #[test]
    fn a_moment_is_read_as_browsers_and_programs_write_it() {
        for text in [
            "2026-03-01T12:30",
            "2026-03-01T12:30:00",
            "2026-03-01T12:30:00Z",
            "2026-03-01T13:30:00+01:00",
            "2026-03-01T12:30:00.000-00:00",
        ] {
            let moment = read(text).unwrap();
            assert_eq!(Moment(moment).to_string(), "2026-03-01 12:30:00 UTC", "{text}");
        }
        for text in ["", "yesterday", "2026-13-01T00:00", "1969-12-31T23:59:59Z"] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
