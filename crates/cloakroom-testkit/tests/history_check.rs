//! The checker reports each violation of each invariant, and nothing that is allowed.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::time::Duration;

use cloakroom_testkit::history::{
    Action, Bounds, ChangeNumber, Client, CookieEffect, Durability, Entry, History, Invariant,
    Mark, Moment, Node, Outcome, Resources, Seen, SessionNumber, TicketNumber, Visitor,
};

const VISITOR: Visitor = Visitor::new(7);
const OTHER: Visitor = Visitor::new(8);
const SESSION: SessionNumber = SessionNumber::new(70);
const TICKET: TicketNumber = TicketNumber::new(700);
const NEXT_TICKET: TicketNumber = TicketNumber::new(701);

/// Entries are written with their moments in milliseconds.
fn at(millis: u64) -> Moment {
    Moment::at(Duration::from_millis(millis))
}

fn entry(action: Action, invoked: u64, returned: u64) -> Entry {
    Entry::new(Client::new(1), Node::new(0), VISITOR, action)
        .at(at(invoked), at(returned))
        .ends(Outcome::Ok)
}

fn signed_in() -> Entry {
    entry(Action::SignIn, 1, 2).changes(ChangeNumber::new(0)).hands_out(SESSION, TICKET)
}

fn read(invoked: u64, returned: u64) -> Entry {
    entry(Action::Read, invoked, returned).shows(SESSION, TICKET)
}

fn seen() -> Seen {
    Seen::of(VISITOR, SESSION)
}

fn write(change: u32, invoked: u64, returned: u64) -> Entry {
    entry(Action::Write, invoked, returned)
        .shows(SESSION, TICKET)
        .changes(ChangeNumber::new(change))
}

fn signed_out(invoked: u64, returned: u64) -> Entry {
    entry(Action::SignOut, invoked, returned)
        .shows(SESSION, TICKET)
        .changes(ChangeNumber::new(9_000))
        .cookie(CookieEffect::Cleared)
}

fn on(node: u16, action: Action, invoked: u64, returned: u64) -> Entry {
    Entry::new(Client::new(2), Node::new(node), VISITOR, action)
        .at(at(invoked), at(returned))
        .shows(SESSION, TICKET)
        .ends(Outcome::Ok)
}

fn history(entries: impl IntoIterator<Item = Entry>) -> History {
    let history = History::new();
    entries.into_iter().for_each(|entry| history.add(entry));
    history
}

fn marked(marks: impl IntoIterator<Item = (u64, Mark)>, history: History) -> History {
    marks.into_iter().for_each(|(millis, mark)| history.mark_at(at(millis), mark));
    history
}

/// Exactly the named invariant is violated, that often.
#[track_caller]
fn assert_violated(history: &History, bounds: &Bounds, invariant: Invariant, times: u64) {
    let verdict = history.check(bounds);
    for found in verdict.findings() {
        let wanted = if found.invariant() == invariant { times } else { 0 };
        assert_eq!(found.violated(), wanted, "{verdict}");
    }
    assert!(!verdict.holds());
    let found = verdict.of(invariant);
    assert!(!found.violations().is_empty() && found.checked() >= times, "{verdict}");
}

#[track_caller]
fn assert_good(history: &History, bounds: &Bounds, invariant: Invariant) {
    let verdict = history.check(bounds);
    assert!(verdict.holds(), "{verdict}");
    assert!(verdict.of(invariant).checked() > 0, "nothing was checked: {verdict}");
}

#[test]
fn data_of_another_visitor_owner_or_session_is_reported() {
    let bounds = Bounds::default();
    assert_good(&history([signed_in(), read(3, 4).sees(seen())]), &bounds, Invariant::OwnData);
    for wrong in [
        Seen::of(OTHER, SESSION).owner(VISITOR),
        seen().owner(OTHER),
        seen().owner(None),
        Seen::of(VISITOR, SessionNumber::new(71)),
        seen().last_change(ChangeNumber::new(99)),
        Seen::default(),
    ] {
        let wrong = wrong.count(0);
        let history = history([signed_in(), read(3, 4).sees(wrong)]);
        assert_violated(&history, &bounds, Invariant::OwnData, 1);
    }
    let uninvited = entry(Action::Read, 3, 4).sees(seen());
    assert_violated(&history([signed_in(), uninvited]), &bounds, Invariant::OwnData, 1);
}

