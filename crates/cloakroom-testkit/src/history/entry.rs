//! [`Entry`]: one operation of one client, from its call to its answer.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use super::{ChangeNumber, Client, Moment, Node, Seen, SessionNumber, TicketNumber, Visitor};

/// What a request does with its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Signs the visitor in: creates a session, or gives the session that is there a new ticket.
    SignIn,
    /// Looks at the session; that counts as using it.
    Read,
    /// Looks at the session in a request that is never answered, so that nothing is prolonged.
    Peek,
    /// Counts one more write in the session, and leaves the change's number in it.
    Write,
    /// Ends the session.
    SignOut,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// It was carried out and acknowledged.
    Ok,
    /// The request was treated as one without a ticket.
    Anonymous,
    /// The request's ticket opened nothing.
    Rejected,
    /// The storage could not say; a change that was sent may have been applied.
    Unavailable,
    /// Another request got in the way; the change was certainly not applied.
    Conflict,
    /// Nobody waited for the answer; a change that was sent may have been applied.
    Unknown,
    /// A sign-out that is in force on its node, and will be carried out later.
    Pending,
    /// Any other error, such as a record that cannot be read; a change may have been applied.
    Failed,
}

/// What the answer did to the visitor's cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CookieEffect {
    /// Nothing.
    #[default]
    Kept,
    /// It was given a value.
    Set,
    /// It was taken away.
    Cleared,
}

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

impl Action {
    /// All actions, in the order of a session's life.
    pub const ALL: [Self; 5] = [Self::SignIn, Self::Read, Self::Peek, Self::Write, Self::SignOut];

    /// The action's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Read => "read",
            Self::Peek => "peek",
            Self::Write => "write",
            Self::SignOut => "sign-out",
        }
    }
}

impl Outcome {
    /// All outcomes, the good one first.
    pub const ALL: [Self; 8] = [
        Self::Ok,
        Self::Anonymous,
        Self::Rejected,
        Self::Unavailable,
        Self::Conflict,
        Self::Unknown,
        Self::Pending,
        Self::Failed,
    ];

    /// The outcome's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Anonymous => "anonymous",
            Self::Rejected => "rejected",
            Self::Unavailable => "unavailable",
            Self::Conflict => "conflict",
            Self::Unknown => "unknown",
            Self::Pending => "pending",
            Self::Failed => "failed",
        }
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
