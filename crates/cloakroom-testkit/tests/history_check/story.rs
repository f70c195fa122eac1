//! Histories by hand: one visitor, one session, moments in milliseconds.

use std::time::Duration;

use cloakroom_testkit::history::{
    Action, Bounds, ChangeNumber, Client, CookieEffect, Entry, History, Invariant, Mark, Moment,
    Node, Outcome, Seen, SessionNumber, TicketNumber, Visitor,
};

pub(crate) const VISITOR: Visitor = Visitor::new(7);
pub(crate) const OTHER: Visitor = Visitor::new(8);
pub(crate) const SESSION: SessionNumber = SessionNumber::new(70);
pub(crate) const TICKET: TicketNumber = TicketNumber::new(700);
pub(crate) const NEXT_TICKET: TicketNumber = TicketNumber::new(701);

/// Entries are written with their moments in milliseconds.
pub(crate) fn at(millis: u64) -> Moment {
    Moment::at(Duration::from_millis(millis))
}

pub(crate) fn entry(action: Action, invoked: u64, returned: u64) -> Entry {
    Entry::new(Client::new(1), Node::new(0), VISITOR, action)
        .at(at(invoked), at(returned))
        .ends(Outcome::Ok)
}

pub(crate) fn signed_in() -> Entry {
    entry(Action::SignIn, 1, 2).changes(ChangeNumber::new(0)).hands_out(SESSION, TICKET)
}

pub(crate) fn read(invoked: u64, returned: u64) -> Entry {
    entry(Action::Read, invoked, returned).shows(SESSION, TICKET)
}

pub(crate) fn seen() -> Seen {
    Seen::of(VISITOR, SESSION)
}

pub(crate) fn write(change: u32, invoked: u64, returned: u64) -> Entry {
    entry(Action::Write, invoked, returned)
        .shows(SESSION, TICKET)
        .changes(ChangeNumber::new(change))
}

pub(crate) fn signed_out(invoked: u64, returned: u64) -> Entry {
    entry(Action::SignOut, invoked, returned)
        .shows(SESSION, TICKET)
        .changes(ChangeNumber::new(9_000))
        .cookie(CookieEffect::Cleared)
}

pub(crate) fn on(node: u16, action: Action, invoked: u64, returned: u64) -> Entry {
    Entry::new(Client::new(2), Node::new(node), VISITOR, action)
        .at(at(invoked), at(returned))
        .shows(SESSION, TICKET)
        .ends(Outcome::Ok)
}

pub(crate) fn history(entries: impl IntoIterator<Item = Entry>) -> History {
    let history = History::new();
    entries.into_iter().for_each(|entry| history.add(entry));
    history
}

pub(crate) fn marked(marks: impl IntoIterator<Item = (u64, Mark)>, history: History) -> History {
    marks.into_iter().for_each(|(millis, mark)| history.mark_at(at(millis), mark));
    history
}

/// Exactly the named invariant is violated, that often.
#[track_caller]
pub(crate) fn assert_violated(
    history: &History,
    bounds: &Bounds,
    invariant: Invariant,
    times: u64,
) {
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
pub(crate) fn assert_good(history: &History, bounds: &Bounds, invariant: Invariant) {
    let verdict = history.check(bounds);
    assert!(verdict.holds(), "{verdict}");
    assert!(verdict.of(invariant).checked() > 0, "nothing was checked: {verdict}");
}
