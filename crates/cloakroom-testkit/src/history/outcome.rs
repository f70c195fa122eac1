//! [`Action`], [`Outcome`] and [`CookieEffect`]: what was asked for and what came of it, in the
//! words that the invariants are written in.

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
