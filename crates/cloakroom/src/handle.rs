//! [`Handle`]: the session of a request before anybody has asked for it. It loads at most once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

use crate::cookie::Candidates;
use crate::engine::{Arrival, Engine, SetCookie, first_ticket};
use crate::error::{SessionError, StorageError};
use crate::event::Rejection;
use crate::fingerprint::SessionFingerprint;
use crate::session::{Session, SessionData, State};
use crate::storage::{Destroyed, Durability};
use crate::token::{SessionKey, VerifierHash};

/// A request's way to its session. Adapters put it into the request's extensions.
///
/// A handler that never asks costs the storage nothing.
#[derive(Clone)]
pub struct Handle {
    pub(crate) visit: Arc<Visit>,
}

impl Handle {
    /// Whether this is the way to a session of that engine in a request that has not ended. An adapter
    /// whose layer stands within another one of the same engine leaves the request to that one: two
    /// would save changes of one session apart from each other.
    pub fn is_open_at(&self, engine: &Engine) -> bool {
        self.visit.engine.is(engine) && !self.visit.state().is_finished()
    }
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

/// A request's session where every outcome is the handler's business: for routes that are of use to
/// everybody, also while the storage cannot say.
///
/// There is no way from *unavailable* to a session, so it cannot be mistaken for an empty one.
///
/// ```
/// use cloakroom::{Handle, SessionState};
///
/// async fn greeting(handle: &Handle) -> String {
///     match handle.state().await {
///         SessionState::Found(session) => match session.owner() {
///             Some(owner) => format!("Hello, {owner}."),
///             None => "Hello again.".to_owned(),
///         },
///         SessionState::Anonymous(_) | SessionState::Rejected(..) => "Hello.".to_owned(),
///         SessionState::Unavailable(_) => "Hello. We cannot tell who you are just now.".to_owned(),
///     }
/// }
/// # let _ = greeting;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub enum SessionState {
    /// The visitor's session.
    Found(Session),
    /// The visitor came without a ticket. The session is a new one, stored only if something is put
    /// into it.
    Anonymous(Session),
    /// The visitor's ticket opened nothing. The session is a new one, as with a visitor who came
    /// without a ticket.
    Rejected(Session, Rejection),
    /// The storage could not say. Whether the visitor has a session is not known: show nothing that
    /// depends on it, and decide nothing by it.
    Unavailable(SessionError),
}

impl SessionState {
    /// The session, for a handler that cannot do without one after all.
    ///
    /// # Errors
    /// [`SessionError::Storage`] where the storage could not say.
    pub fn into_session(self) -> Result<Session, SessionError> {
        match self {
            Self::Found(session) | Self::Anonymous(session) | Self::Rejected(session, _) => {
                Ok(session)
            }
            Self::Unavailable(error) => Err(error),
        }
    }
}

/// Everything that belongs to one request.
pub(crate) struct Visit {
    pub(crate) engine: Engine,
    pub(crate) candidates: Candidates,
    /// What the request shows of another library, where visitors may come from one.
    pub(crate) arrival: Option<Box<Arrival>>,
    pub(crate) fingerprint: Option<SessionFingerprint>,
    pub(crate) loaded: OnceCell<Result<LoadOutcome, StorageError>>,
    /// What the first load has found is a near-cache's copy.
    pub(crate) is_copy: AtomicBool,
    /// What the storage said after that, where somebody wanted to be sure.
    pub(crate) reloaded: OnceCell<Result<LoadOutcome, StorageError>>,
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

    /// The session as the storage holds it now, never a near-cache's copy: for what must not be
    /// decided by a copy, such as a payment, a change of password, the start of a WebSocket.
    ///
    /// A session that was loaded from a copy before, in the same request, is read again, and every
    /// [`Session`] of the request shows what was found. Changes made before that stay and are replayed
    /// on it. Without a near-cache this is [`Handle::load`]. How long ago the owner signed in is another
    /// question: [`Session::require_fresh_auth`].
    ///
    /// # Errors
    /// Those of [`Handle::refresh`].
    pub async fn load_fresh(&self) -> Result<Session, SessionError> {
        self.refresh().await?;
        Ok(Session::new(self.visit.clone()))
    }

    /// What became of the request's ticket by what the storage holds, never by a near-cache's copy.
    /// From then on all that this handle answers stands on it.
    ///
    /// # Errors
    /// [`SessionError::Storage`] where the storage could not say; [`SessionError::Gone`] and
    /// [`SessionError::Superseded`] where the request has changed a session that is not the
    /// ticket's any more. Where an update cannot run on the newer record, its error; unless that has
    /// changed by then, the end of the request fails for the same reason.
    pub async fn refresh(&self) -> Result<LoadOutcome, SessionError> {
        let visit = &self.visit;
        let loaded = visit.loaded.get_or_init(|| visit.engine.load_fresh(visit)).await;
        if !visit.is_copy.load(Ordering::Relaxed) {
            return Ok(loaded.clone()?);
        }
        let reloaded = visit.reloaded.get_or_init(|| visit.engine.reload(visit)).await;
        let outcome = reloaded.clone()?;
        let state = visit.state();
        visit.refuses(&state.data).or_else(|| state.stuck()).map_or(Ok(outcome), Err)
    }

