//! [`Entry`]: one operation of one client, from its call to its answer.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use super::{
    Action, ChangeNumber, Client, CookieEffect, Moment, Node, Outcome, Seen, SessionNumber,
    TicketNumber, Visitor,
};

/// One operation. Made by [`History::begin`](super::History::begin), or by hand for histories that
/// were recorded elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an entry counts once it is added to a history"]
pub struct Entry {
    pub(super) invoked: Moment,
    pub(super) returned: Moment,
    pub(super) client: Client,
    pub(super) visitor: Visitor,
    pub(super) shown: Option<(SessionNumber, TicketNumber)>,
    pub(super) handed_out: Option<(SessionNumber, TicketNumber)>,
    pub(super) change: Option<ChangeNumber>,
    pub(super) deadline_micros: Option<NonZeroU32>,
    pub(super) seen: Option<Seen>,
    pub(super) node: Node,
    pub(super) action: Action,
    pub(super) cookie: CookieEffect,
    pub(super) outcome: Outcome,
}

impl Entry {
    /// An operation of which nothing else is known: no ticket was shown, the outcome is unknown.
    pub fn new(client: Client, node: Node, visitor: Visitor, action: Action) -> Self {
        Self {
            invoked: Moment::START,
            returned: Moment::START,
            client,
            visitor,
            shown: None,
            handed_out: None,
            change: None,
            deadline_micros: None,
            seen: None,
            node,
            action,
            cookie: CookieEffect::Kept,
            outcome: Outcome::Unknown,
        }
    }

    /// When it was called and when it was answered.
    pub fn at(mut self, invoked: Moment, returned: Moment) -> Self {
        (self.invoked, self.returned) = (invoked, returned);
        self
    }

    /// The ticket that was sent, and the session that it belongs to.
    pub fn shows(mut self, session: SessionNumber, ticket: TicketNumber) -> Self {
        self.shown = Some((session, ticket));
        self
    }

    /// The ticket that the answer brought, and the session that it belongs to.
    pub fn hands_out(mut self, session: SessionNumber, ticket: TicketNumber) -> Self {
        self.handed_out = Some((session, ticket));
        self.cookie = CookieEffect::Set;
        self
    }

    /// The change that was sent. Without one the operation has certainly changed nothing.
    pub fn changes(mut self, change: ChangeNumber) -> Self {
        self.change = Some(change);
        self
    }

    /// How long the operation may take; kept to the microsecond, at most 71 minutes.
    pub fn within(mut self, deadline: Duration) -> Self {
        let micros = u32::try_from(deadline.as_micros()).unwrap_or(u32::MAX);
        self.deadline_micros = NonZeroU32::new(micros.max(1));
        self
    }

    /// What the ticket opened.
    pub fn sees(mut self, seen: Seen) -> Self {
        self.seen = Some(seen);
        self
    }

    /// What the answer did to the cookie.
    pub fn cookie(mut self, effect: CookieEffect) -> Self {
        self.cookie = effect;
        self
    }

    /// How it ended.
    pub fn ends(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// What was asked for.
    pub fn action(&self) -> Action {
        self.action
    }

    /// How it ended.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// When it was called.
    pub fn invoked(&self) -> Moment {
        self.invoked
    }

    /// When it was answered, or when nobody waited for the answer any more.
    pub fn returned(&self) -> Moment {
        self.returned
    }

    /// How long it took.
    pub fn took(&self) -> Duration {
        self.returned.since(self.invoked)
    }

    /// How long it might have taken.
    pub fn deadline(&self) -> Option<Duration> {
        self.deadline_micros.map(|micros| Duration::from_micros(micros.get().into()))
    }

    /// Whether a change was sent that may have been applied.
    pub(super) fn may_have_changed(&self) -> bool {
        let not_applied = [Outcome::Conflict, Outcome::Rejected, Outcome::Anonymous];
        self.change.is_some() && !not_applied.contains(&self.outcome)
    }

    /// Whether it replaced the ticket of the session that it came with.
    pub(super) fn replaces(&self) -> Option<TicketNumber> {
        let ((before, shown), (after, handed_out)) = self.shown.zip(self.handed_out)?;
        (before == after && shown != handed_out).then_some(shown)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client, node, visitor, invoked, returned, .. } = self;
        write!(
            f,
            "{invoked} to {returned}: {client} at {node}, {visitor}, {}",
            self.action.name()
        )?;
        if let Some((session, ticket)) = self.shown {
            write!(f, " with {ticket} of {session}")?;
        }
        if let Some(change) = self.change {
            write!(f, ", sends {change}")?;
        }
        write!(f, ": {}", self.outcome.name())?;
        if let Some(seen) = &self.seen {
            write!(f, ", saw ({seen})")?;
        }
        if let Some((session, ticket)) = self.handed_out {
            write!(f, ", was given {ticket} of {session}")?;
        }
        match self.cookie {
            CookieEffect::Cleared => f.write_str(", cookie cleared"),
            CookieEffect::Set if self.handed_out.is_none() => f.write_str(", cookie set"),
            CookieEffect::Kept | CookieEffect::Set => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_small_enough_for_millions() {
        assert!(size_of::<Entry>() <= 104, "{} bytes", size_of::<Entry>());
    }
}
