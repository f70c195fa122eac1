//! [`Seen`]: what a request found in a session.

use std::fmt;

use super::{ChangeNumber, SessionNumber, Visitor};

/// What a session's data said of itself when a ticket opened it.
///
/// A value that is missing, or is not what such a value looks like, is `None`: that is a violation
/// as much as another visitor's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seen {
    /// The visitor that the data names.
    pub visitor: Option<Visitor>,
    /// The owner that the session is signed in as.
    pub owner: Option<Visitor>,
    /// The session that the data names.
    pub session: Option<SessionNumber>,
    /// The last write that the data names; none where it was never written.
    pub last_change: Option<ChangeNumber>,
    /// How many writes the data counts; `u32::MAX` where it says nothing.
    pub count: u32,
    /// How many commits the storage counts.
    pub generation: u32,
}

impl Seen {
    /// A session that says what it should, newly created by its owner.
    pub fn of(visitor: Visitor, session: SessionNumber) -> Self {
        Self {
            visitor: Some(visitor),
            owner: Some(visitor),
            session: Some(session),
            last_change: None,
            count: 0,
            generation: 1,
        }
    }

    /// The same with another owner.
    #[must_use]
    pub fn owner(mut self, owner: impl Into<Option<Visitor>>) -> Self {
        self.owner = owner.into();
        self
    }

    /// The same with so many counted writes.
    #[must_use]
    pub fn count(mut self, writes: u32) -> Self {
        self.count = writes;
        self
    }

    /// The same in another generation.
    #[must_use]
    pub fn generation(mut self, number: u32) -> Self {
        self.generation = number;
        self
    }

    /// The same after that write.
    #[must_use]
    pub fn last_change(mut self, change: impl Into<Option<ChangeNumber>>) -> Self {
        self.last_change = change.into();
        self
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        named(f, "visitor", self.visitor.map(Visitor::index))?;
        named(f, ", owner", self.owner.map(Visitor::index))?;
        named(f, ", session", self.session.map(SessionNumber::index))?;
        write!(f, ", count {}, generation {}", self.count, self.generation)?;
        match self.last_change {
            Some(change) => write!(f, ", {change}"),
            None => Ok(()),
        }
    }
}

fn named(f: &mut fmt::Formatter<'_>, name: &str, number: Option<u32>) -> fmt::Result {
    match number {
        Some(number) => write!(f, "{name} {number}"),
        None => write!(f, "{name} unknown"),
    }
}
