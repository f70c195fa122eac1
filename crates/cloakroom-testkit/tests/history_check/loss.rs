//! INV-3 and INV-4: nothing goes back, nothing is lost, nothing is applied twice.

use std::time::Duration;

use cloakroom_testkit::history::{
    Action, Bounds, ChangeNumber, CookieEffect, Invariant, Mark, Outcome,
};

use super::story::{
    SESSION, TICKET, assert_good, assert_violated, at, entry, history, marked, read, seen,
    signed_in, signed_out, write,
};

#[test]
fn a_state_that_goes_back_is_reported_unless_a_failover_lies_between() {
    let bounds = Bounds::default();
    let first = || read(3, 4).sees(seen().generation(5));
    let back = || read(2_005, 2_006).sees(seen().generation(4));
    let on_again = read(2_005, 2_006).sees(seen().generation(5));
    assert_good(&history([signed_in(), first(), on_again]), &bounds, Invariant::NoStepBack);
    let bad = || history([signed_in(), first(), back()]);
    assert_violated(&bad(), &bounds, Invariant::NoStepBack, 1);
    let failed_over = marked([(2_000, Mark::FailedOver)], bad());
    assert_good(&failed_over, &bounds, Invariant::NoStepBack);
    let earlier = marked([(0, Mark::FailedOver)], bad());
    assert_good(&earlier, &bounds.clone(), Invariant::NoStepBack);
    let earlier = bounds.failover_window(Duration::from_millis(1));
    assert_violated(&marked([(0, Mark::FailedOver)], bad()), &earlier, Invariant::NoStepBack, 1);
}

#[test]
fn operations_that_overlap_may_see_states_in_any_order() {
    let newer = read(3, 10).sees(seen().generation(5));
    let older = read(5, 6).sees(seen().generation(4));
    let verdict = history([signed_in(), newer, older]).check(&Bounds::default());
    assert!(verdict.holds(), "{verdict}");
}

#[test]
fn a_count_must_hold_what_was_acknowledged_and_nothing_that_was_not_sent() {
    let bounds = Bounds::default();
    let story = |count: u32| {
        let acknowledged = [write(1, 3, 4), write(2, 5, 6)];
        let doubtful = [
            write(3, 7, 8).ends(Outcome::Unavailable),
            write(4, 7, 8).ends(Outcome::Unknown),
            write(5, 7, 8).ends(Outcome::Conflict),
            write(6, 9, 30),
        ];
        let late = write(7, 21, 22);
        let read = read(10, 20).sees(seen().count(count));
        let all = acknowledged.into_iter().chain(doubtful).chain([signed_in(), late, read]);
        history(all)
    };
    for possible in 2..=5 {
        assert_good(&story(possible), &bounds, Invariant::NothingLost);
    }
    for impossible in [0, 1, 6, u32::MAX] {
        assert_violated(&story(impossible), &bounds, Invariant::NothingLost, 1);
    }
}

#[test]
fn a_failover_may_lose_writes_of_before_but_none_of_after() {
    let bounds = Bounds::default().failover_window(Duration::from_millis(100));
    let story = |count: u32| {
        let writes = [write(1, 3, 4), write(2, 5, 6), write(3, 2_000, 2_001)];
        let read = read(3_000, 3_001).sees(seen().count(count));
        let all = writes.into_iter().chain([signed_in(), read]);
        marked([(900, Mark::FailedOver)], history(all))
    };
    for possible in 1..=3 {
        assert_good(&story(possible), &bounds, Invariant::NothingLost);
    }
    assert_violated(&story(0), &bounds, Invariant::NothingLost, 1);
    assert_violated(&story(4), &bounds, Invariant::NothingLost, 1);
}