#[test]
fn a_write_that_is_seen_before_it_was_sent_is_reported() {
    let early = read(3, 4).sees(seen().last_change(ChangeNumber::new(1)));
    let history = history([signed_in(), early, write(1, 5, 6)]);
    assert_violated(&history, &Bounds::default(), Invariant::OwnData, 1);
}

#[test]
fn a_ticket_that_opens_its_session_after_the_sign_out_is_reported_on_every_node() {
    let bounds = Bounds::default();
    let refused = on(1, Action::Read, 12, 13).ends(Outcome::Rejected);
    let overlapping = on(1, Action::Read, 9, 15).sees(seen());
    let good = [signed_in(), signed_out(8, 10), overlapping, refused];
    assert_good(&history(good), &bounds, Invariant::FinalEnd);
    for node in [0, 1] {
        let bad = [signed_in(), signed_out(8, 10), on(node, Action::Read, 11, 12).sees(seen())];
        assert_violated(&history(bad), &bounds, Invariant::FinalEnd, 1);
    }
}

#[test]
fn a_sign_out_that_was_not_acknowledged_promises_nothing() {
    for outcome in [Outcome::Unknown, Outcome::Unavailable, Outcome::Failed] {
        let failed = signed_out(8, 10).cookie(CookieEffect::Kept).ends(outcome);
        let verdict = history([signed_in(), failed, read(11, 12).sees(seen())]);
        assert!(verdict.check(&Bounds::default()).holds());
    }
}

#[test]
fn a_replaced_ticket_that_still_opens_its_session_is_reported() {
    let bounds = Bounds::default();
    let again = || {
        let again = entry(Action::SignIn, 5, 6).shows(SESSION, TICKET);
        again.changes(ChangeNumber::new(1)).hands_out(SESSION, NEXT_TICKET)
    };
    let with_new = entry(Action::Read, 7, 8).shows(SESSION, NEXT_TICKET).sees(seen());
    let refused = read(7, 8).ends(Outcome::Rejected);
    assert_good(&history([signed_in(), again(), with_new, refused]), &bounds, Invariant::FinalEnd);
    let bad = [signed_in(), again(), read(7, 8).sees(seen())];
    assert_violated(&history(bad), &bounds, Invariant::FinalEnd, 1);
}

#[test]
fn a_pending_sign_out_is_in_force_here_at_once_and_everywhere_after_the_fault() {
    let bounds = Bounds::default().pending_applied_within(Duration::from_millis(100));
    let fault = || [(5, Mark::FaultBegan), (50, Mark::FaultEnded)];
    let pending = || signed_out(8, 10).ends(Outcome::Pending);
    let story = |visit: Entry| marked(fault(), history([signed_in(), pending(), visit]));

    assert_violated(
        &story(on(0, Action::Read, 11, 12).sees(seen())),
        &bounds,
        Invariant::FinalEnd,
        1,
    );
    // Another node may not know yet while the fault lasts, and shortly after it.
    for begin in [11, 60, 149] {
        let verdict = story(on(1, Action::Read, begin, begin + 1).sees(seen())).check(&bounds);
        assert!(verdict.holds(), "{verdict}");
    }
    assert_violated(
        &story(on(1, Action::Read, 151, 152).sees(seen())),
        &bounds,
        Invariant::FinalEnd,
        1,
    );
}

#[test]
fn a_sign_out_whose_client_went_away_is_carried_out_where_that_was_promised() {
    let abandoned = signed_out(8, 10).cookie(CookieEffect::Kept).ends(Outcome::Unknown);
    let story =
        |begin: u64| history([signed_in(), abandoned.clone(), read(begin, begin + 1).sees(seen())]);
    let promised = Bounds::default().abandoned_applied_within(Duration::from_millis(100));
    assert!(story(109).check(&promised).holds());
    assert_violated(&story(111), &promised, Invariant::FinalEnd, 1);
    assert!(story(111).check(&Bounds::default()).holds());
}

