//! [`Invoked`]: an operation that is under way.

use std::time::Duration;

use super::{
    ChangeNumber, CookieEffect, Entry, History, Outcome, Seen, SessionNumber, TicketNumber,
};

/// An operation that was called and has not ended. Dropped before its end (its future was
/// cancelled, its task panicked) it is recorded with [`Outcome::Unknown`].
#[derive(Debug)]
#[must_use = "dropping it records an operation whose outcome is unknown"]
pub struct Invoked {
    history: History,
    entry: Entry,
}

impl Invoked {
    pub(super) fn new(history: History, entry: Entry) -> Self {
        Self { history, entry }
    }

    /// The request carries a ticket.
    pub fn shows(&mut self, session: SessionNumber, ticket: TicketNumber) {
        self.entry.shown = Some((session, ticket));
    }

    /// How long the request may take.
    pub fn within(&mut self, deadline: Duration) {
        self.entry = self.entry.clone().within(deadline);
    }

    /// The ticket has opened a session. Call it as soon as that is known: it counts even if the
    /// request fails later.
    pub fn sees(&mut self, seen: Seen) {
        self.entry.seen = Some(seen);
    }

    /// From now on a change may reach the storage. Call it before it is sent; what was not
    /// announced here is known not to have been applied.
    pub fn changes(&mut self) -> ChangeNumber {
        let change = self.history.new_change();
        self.entry.change = Some(change);
        change
    }

    /// The answer brings a ticket.
    pub fn hands_out(&mut self, session: SessionNumber, ticket: TicketNumber) {
        self.entry.handed_out = Some((session, ticket));
        self.entry.cookie = CookieEffect::Set;
    }

    /// What the answer does to the cookie.
    pub fn cookie(&mut self, effect: CookieEffect) {
        self.entry.cookie = effect;
    }

    /// The request was answered.
    pub fn ends(mut self, outcome: Outcome) {
        self.entry.outcome = outcome;
    }
}

impl Drop for Invoked {
    fn drop(&mut self) {
        self.entry.returned = self.history.now();
        self.history.add(self.entry.clone());
    }
}
