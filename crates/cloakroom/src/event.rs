//! [`Event`] and [`Observer`]: the one list of what can be measured.
//!
//! No event holds a token or a value.

mod name;

use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Operation, SessionError, StorageError};
use crate::storage::BreakerState;
use crate::token::PublicId;

/// Something that happened to a session. Told to the [`Observer`] at the moment it happens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The storage was asked for something and has answered.
    Asked {
        /// What it was asked for.
        operation: Operation,
        /// How long the answer took.
        took: Duration,
        /// Why it could not say; `None` where it answered.
        error: Option<&'a StorageError>,
    },
    /// A request's ticket opened its session.
    Found {
        /// The session.
        session: PublicId,
    },
    /// A request's ticket opened nothing.
    Rejected {
        /// The session that the ticket points to.
        session: PublicId,
        /// Why it opened nothing.
        reason: Rejection,
    },
    /// A cookie of our name held no ticket.
    MalformedTicket,
    /// A request showed more tickets, or more bytes of cookies, than are looked at.
    TooManyCookies,
    /// A session was created.
    Created {
        /// The session.
        session: PublicId,
    },
    /// Changes of one request or of several were committed.
    Committed {
        /// The session.
        session: PublicId,
        /// How many requests' changes went out together.
        requests: usize,
        /// How many times the commit was sent.
        attempts: u32,
    },
    /// Changes could not be committed.
    NotCommitted {
        /// The session.
        session: PublicId,
        /// Why.
        error: &'a SessionError,
    },
    /// A session was given a new ticket.
    Rotated {
        /// The session.
        session: PublicId,
    },
    /// A visitor who came with another library's cookie was given a ticket, once for each session that
    /// moves in.
    MovedIn {
        /// The session.
        session: PublicId,
    },
    /// A principal signed in.
    SignedIn {
        /// The session.
        session: PublicId,
    },
    /// A session was ended by its request.
    Destroyed {
        /// The session.
        session: PublicId,
    },
    /// A session was ended from outside of it.
    Revoked {
        /// The session.
        session: PublicId,
        /// At whose wish.
        by: RevokedBy,
    },
    /// A session is to be ended from outside of it, and that could not be carried out yet. As with
    /// [`Event::DestroyPending`] this node refuses it from now on, and [`Event::DestroyApplied`] tells
    /// when it is done. Told once, also where somebody asks for it again.
    RevocationPending {
        /// The session.
        session: PublicId,
        /// At whose wish.
        by: RevokedBy,
    },
    /// A step of [`Engine::revoke_created_before`](crate::Engine::revoke_created_before) has ended
    /// sessions. Told once for all of the step, so that a million of them are not a million events.
    RevokedBefore {
        /// Sessions that were created before it had to end.
        moment: Timestamp,
        /// How many this step has ended, one at least.
        ended: usize,
    },
    /// A sign-in was refused because the owner has too many sessions, or too many were given up
    /// half-way.
    SignInRefused {
        /// The session that was to be signed in.
        session: PublicId,
        /// How many the policy allows, or [`INDEX_CAPACITY`](crate::INDEX_CAPACITY) where that is what
        /// was reached.
        limit: u32,
    },
    /// An owner may have more sessions than the policy allows, because the storage could not say when
    /// one was to end. The next sign-in of this owner that reaches the storage sees to it.
    LimitNotKept {
        /// The session that was signed in.
        session: PublicId,
        /// Why.
        error: &'a StorageError,
    },
    /// A sign-out could not be carried out yet. This node refuses the session from now on; it is
    /// removed as soon as the storage's server answers.
    DestroyPending {
        /// The session.
        session: PublicId,
    },
    /// A sign-out or revocation that was pending has been carried out, or one was repeated after a
    /// failover.
    DestroyApplied {
        /// The session.
        session: PublicId,
        /// How long it was pending; zero for a repetition after a failover.
        pending: Duration,
    },
    /// A pending sign-out or revocation was given up: its session has passed its absolute deadline.
    DestroyExpired {
        /// The session.
        session: PublicId,
    },
    /// A sign-out could not be carried out, and too many are pending already. The caller was told
    /// an error.
    JournalFull {
        /// The session.
        session: PublicId,
    },
    /// Changes that a handler had marked as best effort are not, or not certainly, saved because the
    /// storage could not say. The answer went out all the same.
    ChangesLost {
        /// The session.
        session: PublicId,
        /// Why.
        error: &'a SessionError,
    },
    /// A circuit breaker has changed its state.
    BreakerChanged {
        /// The server's host and port.
        node: &'a str,
        /// Which commands it is about.
        side: Side,
        /// The state that it has now.
        state: BreakerState,
    },
    /// A connection to a server broke, was silent for too long, or was refused.
    ConnectionLost {
        /// The server's host and port.
        node: &'a str,
        /// What happened, without anything that the server has said.
        reason: &'a str,
    },
    /// A connection that was lost has been replaced.
    ConnectionRestored {
        /// The server's host and port.
        node: &'a str,
        /// How long the place was without a connection that answers.
        outage: Duration,
    },
    /// Sessions are now read from and written to another server (failover), or to the same one with
    /// another history (restart, restore).
    PrimaryChanged {
        /// The server's host and port.
        node: &'a str,
    },
    /// A session's idle deadline was moved.
    Touched {
        /// The session.
        session: PublicId,
    },
    /// A touch was left out because one of the same session, or too many others, were under way.
    TouchSkipped {
        /// The session.
        session: PublicId,
    },
    /// The changes of a request were discarded because it answered with a server error, or was
    /// dropped before it answered.
    Discarded {
        /// The session; `None` where it was not stored yet.
        session: Option<PublicId>,
    },
    /// The engine hands out cookies over plain HTTP. Never in production. Told once, when the engine
    /// is built; without an observer a line on the standard error output says it.
    PlainHttp,
}

