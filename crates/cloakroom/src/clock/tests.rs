//! Moments that can be written, and a clock that the host's clock cannot push.

use super::*;

const HOUR: Duration = Duration::from_secs(60 * 60);

#[test]
fn every_moment_can_be_written() {
    assert_eq!(Timestamp::default().to_string(), "1970-01-01T00:00:00Z");
    let last = LAST_WRITABLE.to_string();
    assert_eq!(last, "9999-12-31T23:59:59Z");
    for later in [LAST_WRITABLE.0 + 1, u64::MAX] {
        assert_eq!(Timestamp::from_millis(later).to_string(), last);
    }
}

#[test]
fn a_step_of_the_hosts_clock_moves_no_deadline() {
    let wrong = SystemTime::now() - HOUR;
    let anchor = Anchor::new(wrong);
    let before = anchor.at(anchor.monotonic);
    assert_eq!(before, Timestamp::default() + wrong.duration_since(UNIX_EPOCH).unwrap());
    // The host's clock is an hour ahead of the anchor, as after a step: only what passes counts.
    assert_eq!(anchor.at(anchor.monotonic + HOUR), before + HOUR);
    assert_eq!(anchor.at(anchor.monotonic - HOUR), before, "time does not go backwards");
}

#[test]
fn the_system_clock_tells_the_time_of_the_host_that_was_never_stepped() {
    let wall = Timestamp::default() + SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let told = SystemClock.now();
    assert!(wall.until(told).max(told.until(wall)) < HOUR);
    assert!(SystemClock.now() >= told);
}
