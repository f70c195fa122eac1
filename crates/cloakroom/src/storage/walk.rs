//! [`Page`] and [`Position`]: a walk over all sessions in bounded steps, for operators.

use std::fmt;
use std::str::FromStr;

use super::{Destroyed, DestroyedBefore, SessionStorage};
use crate::clock::Timestamp;
use crate::error::StorageError;
use crate::facts::Found;
use crate::token::SessionKey;

/// Where a walk over all sessions stands. As text it can be kept, to go on another day.
///
/// A walk meets every session that lives from its beginning to its end, and may meet one twice. A
/// storage whose servers have changed meanwhile begins anew at a position from before. What a Cluster
/// moves from one of its nodes to another during a walk may be missed: repeat the walk after that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position(String);

impl Position {
    /// The beginning.
    pub fn start() -> Self {
        Self::default()
    }

    /// A position that a storage has made up; it alone reads it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The position as text; empty at the beginning.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the walk has not begun.
    pub fn is_start(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Position {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::new(text))
    }
}

/// One step of a walk.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The sessions that were met; there may be none although the walk goes on.
    pub sessions: Vec<SessionKey>,
    /// Where the walk goes on; `None` at its end.
    pub next: Option<Position>,
    /// How far the walk is: 0 at the beginning, 1 at the end. An estimate.
    pub done: f64,
}

/// Ends what a page has met, one after the other: the way of a storage that knows no better one.
pub(super) async fn destroy_created_before(
    storage: &(impl SessionStorage + ?Sized),
    sessions: &[SessionKey],
    moment: Timestamp,
) -> Result<DestroyedBefore, StorageError> {
    let (mut destroyed, mut pending) = (DestroyedBefore::default(), false);
    for (key, found) in sessions.iter().zip(storage.facts(sessions).await?) {
        match found {
            Found::Session(facts) | Found::Over(facts) if facts.is_created_before(moment) => {
                match storage.destroy(key).await? {
                    Destroyed::Removed(_) => destroyed.removed += 1,
                    Destroyed::Pending => pending = true,
                    Destroyed::Absent(_) => {}
                }
            }
            Found::Unreadable => destroyed.unreadable += 1,
            Found::Session(_) | Found::Over(_) | Found::Nothing | Found::Ending => {}
        }
    }
    if pending { Err(StorageError::pending()) } else { Ok(destroyed) }
}
