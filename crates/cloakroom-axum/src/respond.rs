//! From outcomes to HTTP: the core's replies and the cookie's headers as axum has them.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use cloakroom::{PendingSignOut, Reply, SessionError, SetCookie};

/// Why a request has no usable session, and what it is answered with:
///
/// | reason | answer |
/// | --- | --- |
/// | the storage cannot say at present | 503 with `Retry-After: 1`; the cookie stays |
/// | another request got in the way (conflict, signed out or new ticket meanwhile) | 409 |
/// | anything else | 500 without details |
///
/// Take `Result<Session, SessionRejection>` in a handler, or map it in a middleware, to answer with
/// a page of your own.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SessionRejection {
    /// The session could not be loaded or committed.
    Session(SessionError),
    /// The router has no session layer: add `.layer(SessionLayer::new(engine))` to it, after the
    /// routes that use sessions.
    MissingLayer,
}

impl SessionRejection {
    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        status(&self.reply())
    }

    fn reply(&self) -> Reply {
        match self {
            Self::Session(error) => Reply::to_error(error),
            Self::MissingLayer => Reply::to_mistake(),
        }
    }
}

impl From<SessionError> for SessionRejection {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        let mut response = response(self.reply());
        // A middleware can find out the reason without it being shown to the visitor.
        response.extensions_mut().insert(self);
        response
    }
}

impl std::fmt::Display for SessionRejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Session(error) => write!(f, "{error}"),
            Self::MissingLayer => f.write_str(
                "the router has no session layer; add `.layer(SessionLayer::new(engine))`",
            ),
        }
    }
}

impl std::error::Error for SessionRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Session(error) => Some(error),
            Self::MissingLayer => None,
        }
    }
}

/// The answer that takes the place of a handler's, whose sign-out has not taken place yet.
///
/// A middleware finds the [`PendingSignOut`] in its extensions and can make a page of it; it must
/// keep the headers, which take the cookie away.
pub(crate) fn sign_out_pending(pending: PendingSignOut) -> Response {
    let mut response = response(Reply::to_pending_sign_out(pending));
    response.extensions_mut().insert(pending);
    response
}

/// Adds a ticket's headers to an answer, beside what the application has set itself.
pub(crate) fn add_cookie(headers: &mut HeaderMap, cookie: &SetCookie) {
    for (name, value) in cookie.headers() {
        let Ok(mut value) = HeaderValue::from_str(value) else { return };
        let name = HeaderName::from_static(name);
        value.set_sensitive(name == SET_COOKIE);
        headers.append(name, value);
    }
}

/// A reply of the core as an answer.
pub(crate) fn response(reply: Reply) -> Response {
    let (status, headers) = (status(&reply), reply.headers());
    let body = match reply.into_body() {
        Cow::Borrowed(text) => Body::from(text),
        Cow::Owned(text) => Body::from(text),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for (name, value) in headers {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    response
}

fn status(reply: &Reply) -> StatusCode {
    StatusCode::from_u16(reply.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