#[test]
fn a_failover_undoes_a_sign_out_for_its_window_only() {
    let bounds = Bounds::default().failover_window(Duration::from_millis(100));
    let story = |visit: Entry| {
        let marks = [(500, Mark::FaultBegan), (900, Mark::FailedOver), (950, Mark::FaultEnded)];
        marked(marks, history([signed_in(), signed_out(8, 10), visit]))
    };
    let visit = |begin: u64| on(1, Action::Read, begin, begin + 1).sees(seen());
    for within in [500, 899, 901, 999] {
        assert_good(&story(visit(within)), &bounds, Invariant::FinalEnd);
    }
    for outside in [498, 1_001, 5_000] {
        assert_violated(&story(visit(outside)), &bounds, Invariant::FinalEnd, 1);
    }
    let confirmed = bounds.clone().durability(Durability::Replicas(1));
    assert_violated(&story(visit(901)), &confirmed, Invariant::FinalEnd, 1);
    let forgotten = bounds.journal_reach(Duration::from_millis(400));
    assert_good(&story(visit(5_000)), &forgotten, Invariant::FinalEnd);
}

#[test]
fn a_sign_out_after_the_failover_is_as_final_as_any() {
    let bounds = Bounds::default().failover_window(Duration::from_millis(100));
    let late = [signed_in(), signed_out(1_001, 1_002), read(1_003, 1_004).sees(seen())];
    let story = marked([(900, Mark::FailedOver)], history(late));
    assert_violated(&story, &bounds, Invariant::FinalEnd, 1);
}

#[test]
fn a_restore_undoes_only_what_the_older_data_did_not_hold() {
    let bounds = Bounds::default().failover_window(Duration::from_millis(100));
    let story = |data_of: u64| {
        let visit = on(1, Action::Read, 901, 902).sees(seen());
        let restored = [(900, Mark::RestoredFrom(at(data_of)))];
        marked(restored, history([signed_in(), signed_out(8, 10), visit]))
    };
    assert_good(&story(9), &bounds, Invariant::FinalEnd);
    assert_violated(&story(11), &bounds, Invariant::FinalEnd, 1);
}

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

#[test]
fn an_operation_that_is_dropped_is_recorded_as_unknown() {
    let history = History::new();
    let mut invoked = history.begin(Client::new(0), Node::new(0), VISITOR, Action::Write);
    invoked.changes();
    drop(invoked);
    history.read(|entries| {
        assert_eq!(entries[0].outcome(), Outcome::Unknown);
        assert!(entries[0].returned() > entries[0].invoked());
    });
}

#[test]
fn a_history_without_room_is_no_good_verdict() {
    let history = History::with_limit(1);
    history.add(signed_in());
    assert!(history.check(&Bounds::default()).holds());
    history.add(read(3, 4).sees(seen()));
    let verdict = history.check(&Bounds::default());
    assert_eq!((history.len(), verdict.lost(), verdict.holds()), (1, 1, false));
}

#[test]
fn moments_never_repeat_in_any_thread() {
    let history = History::new();
    let mut moments: Vec<Moment> = std::thread::scope(|scope| {
        let draw = || (0..10_000).map(|_| history.now()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(draw)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let drawn = moments.len();
    moments.sort_unstable();
    moments.dedup();
    assert_eq!(moments.len(), drawn);
}

#[test]
fn a_verdict_says_what_is_wrong_and_who_saw_it() {
    let bad = history([signed_in(), signed_out(8, 10), on(1, Action::Read, 11, 12).sees(seen())]);
    let verdict = bad.check(&Bounds::default());
    let text = verdict.to_string();
    assert!(text.contains("INV-1: 0 of 1 reads"), "{text}");
    assert!(text.contains("INV-2: 1 of 1 uses of ended tickets"), "{text}");
    assert!(text.contains("client 2 at node 1, visitor 7, read"), "{text}");
    let violation = &verdict.of(Invariant::FinalEnd).violations()[0];
    assert_eq!(violation.entries().len(), 2);
}

#[tokio::test]
async fn this_process_tells_what_it_holds() {
    let history = History::new();
    let held = history.sample().unwrap();
    assert!(held.memory > 1 << 20 && held.files >= 3, "{held:?}");
    assert!(held.tasks.is_some());
}
