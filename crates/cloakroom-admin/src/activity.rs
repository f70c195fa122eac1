//! When an operator has last done something. The session's own idle timeout does not tell: the overview
//! asks for new figures by itself, which keeps every session alive.

use std::time::Duration;

use cloakroom::{Session, SessionError, Timestamp};

/// How long somebody may do nothing.
pub(crate) const IDLE: Duration = Duration::from_secs(15 * 60);

/// When somebody has last done something, in milliseconds since the epoch.
const ACTIVE: &str = "active";

/// How exact that is, so that a click is not always a write.
const GRAIN: Duration = Duration::from_secs(30);

/// What a request is for the time that somebody may do nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// Nobody was there for too long.
    TooLate,
    /// Somebody is there, and it is time to note that.
    OfLife,
    /// It changes nothing.
    None,
}

impl Sign {
    /// What the page asks for by itself is no sign of life, or one that is left open would stay signed
    /// in.
    fn of(path: &str, idle: Duration) -> Self {
        if idle > IDLE {
            Self::TooLate
        } else if idle > GRAIN && path != "/api/overview" {
            Self::OfLife
        } else {
            Self::None
        }
    }
}

/// Begins to count for somebody who has just signed in.
pub(crate) fn begin(session: &Session, now: Timestamp) -> Result<(), SessionError> {
    session.insert(ACTIVE, now.as_millis())
}

/// Whether somebody has done something of late; notes it if this request is a sign of it.
pub(crate) fn goes_on(session: &Session, path: &str, now: Timestamp) -> Result<bool, SessionError> {
    let active = session.get::<u64>(ACTIVE)?.map(Timestamp::from_millis).unwrap_or_default();
    let sign = Sign::of(path, active.until(now));
    if sign == Sign::OfLife {
        session.insert(ACTIVE, now.as_millis())?;
    }
    Ok(sign != Sign::TooLate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_left_open_does_not_stay_signed_in_by_itself() {
        let minutes = |count: u64| Duration::from_secs(60 * count);
        assert_eq!(Sign::of("/sessions", minutes(14)), Sign::OfLife);
        assert_eq!(Sign::of("/api/overview", minutes(14)), Sign::None);
        assert_eq!(Sign::of("/api/overview", minutes(16)), Sign::TooLate);
        assert_eq!(Sign::of("/sessions", minutes(16)), Sign::TooLate);
        assert_eq!(Sign::of("/sessions", Duration::from_secs(5)), Sign::None);
    }
}