/// At whose wish a session was ended from outside of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RevokedBy {
    /// Its owner's, on another device, or an operator's.
    Request,
    /// The limit's: the owner had signed in too often.
    Limit,
}

impl RevokedBy {
    /// The wish's name in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Limit => "limit",
        }
    }
}

/// Which commands a circuit breaker is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Loads, and removals: a server that takes no writes may take those.
    Reads,
    /// Commits and touches.
    Writes,
}

impl Side {
    /// The side's name in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
        }
    }
}

/// Why a ticket opened nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejection {
    /// There is no such session (any more): it was never there, has expired or was ended.
    Unknown,
    /// The session has been given a new ticket.
    Superseded,
    /// The visitor's address or user agent is not the session's.
    Fingerprint,
}

impl Rejection {
    /// The reason's name in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Superseded => "superseded",
            Self::Fingerprint => "fingerprint",
        }
    }
}

/// Is told every [`Event`]. It is called on the request's path, so it must be quick and must not
/// block.
///
/// A closure is an observer, and so is a pair of two.
///
/// ```
/// use cloakroom::{Engine, Event, MemorySessionStorage};
///
/// let log = |event: &Event<'_>| println!("{}", event.name());
/// let count = |event: &Event<'_>| drop(event.name().len());
/// let engine = Engine::builder(MemorySessionStorage::new()).observer((log, count)).build()?;
/// # Ok::<(), cloakroom::ConfigError>(())
/// ```
pub trait Observer: Send + Sync + 'static {
    /// Something happened.
    fn observe(&self, event: &Event<'_>);
}

impl<F: Fn(&Event<'_>) + Send + Sync + 'static> Observer for F {
    fn observe(&self, event: &Event<'_>) {
        self(event);
    }
}

/// Tells both, the first one first.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn observe(&self, event: &Event<'_>) {
        self.0.observe(event);
        self.1.observe(event);
    }
}

/// Writes events to the `tracing` log: warnings where somebody should look, the rest as debug.
#[cfg(feature = "tracing")]
#[derive(Clone, Copy, Debug, Default)]
pub struct TracingObserver;

#[cfg(feature = "tracing")]
impl Observer for TracingObserver {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::PlainHttp => tracing::warn!(
                "session cookies travel over plain HTTP: local_plain_http is for development only"
            ),
            Event::Asked { operation, error: Some(error), took } => {
                tracing::warn!(operation = operation.name(), ?took, %error, "storage could not say");
            }
            Event::NotCommitted { session, error } => {
                tracing::warn!(%session, %error, "session not committed");
            }
            Event::Rejected { session, reason: Rejection::Fingerprint } => {
                tracing::warn!(%session, "ticket shown from another place than the session's");
            }
            Event::BreakerChanged { node, side, state } => {
                tracing::warn!(node, side = side.name(), state = state.name(), "circuit breaker");
            }
            Event::ConnectionLost { node, reason } => {
                tracing::warn!(node, reason, "connection lost");
            }
            Event::PrimaryChanged { node } => tracing::warn!(node, "other primary"),
            Event::JournalFull { session } => {
                tracing::error!(%session, "sign-out refused: too many are pending");
            }
            Event::DestroyPending { session } => tracing::warn!(%session, "sign-out pending"),
            Event::DestroyExpired { session } => {
                tracing::warn!(%session, "pending sign-out given up: its session is over");
            }
            Event::DestroyApplied { session, pending } => {
                tracing::info!(%session, ?pending, "pending removal carried out");
            }
            Event::ConnectionRestored { node, outage } => {
                tracing::info!(node, ?outage, "connection restored");
            }
            Event::ChangesLost { session, error } => {
                tracing::warn!(%session, %error, "changes lost");
            }
            Event::Revoked { session, by } => {
                tracing::info!(%session, by = by.name(), "session revoked");
            }
            Event::RevocationPending { session, by } => {
                tracing::warn!(%session, by = by.name(), "revocation pending");
            }
            Event::RevokedBefore { moment, ended } => {
                tracing::info!(?moment, ended, "sessions created before a moment revoked");
            }
            Event::SignInRefused { session, limit } => {
                tracing::info!(%session, limit, "sign-in refused: the owner has too many sessions");
            }
            Event::LimitNotKept { session, error } => {
                tracing::warn!(%session, %error, "an owner has too many sessions");
            }
            event => tracing::debug!(?event, "session"),
        }
    }
}
