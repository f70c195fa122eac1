//! [`Cutoff`]: the moment before which sessions were created that shall end, as it is written on a
//! command line.

use std::str::FromStr;
use std::time::{Duration, SystemTime};

use cloakroom::Timestamp;
use cloakroom_admin::read_moment;

use crate::failure::Failure;

const FORMS: &str = "write a moment such as 2026-03-01T12:00:00Z or 2026-03-01T12:00:00+01:00, or how \
                     long ago it was, such as 2h or 3days";

/// A moment that has passed, or how long ago it was by the storage's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cutoff {
    At(Timestamp),
    Ago(Duration),
}

impl FromStr for Cutoff {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(moment) = read_moment(text) {
            return Ok(Self::At(moment));
        }
        humantime::parse_duration(text).map(Self::Ago).map_err(|_| FORMS)
    }
}

impl Cutoff {
    /// The moment, where it is `now` by the storage's clock. One that is still to come is a mistake:
    /// of the sessions that are created meanwhile some would end and others not.
    pub(crate) fn moment(self, now: Timestamp) -> Result<Timestamp, Failure> {
        let moment = match self {
            Self::At(moment) => moment,
            Self::Ago(span) => {
                let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
                Timestamp::from_millis(now.as_millis().saturating_sub(span))
            }
        };
        if moment > now {
            let text = format!("{} is still to come by the storage's clock", exact(moment));
            return Err(Failure::misused(text));
        }
        Ok(moment)
    }
}

/// The moment in RFC 3339 with its milliseconds, so that it is the same when it is read again.
pub(crate) fn exact(moment: Timestamp) -> String {
    match moment.as_millis() % 1000 {
        0 => moment.to_string(),
        _ => humantime::format_rfc3339_millis(SystemTime::from(moment)).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_spans_are_read_and_nothing_else_is() {
        let at = |millis| Ok(Cutoff::At(Timestamp::from_millis(millis)));
        for (text, cutoff) in [
            ("1970-01-02T00:00:00Z", at(86_400_000)),
            ("1970-01-02T00:00:00.25z", at(86_400_250)),
            ("1970-01-02T02:00:00+02:00", at(86_400_000)),
            ("1970-01-01T18:30:00-05:30", at(86_400_000)),
            ("2h", Ok(Cutoff::Ago(Duration::from_secs(7200)))),
            ("3days", Ok(Cutoff::Ago(Duration::from_secs(3 * 86_400)))),
            ("0s", Ok(Cutoff::Ago(Duration::ZERO))),
        ] {
            assert_eq!(text.parse(), cutoff, "{text}");
        }
        for text in [
            "",
            "yesterday",
            "2026-03-01",
            "2026-03-01T12:00:00",
            "2026-03-01T12:00:00+1:00",
            "2026-03-01T12:00:00+25:00",
            "2026-03-01T12:00:00+01:+1",
            "1970-01-01T00:00:00+01:00",
            "2h ago",
            "-2h",
            "ééééééé",
        ] {
            assert_eq!(text.parse::<Cutoff>(), Err(FORMS), "{text}");
        }
    }

    #[test]
    fn a_moment_is_the_same_when_it_is_read_again_and_none_is_to_come() {
        let now = Timestamp::from_millis(1_800_000_000_123);
        for cutoff in [Cutoff::Ago(Duration::from_secs(5)), Cutoff::At(now)] {
            let moment = cutoff.moment(now).unwrap();
            assert_eq!(exact(moment).parse(), Ok(Cutoff::At(moment)));
        }
        assert_eq!(Cutoff::Ago(Duration::MAX).moment(now).unwrap(), Timestamp::default());
        let later = Cutoff::At(now + Duration::from_millis(1)).moment(now).unwrap_err();
        assert!(later.to_string().contains("still to come"), "{later}");
    }
}
