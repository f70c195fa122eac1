//! The numbers by which a history names who did what to which session. They are dense and small, so
//! that millions of entries fit into memory.

use std::fmt;
use std::num::NonZeroU32;

/// A numbered thing; stored plus one, so that an `Option` of it takes no more room.
const fn stored(index: u32) -> NonZeroU32 {
    match NonZeroU32::new(index.saturating_add(1)) {
        Some(number) => number,
        None => NonZeroU32::MAX,
    }
}

/// One observer that sends one request after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Client(u32);

/// One application node, which answers requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(u16);

/// A person with a browser; the owner of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Visitor(NonZeroU32);

/// A session from its creation to its end, whatever tickets it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionNumber(NonZeroU32);

/// One value of the cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicketNumber(NonZeroU32);

/// One change that was sent: every write, sign-in and sign-out has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangeNumber(NonZeroU32);

impl Client {
    /// The client of that number.
    pub const fn new(index: u32) -> Self {
        Self(index)
    }

    /// The client's number.
    pub const fn index(self) -> u32 {
        self.0
    }
}

impl Node {
    /// The node of that number.
    pub const fn new(index: u16) -> Self {
        Self(index)
    }

    /// The node's number.
    pub const fn index(self) -> u16 {
        self.0
    }
}

impl Visitor {
    /// The visitor of that number, below `u32::MAX - 1`.
    pub const fn new(index: u32) -> Self {
        Self(stored(index))
    }

    /// The visitor's number.
    pub const fn index(self) -> u32 {
        self.0.get() - 1
    }
}

impl SessionNumber {
    /// The session of that number, below `u32::MAX - 1`.
    pub const fn new(index: u32) -> Self {
        Self(stored(index))
    }

    /// The session's number.
    pub const fn index(self) -> u32 {
        self.0.get() - 1
    }
}

impl TicketNumber {
    /// The ticket of that number, below `u32::MAX - 1`.
    pub const fn new(index: u32) -> Self {
        Self(stored(index))
    }

    /// The ticket's number.
    pub const fn index(self) -> u32 {
        self.0.get() - 1
    }
}

impl ChangeNumber {
    /// The change of that number, below `u32::MAX - 1`.
    pub const fn new(index: u32) -> Self {
        Self(stored(index))
    }

    /// The change's number.
    pub const fn index(self) -> u32 {
        self.0.get() - 1
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client {}", self.0)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {}", self.0)
    }
}

impl fmt::Display for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "visitor {}", self.index())
    }
}

impl fmt::Display for SessionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {}", self.index())
    }
}

impl fmt::Display for TicketNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ticket {}", self.index())
    }
}

impl fmt::Display for ChangeNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "change {}", self.index())
    }
}
