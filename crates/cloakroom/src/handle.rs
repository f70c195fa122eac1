//! [`Handle`]: the session of a request before anybody has asked for it. It loads at most once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

use crate::cookie::Candidates;
use crate::engine::Engine;
use crate::error::{SessionError, StorageError};
use crate::event::Rejection;
use crate::fingerprint::SessionFingerprint;
use crate::session::{Session, State};

/// A request's way to its session. Adapters put it into the request's extensions.
///
/// A handler that never asks costs the storage nothing.
#[derive(Clone)]
pub struct Handle {
    pub(crate) visit: Arc<Visit>,
}

/// What a load found. That the storage could not say is an error, never one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadOutcome {
    /// The ticket opened its session.
    Found,
    /// The request came without a ticket.
    Anonymous,
    /// The ticket opened nothing.
    Rejected(Rejection),
}

/// Everything that belongs to one request.
pub(crate) struct Visit {
    pub(crate) engine: Engine,
    pub(crate) candidates: Candidates,
    pub(crate) fingerprint: Option<SessionFingerprint>,
    pub(crate) loaded: OnceCell<Result<LoadOutcome, StorageError>>,
    pub(crate) state: Mutex<State>,
}

impl Handle {
    /// The session; a new one, that is not stored yet, where the visitor has none.
    ///
    /// # Errors
    /// [`SessionError::Storage`] where the storage could not say. The answer is remembered: the
    /// storage is asked once per request.
    pub async fn load(&self) -> Result<Session, SessionError> {
        self.outcome().await?;
        Ok(Session::new(self.visit.clone()))
    }

    /// The visitor's session, `None` where there is none. Nothing is created by asking.
    ///
    /// # Errors
    /// [`SessionError::Storage`] where the storage could not say.
    pub async fn load_existing(&self) -> Result<Option<Session>, SessionError> {
        let found = self.outcome().await? == LoadOutcome::Found;
        Ok(found.then(|| Session::new(self.visit.clone())))
    }

    /// What became of the request's ticket.
    ///
    /// # Errors
    /// [`SessionError::Storage`] where the storage could not say.
    pub async fn outcome(&self) -> Result<LoadOutcome, SessionError> {
        let visit = &self.visit;
        let outcome = visit.loaded.get_or_init(|| visit.engine.load(visit)).await;
        Ok(outcome.clone()?)
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").field("loaded", &self.visit.loaded.get()).finish_non_exhaustive()
    }
}

impl Visit {
    /// The request's state. It stays sound when a thread panicked: each method changes it in one
    /// go.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
