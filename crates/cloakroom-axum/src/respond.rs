//! From outcomes to HTTP: the cookie's headers, the one mapping of errors to answers, and what a
//! visitor is told whose sign-out is pending.

use axum::http::header::{CACHE_CONTROL, RETRY_AFTER, SET_COOKIE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use cloakroom::{Operation, PendingSignOut, SessionError, SetCookie};

/// How long a client should wait after a 503, in seconds.
const RETRY_AFTER_SECONDS: &str = "1";

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
        match self {
            Self::Session(error) if error.is_transient() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Session(error) if error.is_conflict() => StatusCode::CONFLICT,
            Self::Session(_) | Self::MissingLayer => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn is_about_a_sign_out(&self) -> bool {
        matches!(self, Self::Session(SessionError::Storage(error)) if error.operation() == Operation::Destroy)
    }
}

impl From<SessionError> for SessionRejection {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        let status = self.status();
        let text = match status {
            StatusCode::SERVICE_UNAVAILABLE if self.is_about_a_sign_out() => {
                "Your sign-out could not be confirmed. Please try again."
            }
            StatusCode::SERVICE_UNAVAILABLE => "The service is busy. Please try again.",
            StatusCode::CONFLICT => "The session has changed meanwhile. Please try again.",
            _ => "Something went wrong.",
        };
        let mut response = answer(status, text);
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
    let status = match pending {
        PendingSignOut::Accepted => StatusCode::ACCEPTED,
        PendingSignOut::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut response = answer(
        status,
        "Your sign-out is not complete yet. This browser has given up the session and this server \
         refuses it from now on. It ends everywhere as soon as the session storage answers again.",
    );
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(pending);
    response
}

/// A plain text; with a 503 it says when to come back.
fn answer(status: StatusCode, text: &'static str) -> Response {
    let mut response = (status, text).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
    }
    response
}

/// Adds a ticket's headers to an answer, beside what the application has set itself.
pub(crate) fn add_cookie(headers: &mut HeaderMap, cookie: &SetCookie) {
    let Ok(mut value) = HeaderValue::from_str(cookie.value()) else { return };
    value.set_sensitive(true);
    headers.append(SET_COOKIE, value);
    headers.append(CACHE_CONTROL, HeaderValue::from_static(SetCookie::CACHE_CONTROL));
    headers.append(VARY, HeaderValue::from_static(SetCookie::VARY));
}
