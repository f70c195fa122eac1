//! [`Session`] as an extractor: a plain one, one that may fail, and one that never creates.

use std::future::{Future, Ready, ready};
use std::io::Write as _;
use std::ops::Deref;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use cloakroom::Handle;

use crate::respond::SessionRejection;

/// The visitor's session, as a handler's parameter.
///
/// - `Session`: the session, or a new one that is stored only if something is put into it. Where
///   the storage could not say, the handler does not run and the answer is 503.
/// - `Result<Session, SessionRejection>`: the handler runs in any case.
/// - [`ExistingSession`]: `None` where the visitor has no session; nothing is created by asking.
/// - [`FreshSession`]: the session as the storage holds it now, where there is a near-cache.
/// - [`PublicSession`](crate::PublicSession): the handler runs in any case, and has to say what it
///   does for a visitor of whom the storage cannot say anything.
///
/// Do not take `Option<Session>`: actix-web makes `None` of every error, so it would be `None` in an
/// outage, and a new session for a visitor without one.
///
/// The session is loaded when a handler asks for it, once per request. All methods are those of
/// [`cloakroom::Session`]; a function that a handler calls takes `&cloakroom::Session`.
///
/// ```
/// use cloakroom_actix::{Session, SessionRejection};
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

impl FromRequest for Session {
    type Error = SessionRejection;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let handle = handle(request);
        Box::pin(async move { Ok(Self(handle?.load().await?)) })
    }
}

/// The visitor's session if there is one, as a handler's parameter. Nothing is created by asking.
/// Where the storage could not say, the handler does not run and the answer is 503.
///
/// ```
/// use cloakroom_actix::ExistingSession;
///
/// async fn greeting(ExistingSession(session): ExistingSession) -> &'static str {
///     if session.is_some() { "Hello again." } else { "Hello." }
/// }
/// # let _ = greeting;
/// ```
#[derive(Clone, Debug)]
pub struct ExistingSession(pub Option<Session>);

impl FromRequest for ExistingSession {
    type Error = SessionRejection;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let handle = handle(request);
        Box::pin(async move { Ok(Self(handle?.load_existing().await?.map(Session))) })
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
/// use cloakroom_actix::{FreshSession, SessionRejection};
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

impl FromRequest for FreshSession {
    type Error = SessionRejection;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let handle = handle(request);
        Box::pin(async move { Ok(Self(Session(handle?.load_fresh().await?))) })
    }
}

/// The way to the session of a request that has not been loaded yet, as a handler's parameter.
///
/// A handler that signs out should take it: it can do so while the storage cannot say whose the
/// ticket is, when a [`Session`] cannot be had.
///
/// ```
/// use cloakroom::Destroyed;
/// use cloakroom_actix::{SessionHandle, SessionRejection};
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

impl FromRequest for SessionHandle {
    type Error = SessionRejection;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(handle(request).map(Self))
    }
}

pub(crate) fn handle(request: &HttpRequest) -> Result<Handle, SessionRejection> {
    request.extensions().get::<Handle>().cloned().ok_or_else(|| {
        // A mistake in the program, which no visitor's answer and no observer would show.
        let _ = writeln!(std::io::stderr(), "cloakroom: {}", SessionRejection::MissingLayer);
        SessionRejection::MissingLayer
    })
}
