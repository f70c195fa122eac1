//! [`Flash`]: a message for the next page. Messages are a field like any other, appended and taken
//! by updates, so that parallel requests lose none.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Field, Session};
use crate::error::{RandomError, SessionError};

/// Where the messages lie in the session.
const FLASHES: Field<Vec<Flash>> = Field::new("cloakroom.flash");

/// How many messages may wait; the oldest give way, so that messages that no page takes never fill
/// the session.
const MAX_FLASHES: usize = 32;

/// A message that is shown once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    id: u64,
    level: FlashLevel,
    text: String,
}

/// How a message is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FlashLevel {
    /// Something to know.
    Info,
    /// Something went well.
    Success,
    /// Something to look after.
    Warning,
    /// Something failed.
    Error,
}

impl Flash {
    pub(super) fn new(level: FlashLevel, text: String) -> Result<Self, SessionError> {
        let mut id = [0; 8];
        getrandom::fill(&mut id).map_err(|_| RandomError)?;
        Ok(Self { id: u64::from_be_bytes(id), level, text })
    }

    /// How the message is meant.
    pub fn level(&self) -> FlashLevel {
        self.level
    }

    /// The message.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl FlashLevel {
    /// The level's name, fit for a CSS class.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

pub(super) fn push(session: &Session, flash: Flash) -> Result<(), SessionError> {
    session.update(FLASHES, move |flashes| {
        let mut flashes = flashes.unwrap_or_default();
        flashes.push(flash.clone());
        flashes.split_off(flashes.len().saturating_sub(MAX_FLASHES))
    })?;
    Ok(())
}

pub(super) fn take(session: &Session) -> Result<Vec<Flash>, SessionError> {
    let Some(taken) = session.get(FLASHES)?.filter(|flashes| !flashes.is_empty()) else {
        return Ok(Vec::new());
    };
    let seen: Vec<u64> = taken.iter().map(|flash| flash.id).collect();
    let take = move |flashes: Option<Vec<Flash>>| {
        let mut left = flashes?;
        left.retain(|flash| !seen.contains(&flash.id));
        (!left.is_empty()).then_some(left)
    };
    session.update_or_remove(FLASHES, Arc::new(take))?;
    Ok(taken)
}
