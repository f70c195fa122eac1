//! Deadlines under any sequence of commits and touches, and the decision to touch.

use proptest::prelude::*;

use super::*;
use crate::clock::Timestamp;
use crate::commit::{Absolute, Commit, CommitBuilder, Expect};
use crate::record::Stamp;
use crate::token::SessionKey;

fn commit(idle_timeout: u64, absolute: Absolute) -> Commit {
    CommitBuilder::new(Expect::Present)
        .idle_timeout(Duration::from_millis(idle_timeout))
        .absolute(absolute)
        .build()
        .unwrap()
}

fn absolute() -> impl Strategy<Value = Absolute> {
    let start = (1..100_000u64).prop_map(|ms| Absolute::Start(Duration::from_millis(ms)));
    let prolong = (1..100_000u64).prop_map(|ms| Absolute::Prolong(Duration::from_millis(ms)));
    prop_oneof![2 => Just(Absolute::Keep), 1 => start, 1 => prolong]
}

fn record(stamp: &Stamp, idle_timeout: u64, as_of: Timestamp) -> Record {
    let key = SessionKey::from_name("ann");
    let commit = commit(idle_timeout, Absolute::Keep);
    Record::decode(&key, commit.stamped(&key, stamp), as_of).unwrap()
}

proptest! {
    #[test]
    fn deadlines_stay_in_order_whatever_is_committed_and_whenever(
        steps in prop::collection::vec((1..50_000u64, absolute(), -500..20_000i64), 1..30),
    ) {
        let (mut now, mut stored) = (1_000_000u64, None::<Stamp>);
        for (idle_timeout, absolute, passes) in steps {
            // The storage's clock may also be set back.
            now = now.saturating_add_signed(passes);
            if stored.is_some_and(|stored| now > stored.idle_deadline.as_millis()) {
                stored = None;
            }
            let at = Timestamp::from_millis(now);
            let stamp = commit(idle_timeout, absolute).stamp(stored.as_ref(), at);
            prop_assert!(stamp.created <= stamp.started && stamp.started <= stamp.touched);
            prop_assert!(stamp.touched <= stamp.idle_deadline);
            prop_assert!(stamp.idle_deadline <= stamp.absolute_deadline);
            prop_assert!(stamp.idle_deadline <= at + Duration::from_millis(idle_timeout));
            match (absolute, stored) {
                (Absolute::Keep, Some(stored)) => {
                    prop_assert_eq!(stamp.absolute_deadline, stored.absolute_deadline);
                    prop_assert_eq!(stamp.generation, stored.generation.next());
                }
                (Absolute::Start(timeout), _) => {
                    prop_assert_eq!(stamp.absolute_deadline, at + timeout);
                    prop_assert_eq!(stamp.started, at);
                }
                (Absolute::Prolong(timeout), stored) => {
                    prop_assert_eq!(stamp.absolute_deadline, at + timeout);
                    prop_assert_eq!(stamp.started, stored.map_or(at, |it| it.started.min(at)));
                }
                (Absolute::Keep, None) => prop_assert_eq!(stamp.idle_deadline, stamp.absolute_deadline),
            }
            stored = Some(stamp);
        }
    }

    #[test]
    fn a_touch_is_wanted_exactly_below_the_share_and_where_it_could_give_more(
        idle in 2..10_000u64, absolute in 1..20_000u64, passed in 0..12_000u64, share in 0.0..=1.0f64,
    ) {
        let begun = Timestamp::from_millis(1_000_000);
        let stamp = Stamp::first(begun, Duration::from_millis(idle), Duration::from_millis(absolute));
        let lives = stamp.idle_deadline.as_millis() - 1_000_000;
        let passed = passed.min(lives);
        let record = record(&stamp, idle, begun + Duration::from_millis(passed));
        let left = (lives - passed) as f64;
        let could_give_more = lives < absolute && passed > 0;
        // A duration knows nanoseconds, so a fraction of less than one is neither below nor above.
        let threshold = idle as f64 * share;
        prop_assume!((left - threshold).abs() > 1e-5);
        prop_assert_eq!(wants_touch(&record, share), left < threshold && could_give_more);
    }

    #[test]
    fn lifetimes_are_checked_against_their_limit(asked in any::<u64>(), limit in any::<u64>()) {
        let checked = check(Duration::from_millis(asked), Duration::from_millis(limit));
        prop_assert_eq!(checked.is_ok(), asked >= 1 && asked <= limit);
    }
}

#[test]
fn exactly_half_is_not_less_than_half() {
    let begun = Timestamp::from_millis(1_000_000);
    let stamp = Stamp::first(begun, Duration::from_secs(10), Duration::from_secs(100));
    let after = |millis| record(&stamp, 10_000, begun + Duration::from_millis(millis));
    assert!(!wants_touch(&after(5_000), HALF));
    assert!(wants_touch(&after(5_001), HALF));
    assert!(!wants_touch(&after(10_000), 0.0), "never");
    assert!(wants_touch(&after(1), 1.0), "at every request");
}

#[tokio::test(start_paused = true)]
async fn four_tries_follow_each_other_without_a_pause_so_that_nobody_starves() {
    let start = tokio::time::Instant::now();
    for attempt in [0, 1, 2, 4, 5, 6, 8] {
        pause_after_conflict(attempt).await;
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    for attempt in (3..400).step_by(4) {
        pause_after_conflict(attempt).await;
    }
    assert!(start.elapsed() > Duration::ZERO, "every fourth one waits a random moment");
}

#[tokio::test(start_paused = true)]
async fn the_pause_after_a_conflict_is_bounded() {
    let start = tokio::time::Instant::now();
    pause_after_conflict(0).await;
    assert_eq!(start.elapsed(), Duration::ZERO, "the first retry goes out at once");
    for attempt in [1, 2, 3, 4, 5, 100, u32::MAX] {
        let start = tokio::time::Instant::now();
        pause_after_conflict(attempt).await;
        // Tokio's timer counts whole milliseconds and rounds up.
        let longest = Duration::from_millis(1 << (attempt - 1).min(3)) + Duration::from_millis(1);
        assert!(start.elapsed() <= longest, "{attempt}: {:?}", start.elapsed());
    }
}