    /// The visitor's session, `None` where there is none. Nothing is created by asking.
    ///
    /// # Errors
    /// [`SessionError::Storage`] where the storage could not say.
    pub async fn load_existing(&self) -> Result<Option<Session>, SessionError> {
        let found = self.outcome().await? == LoadOutcome::Found;
        Ok(found.then(|| Session::new(self.visit.clone())))
    }

    /// The session with what became of the request's ticket, where "the storage could not say" is
    /// an outcome like the others. For routes that are of use to everybody.
    pub async fn state(&self) -> SessionState {
        let session = || Session::new(self.visit.clone());
        match self.outcome().await {
            Ok(LoadOutcome::Found) => SessionState::Found(session()),
            Ok(LoadOutcome::Anonymous) => SessionState::Anonymous(session()),
            Ok(LoadOutcome::Rejected(reason)) => SessionState::Rejected(session(), reason),
            Err(error) => SessionState::Unavailable(error),
        }
    }

    /// Signs the visitor out, also where the storage cannot say whose the ticket is.
    ///
    /// A session that can be loaded is destroyed as by
    /// [`Session::destroy_now`](crate::Session::destroy_now). While the storage's server cannot be
    /// reached at all, the ticket itself is signed out: [`Destroyed::Pending`], this node refuses it
    /// from now on, and its session is removed when the server is back, if the ticket is the
    /// session's own. The cookie is taken away unless the session is another visitor's by its
    /// fingerprint: nobody signs out for somebody else.
    ///
    /// # Errors
    /// [`SessionError::Storage`] where the storage can neither remove the session nor remember to, or
    /// cannot say and the visitor shows another library's cookie: nobody knows then what opens the
    /// session;
    /// [`SessionError::Superseded`] where the session was given a new ticket meanwhile and lives on.
    pub async fn sign_out(&self) -> Result<Destroyed, SessionError> {
        let visit = &self.visit;
        match self.outcome().await {
            Ok(LoadOutcome::Found) => Session::new(visit.clone()).destroy_now().await,
            Ok(LoadOutcome::Rejected(Rejection::Superseded)) => Err(SessionError::Superseded),
            // A ticket without a session may be one whose sign-out is pending.
            Ok(LoadOutcome::Rejected(Rejection::Unknown)) => {
                visit.state().give_up();
                Ok(visit.engine.sign_out_unseen(visit.proofs()).await?)
            }
            Ok(LoadOutcome::Anonymous | LoadOutcome::Rejected(Rejection::Fingerprint)) => {
                Ok(Destroyed::Absent(Durability::LOCAL))
            }
            // Where an old cookie's session lies is known, and not whether it still opens it: a request
            // in flight may have given the session its first ticket.
            Err(error) if error.is_transient() && !visit.comes_by_old_cookie() => {
                let outcome = visit.engine.sign_out_unseen(visit.proofs()).await?;
                visit.state().sign_out_unseen(outcome);
                Ok(outcome)
            }
            Err(error) => Err(error),
        }
    }

    /// The cookie that the answer has to carry where [`RequestScope::finish`](crate::RequestScope::finish)
    /// has failed: the first ticket of a visitor who has come with another library's cookie in this very
    /// request. `None` for everybody else, who keeps the ticket that there is.
    pub fn cookie_of_a_failure(&self) -> Option<SetCookie> {
        first_ticket(self)
    }

    /// What became of the request's ticket.
    ///
    /// # Errors
    /// [`SessionError::Storage`] where the storage could not say.
    pub async fn outcome(&self) -> Result<LoadOutcome, SessionError> {
        let visit = &self.visit;
        let outcome = match visit.reloaded.get() {
            Some(outcome) => outcome,
            None => visit.loaded.get_or_init(|| visit.engine.load(visit)).await,
        };
        Ok(outcome.clone()?)
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").field("loaded", &self.visit.loaded.get()).finish_non_exhaustive()
    }
}

impl Visit {
    /// What is known of the ticket by now.
    pub(crate) fn known(&self) -> Option<&Result<LoadOutcome, StorageError>> {
        self.reloaded.get().or_else(|| self.loaded.get())
    }

    /// Where the sessions lie that the request may open, and what it proves itself with there.
    fn proofs(&self) -> Vec<(SessionKey, VerifierHash)> {
        self.candidates.tokens().map(|token| (token.key(), token.verifier_hash())).collect()
    }

    /// Whether another library's cookie is all that the request could open a session with.
    fn comes_by_old_cookie(&self) -> bool {
        self.candidates.is_empty() && self.arrival.as_deref().is_some_and(Arrival::is_genuine)
    }

    /// Why nothing of what the request has changed can be committed: the storage has refused the
    /// ticket after a copy had let it in. What belongs to a new session is not concerned.
    pub(crate) fn refuses(&self, data: &SessionData) -> Option<SessionError> {
        let Some(Ok(LoadOutcome::Rejected(reason))) = self.reloaded.get() else { return None };
        let is_lost = data.is_dirty() && data.record().is_some();
        is_lost.then_some(match reason {
            Rejection::Superseded => SessionError::Superseded,
            Rejection::Unknown | Rejection::Fingerprint => SessionError::Gone,
        })
    }

    /// The request's state. It stays sound when a thread panicked: each method changes it in one
    /// go.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
