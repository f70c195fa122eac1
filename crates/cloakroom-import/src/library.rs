//! [`Library`]: the libraries that sessions can be taken from, and which of their keys are sessions.

use std::fmt;
use std::str::FromStr;

use cloakroom::{OldSessionId, Timestamp};

use crate::old_session::{OldSession, Raw, Unreadable};
use crate::{actix_session, connect_redis, spring_session, tower_sessions};

/// A library whose sessions can be read from a Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Library {
    /// `tower-sessions` with `tower-sessions-redis-store`.
    TowerSessions,
    /// `actix-session` with its Redis store.
    ActixSession,
    /// `express-session` with `connect-redis`, for Node.js.
    ConnectRedis,
    /// Spring Session with Redis, Java-serialised or JSON.
    SpringSession,
}

/// A name is none of [`Library::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownLibrary;

impl Library {
    /// Every library that can be read.
    pub const ALL: [Self; 4] =
        [Self::TowerSessions, Self::ActixSession, Self::ConnectRedis, Self::SpringSession];

    /// The library's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TowerSessions => "tower-sessions",
            Self::ActixSession => "actix-session",
            Self::ConnectRedis => "connect-redis",
            Self::SpringSession => "spring-session",
        }
    }

    /// What the names of its keys begin with unless it was told otherwise.
    pub const fn usual_prefix(self) -> &'static str {
        match self {
            Self::TowerSessions | Self::ActixSession => "",
            Self::ConnectRedis => "sess:",
            Self::SpringSession => "spring:session:sessions:",
        }
    }

    /// How many bytes a session's id has, where all have the same number.
    pub const fn id_length(self) -> Option<usize> {
        match self {
            Self::TowerSessions => Some(22),
            Self::ActixSession => Some(64),
            Self::ConnectRedis | Self::SpringSession => None,
        }
    }

    /// What its session `id` is called in Cloakroom.
    pub fn session_id(self, id: &str) -> OldSessionId {
        OldSessionId::new(self.name(), id)
    }

    /// The id that stands behind the prefix in a key's name; `None` where the key is no session's.
    pub fn id_in<'a>(self, name: &'a [u8], prefix: &str) -> Option<&'a str> {
        let id = str::from_utf8(name.strip_prefix(prefix.as_bytes())?).ok()?;
        let is_one = match self {
            Self::TowerSessions => tower_sessions::is_id(id),
            Self::ActixSession => id.len() == 64 && id.bytes().all(|it| it.is_ascii_alphanumeric()),
            Self::ConnectRedis => !id.is_empty(),
            // The index of sessions that expire, and what Spring's own events need.
            Self::SpringSession => !id.is_empty() && !id.contains(':'),
        };
        is_one.then_some(id)
    }

    /// Whether a session is kept in a hash rather than in a string.
    pub(crate) const fn keeps_hashes(self) -> bool {
        matches!(self, Self::SpringSession)
    }

    /// Reads one session. `now` counts only where the key does not say how long it has left.
    ///
    /// # Errors
    /// [`Unreadable`], which never shows a value.
    pub fn read(self, raw: &Raw<'_>, now: Timestamp) -> Result<OldSession, Unreadable> {
        match self {
            Self::TowerSessions => tower_sessions::read(raw, now),
            Self::ActixSession => actix_session::read(raw),
            Self::ConnectRedis => connect_redis::read(raw),
            Self::SpringSession => spring_session::read(raw, now),
        }
    }
}

impl fmt::Display for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Library {
    type Err = UnknownLibrary;

    fn from_str(name: &str) -> Result<Self, UnknownLibrary> {
        Self::ALL.into_iter().find(|library| library.name() == name).ok_or(UnknownLibrary)
    }
}

impl fmt::Display for UnknownLibrary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "use one of {}", Library::ALL.map(Library::name).join(", "))
    }
}

impl std::error::Error for UnknownLibrary {}
