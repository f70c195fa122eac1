//! INV-1: a visitor sees nothing but its own.

use cloakroom_testkit::history::{Action, Bounds, ChangeNumber, Invariant, Seen, SessionNumber};

use super::story::{
    OTHER, SESSION, VISITOR, assert_good, assert_violated, entry, history, read, seen, signed_in,
    write,
};

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