#[test]
fn what_was_counted_after_a_failover_is_counted_exactly_from_then_on() {
    let bounds = Bounds::default().failover_window(Duration::from_millis(100));
    let story = |count: u32| {
        let before = (1..=50).map(|number| {
            let begin = u64::from(number) * 10;
            write(number, begin, begin + 1)
        });
        let doubtful = write(51, 510, 511).ends(Outcome::Unknown);
        let counted = read(2_000, 2_001).sees(seen().count(45));
        let after = [write(60, 2_010, 2_011), write(61, 2_020, 2_021)];
        let last = read(3_000, 3_001).sees(seen().count(count));
        let all = before.chain([signed_in(), doubtful, counted]).chain(after).chain([last]);
        marked([(900, Mark::FailedOver)], history(all))
    };
    for possible in [47, 48] {
        assert_good(&story(possible), &bounds, Invariant::NothingLost);
    }
    for impossible in [0, 45, 46, 49, 52] {
        assert_violated(&story(impossible), &bounds, Invariant::NothingLost, 1);
    }
}

#[test]
fn a_session_that_vanishes_is_reported_unless_something_may_have_ended_it() {
    let bounds = Bounds::default();
    let lost = || read(5_000, 5_001).ends(Outcome::Rejected);
    assert_violated(&history([signed_in(), lost()]), &bounds, Invariant::NothingLost, 1);
    let doubtful = signed_out(3, 4).cookie(CookieEffect::Kept).ends(Outcome::Unknown);
    assert_good(&history([signed_in(), doubtful, lost()]), &bounds, Invariant::NothingLost);
    let replaced = entry(Action::SignIn, 3, 4)
        .shows(SESSION, TICKET)
        .changes(ChangeNumber::new(1))
        .ends(Outcome::Unknown);
    assert_good(&history([signed_in(), replaced, lost()]), &bounds, Invariant::NothingLost);
    let failed_over = marked([(100, Mark::FailedOver)], history([signed_in(), lost()]));
    assert_good(&failed_over, &bounds, Invariant::NothingLost);
    let short = bounds.clone().idle_timeout(Duration::from_secs(10));
    assert_good(&history([signed_in(), lost()]), &short, Invariant::NothingLost);
    let used = read(4_000, 4_001).sees(seen());
    let longer = bounds.skew(Duration::ZERO).idle_timeout(Duration::from_secs(10));
    assert_violated(&history([signed_in(), used, lost()]), &longer, Invariant::NothingLost, 1);
}

#[test]
fn a_renewal_may_be_left_out_during_a_fault_and_lost_by_a_restore() {
    let bounds = Bounds::default().skew(Duration::ZERO).idle_timeout(Duration::from_secs(10));
    let story = || {
        let used = read(4_000, 4_001).sees(seen());
        history([signed_in(), used, read(7_000, 7_001).ends(Outcome::Rejected)])
    };
    let fault = |begin, end| [(begin, Mark::FaultBegan), (end, Mark::FaultEnded)];
    assert_violated(&story(), &bounds, Invariant::NothingLost, 1);
    for (begin, end) in [(3_900, 4_500), (2_000, 3_100), (4_900, 5_000)] {
        assert_good(&marked(fault(begin, end), story()), &bounds, Invariant::NothingLost);
    }
    for (begin, end) in [(2_000, 2_900), (5_200, 5_300)] {
        let far = marked(fault(begin, end), story());
        assert_violated(&far, &bounds, Invariant::NothingLost, 1);
    }
    let restored = |from| marked([(6_000, Mark::RestoredFrom(at(from)))], story());
    assert_good(&restored(3_000), &bounds, Invariant::NothingLost);
    assert_violated(&restored(5_000), &bounds, Invariant::NothingLost, 1);
}

#[test]
fn a_rejection_says_nothing_while_answers_go_to_the_wrong_questions() {
    let bounds = Bounds::default();
    let story = |rejected: u64| {
        let rejection = read(rejected, rejected + 1).ends(Outcome::Rejected);
        let marks = [(100, Mark::FaultBegan), (101, Mark::Confused), (2_000, Mark::FaultEnded)];
        marked(marks, history([signed_in(), rejection]))
    };
    for within in [100, 1_000, 3_000] {
        let verdict = story(within).check(&bounds);
        assert!(verdict.holds(), "{verdict}");
    }
    for outside in [50, 3_002] {
        assert_violated(&story(outside), &bounds, Invariant::NothingLost, 1);
    }
}
