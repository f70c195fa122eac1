//! [`Facts`]: what the session knows of itself, and what this page and the last write cost.

use cloakroom::SessionError;
use cloakroom_axum::Session;

use super::app::App;
use super::ledger::LastWrite;
use super::meter::{self, Spent};
use super::moment::Moment;

/// The ticket panel of a page.
pub(super) struct Facts {
    pub(super) storage: String,
    /// What this page has asked of the storage until now.
    pub(super) page: Spent,
    pub(super) stored: Option<Stored>,
}

/// Facts of a session that is in the storage.
pub(super) struct Stored {
    pub(super) owner: Option<String>,
    pub(super) public_id: String,
    /// The beginning of the public id, enough to tell two sessions apart by eye.
    pub(super) number: String,
    pub(super) generation: u64,
    pub(super) signed_in: Option<Moment>,
    pub(super) idle: Option<Moment>,
    pub(super) absolute: Option<Moment>,
    pub(super) last_write: Option<LastWrite>,
    /// Whether this page changes the session too, by taking messages out of it.
    pub(super) page_commits: bool,
}

impl Facts {
    /// The facts as the page's own load has found them.
    pub(super) fn of(app: &App, session: Option<&Session>) -> Result<Self, SessionError> {
        let stored = match session {
            Some(session) => Stored::of(app, session)?,
            None => None,
        };
        Ok(Self { storage: app.storage.to_string(), page: meter::so_far(), stored })
    }

    pub(super) fn page_commits(&self) -> bool {
        self.stored.as_ref().is_some_and(|stored| stored.page_commits)
    }
}

impl Stored {
    fn of(app: &App, session: &Session) -> Result<Option<Self>, SessionError> {
        let Some(id) = session.public_id() else { return Ok(None) };
        let public_id = id.to_string();
        Ok(Some(Self {
            owner: session.owner(),
            number: public_id.chars().take(6).collect(),
            public_id,
            generation: session.generation(),
            signed_in: session.signed_in_at().map(Moment::ago),
            idle: session.expires_at().map(Moment::ahead),
            absolute: session.ends_at().map(Moment::ahead),
            last_write: app.ledger.last_write(id),
            page_commits: session.is_dirty(),
        }))
    }
}

impl LastWrite {
    /// Whether its changes travelled in another request's commit.
    pub(super) fn went_along(&self) -> bool {
        self.path == "/cart/parallel" && self.spent.commits == 0
    }
}
