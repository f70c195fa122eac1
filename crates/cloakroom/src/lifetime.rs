//! Lifetimes: pure decisions about idle and absolute timeouts, and the pause between two tries.

use std::time::Duration;

use crate::error::SessionError;
use crate::record::Record;

/// The share of the idle timeout below which a session in use is touched: one half.
pub(crate) const HALF: f64 = 0.5;

/// The longest lifetime that anything may ask for: 400 days, after which browsers drop a cookie
/// (RFC 6265bis, 5.5).
pub(crate) const LONGEST: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// The shortest lifetime that makes sense for a session.
pub(crate) const SHORTEST: Duration = Duration::from_millis(1);

/// For how long after a session's last change a request with its old ticket may be one that was on
/// its way when the ticket was replaced.
const RECENT: Duration = Duration::from_secs(30);

/// How many tries of a commit follow each other at once.
const TRIES_IN_A_ROW: u32 = 4;

/// Refuses a lifetime that is zero or longer than `limit`.
pub(crate) fn check(asked: Duration, limit: Duration) -> Result<(), SessionError> {
    if asked < SHORTEST || asked > limit {
        return Err(SessionError::Lifetime { asked, limit });
    }
    Ok(())
}

/// Whether less than `share` of the idle timeout was left when the record was read, and a touch
/// could give it more.
pub(crate) fn wants_touch(record: &Record, share: f64) -> bool {
    let now = record.as_of();
    let left = now.until(record.idle_deadline());
    let could_be = record.absolute_deadline().min(now + record.idle_timeout());
    left < record.idle_timeout().mul_f64(share) && could_be > record.idle_deadline()
}

/// Whether the record's ticket may have been replaced while a request was on its way.
pub(crate) fn may_just_have_rotated(record: &Record) -> bool {
    record.touched().until(record.as_of()) <= RECENT
}

/// Waits a random moment after every fourth race in a row that another process has won: up to 1, 2,
/// 4, at most 8 ms.
///
/// A conflict brings the newest record, so the try that follows at once has a fair chance. After a
/// pause the record is old again: whoever paused each time would starve beside a process that wins.
pub(crate) async fn pause_after_conflict(attempt: u32) {
    if attempt % TRIES_IN_A_ROW != TRIES_IN_A_ROW - 1 {
        return;
    }
    let longest_micros = 1_000u64 << (attempt / TRIES_IN_A_ROW).min(3);
    let mut random = [0; 8];
    // Without random bytes the pause is the longest one, which is correct as well.
    let share = getrandom::fill(&mut random).map_or(u64::MAX, |()| u64::from_be_bytes(random));
    let micros = longest_micros.min(share % (longest_micros + 1));
    tokio::time::sleep(Duration::from_micros(micros)).await;
}

#[cfg(test)]
mod tests;
