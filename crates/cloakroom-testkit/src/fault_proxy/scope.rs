//! Where a fault strikes: which connections, which way, and how a connection ends.

/// The connections that a fault is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// Those open now and those to come.
    All,
    /// Those open now, and none to come.
    OpenNow,
    /// Those to come, and none open now.
    New,
    /// The one over which something came last, in either direction; none if that is closed.
    LastUsed,
}

/// The way that bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    Requests,
    /// From the server to the client.
    Replies,
    /// Both ways.
    Both,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// Both sides get a TCP reset, as from a machine that has lost the connection.
    Reset,
    /// Both sides get an orderly end, as from a server that stops.
    Close,
    /// It stays open and nothing passes any more, until it is healed.
    Silence,
}
