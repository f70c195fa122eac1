//! Moments as programs and people write them, for the page and the command alike.

use std::time::UNIX_EPOCH;

use cloakroom::Timestamp;

/// Reads a moment in RFC 3339, with its offset from UTC. `None` where it is none, or one before 1970.
///
/// ```
/// use cloakroom_admin::read_moment;
///
/// assert_eq!(read_moment("2026-03-01T13:30:00+01:00"), read_moment("2026-03-01T12:30:00Z"));
/// assert_eq!(read_moment("2026-03-01T12:30:00"), None);
/// ```
pub fn read_moment(text: &str) -> Option<Timestamp> {
    // The library that reads it knows UTC only.
    let upper = text.to_ascii_uppercase();
    if upper.ends_with('Z') {
        return in_utc(&upper);
    }
    let (local, offset) = upper.split_at_checked(upper.len().checked_sub(6)?)?;
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let number = |digits: &str, limit: u64| {
        let is_number = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
        digits.parse::<u64>().ok().filter(|number| is_number && *number < limit)
    };
    let millis = (number(hours, 24)? * 60 + number(minutes, 60)?) * 60_000;
    let there = in_utc(&format!("{local}Z"))?.as_millis();
    match offset.as_bytes().first()? {
        b'+' => there.checked_sub(millis),
        b'-' => there.checked_add(millis),
        _ => None,
    }
    .map(Timestamp::from_millis)
}

fn in_utc(text: &str) -> Option<Timestamp> {
    let moment = humantime::parse_rfc3339(text).ok()?;
    let millis = moment.duration_since(UNIX_EPOCH).ok()?.as_millis();
    u64::try_from(millis).ok().map(Timestamp::from_millis)
}
