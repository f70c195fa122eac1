//! INV-5 to INV-8: deadlines, what a process holds, and outages that sign nobody out.

use std::time::Duration;

use cloakroom_testkit::history::{
    Action, Bounds, CookieEffect, History, Invariant, Mark, Outcome, Resources,
};

use super::story::{
    assert_good, assert_violated, at, entry, history, marked, read, seen, signed_in,
};

#[test]
fn a_ticket_beyond_the_absolute_deadline_and_the_skew_is_reported() {
    let bounds = Bounds::default().absolute_timeout(Duration::from_secs(10));
    let visit = |begin: u64| history([signed_in(), read(begin, begin + 1).sees(seen())]);
    assert_good(&visit(12_000), &bounds, Invariant::AbsoluteDeadline);
    assert_violated(&visit(12_003), &bounds, Invariant::AbsoluteDeadline, 1);
}

#[test]
fn an_operation_beyond_its_deadline_and_the_slack_is_reported_however_it_ended() {
    let bounds = Bounds::default();
    let taking = |millis: u64| {
        let read = read(10, 10 + millis).within(Duration::from_millis(750));
        history([signed_in(), read.ends(Outcome::Unavailable)])
    };
    assert_good(&taking(800), &bounds, Invariant::InTime);
    assert_violated(&taking(801), &bounds, Invariant::InTime, 1);
}

#[test]
fn a_process_that_was_not_run_has_that_time_on_top_of_its_deadlines() {
    let story = |from: u64, to: u64| {
        let read = read(10, 910).within(Duration::from_millis(750));
        let history = history([signed_in(), read.ends(Outcome::Unavailable)]);
        history.stood_still(at(from), at(to));
        history
    };
    let bounds = Bounds::default();
    assert_good(&story(100, 200), &bounds, Invariant::InTime);
    assert_violated(&story(100, 199), &bounds, Invariant::InTime, 1);
    assert_violated(&story(0, 100), &bounds, Invariant::InTime, 1);
    assert_violated(&story(1_000, 2_000), &bounds, Invariant::InTime, 1);
}

#[test]
fn what_a_process_does_not_let_go_of_is_reported() {
    let bounds = Bounds::default();
    let story = |samples: &[(u64, Resources)]| {
        let history =
            marked([(1_000, Mark::FaultBegan), (2_000, Mark::FaultEnded)], History::new());
        let before = Resources::new(100 << 20, 20, Some(10));
        history.sample_at(at(900), before);
        history.sample_at(at(1_500), Resources::new(900 << 20, 900, Some(900)));
        samples.iter().for_each(|(millis, held)| history.sample_at(at(*millis), *held));
        history
    };
    let good = Resources::new(104 << 20, 21, Some(10));
    let many = Resources::new(900 << 20, 900, Some(900));
    assert_good(&story(&[(3_000, many), (11_000, good)]), &bounds, Invariant::NoLeak);
    assert_violated(&story(&[(3_000, many), (12_500, good)]), &bounds, Invariant::NoLeak, 3);
    assert_good(&story(&[(12_500, good)]), &bounds, Invariant::NoLeak);
    for leak in [
        Resources::new(106 << 20, 20, Some(10)),
        Resources::new(100 << 20, 22, Some(10)),
        Resources::new(100 << 20, 20, Some(11)),
    ] {
        assert_violated(&story(&[(12_000, leak)]), &bounds, Invariant::NoLeak, 1);
    }
    let spare = bounds.spare_memory(8 << 20).spare_files(2).spare_tasks(1);
    let more = Resources::new(112 << 20, 23, Some(11));
    assert_good(&story(&[(12_000, more)]), &spare, Invariant::NoLeak);
    assert_eq!(story(&[]).check(&spare).of(Invariant::NoLeak).checked(), 0);
}

#[test]
fn an_outage_that_signs_a_visitor_out_is_reported() {
    let bounds = Bounds::default();
    for outcome in [Outcome::Unavailable, Outcome::Failed] {
        let kept = history([signed_in(), read(3, 4).ends(outcome)]);
        assert_good(&kept, &bounds, Invariant::NoFalseSignOut);
        let cleared = read(3, 4).ends(outcome).cookie(CookieEffect::Cleared);
        let cleared = history([signed_in(), cleared]);
        assert_violated(&cleared, &bounds, Invariant::NoFalseSignOut, 1);
    }
    let anonymous = history([signed_in(), read(3, 4).ends(Outcome::Anonymous)]);
    assert_violated(&anonymous, &bounds, Invariant::NoFalseSignOut, 1);
    let stranger = entry(Action::Read, 3, 4).ends(Outcome::Anonymous);
    assert!(history([signed_in(), stranger]).check(&bounds).holds());
}
