//! INV-2: the end of a ticket is final, but for the documented windows.

use std::time::Duration;

use cloakroom_testkit::history::{
    Action, Bounds, ChangeNumber, CookieEffect, Durability, Entry, Invariant, Mark, Outcome,
};

use super::story::{
    NEXT_TICKET, SESSION, TICKET, assert_good, assert_violated, at, entry, history, marked, on,
    read, seen, signed_in, signed_out,
};

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
