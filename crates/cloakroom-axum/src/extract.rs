//! [`Session`] as an extractor: a plain one, one that may fail, and one that never creates.

use std::io::Write as _;
use std::ops::Deref;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use cloakroom::Handle;

use crate::respond::SessionRejection;

/// The visitor's session, as a handler's parameter.
///
/// - `Session`: the session, or a new one that is stored only if something is put into it. Where
///   the storage could not say, the handler does not run and the answer is 503.
/// - `Result<Session, SessionRejection>`: the handler runs in any case.
/// - `Option<Session>`: `None` where the visitor has no session; nothing is created by asking.
/// - [`FreshSession`]: the session as the storage holds it now, where there is a near-cache.
/// - [`PublicSession`](crate::PublicSession): the handler runs in any case, and has to say what it
///   does for a visitor of whom the storage cannot say anything.
///
/// The session is loaded when a handler asks for it, once per request. All methods are those of
/// [`cloakroom::Session`]; a function that a handler calls takes `&cloakroom::Session`.
///
/// ```
/// use cloakroom_axum::{Session, SessionRejection};
///
/// fn sign_in(session: &cloakroom::Session, name: &str) -> Result<(), cloakroom::SessionError> {
///     session.set_owner(name)
/// }
///
/// async fn handler(session: Session) -> Result<&'static str, SessionRejection> {
///     sign_in(&session, "ada")?;
///     Ok("Welcome.")
/// }
/// # let _ = handler;
/// ```
#[derive(Clone, Debug)]
pub struct Session(cloakroom::Session);

impl Deref for Session {
    type Target = cloakroom::Session;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(handle(parts)?.load().await?))
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Session {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(handle(parts)?.load_existing().await?.map(Self))
    }
}

/// The visitor's session as the storage holds it now, never a near-cache's copy, as a handler's
/// parameter: for what must not be decided by a copy, such as a payment, a change of password, the
/// start of a WebSocket. Without a near-cache it is a [`Session`].
///
/// It says nothing of when the owner signed in: [`require_fresh_auth`](cloakroom::Session::require_fresh_auth)
/// asks for that, and a change of password wants both.
///
/// ```
/// use cloakroom_axum::{FreshSession, SessionRejection};
///
/// async fn pay(FreshSession(session): FreshSession) -> Result<&'static str, SessionRejection> {
///     let Some(owner) = session.owner() else { return Ok("Please sign in.") };
///     let _ = owner;
///     Ok("Thank you.")
/// }
/// # let _ = pay;
/// ```
#[derive(Clone, Debug)]
pub struct FreshSession(pub Session);

impl<S: Send + Sync> FromRequestParts<S> for FreshSession {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(Session(handle(parts)?.load_fresh().await?)))
    }
}

/// The way to the session of a request that has not been loaded yet, as a handler's parameter.
///
/// A handler that signs out should take it: it can do so while the storage cannot say whose the
/// ticket is, when a [`Session`] cannot be had.
///
/// ```
/// use cloakroom::Destroyed;
/// use cloakroom_axum::{SessionHandle, SessionRejection};
///
/// async fn sign_out(SessionHandle(handle): SessionHandle) -> Result<&'static str, SessionRejection> {
///     Ok(match handle.sign_out().await? {
///         Destroyed::Removed(_) | Destroyed::Absent(_) => "You are signed out.",
///         Destroyed::Pending => "You are signed out here, and soon everywhere.",
///     })
/// }
/// # let _ = sign_out;
/// ```
#[derive(Clone, Debug)]
pub struct SessionHandle(pub Handle);

impl<S: Send + Sync> FromRequestParts<S> for SessionHandle {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(handle(parts)?.clone()))
    }
}

pub(crate) fn handle(parts: &Parts) -> Result<&Handle, SessionRejection> {
    parts.extensions.get::<Handle>().ok_or_else(|| {
        // A mistake in the program, which no visitor's answer and no observer would show.
        let _ = writeln!(std::io::stderr(), "cloakroom: {}", SessionRejection::MissingLayer);
        SessionRejection::MissingLayer
    })
}
