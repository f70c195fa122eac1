//! From outcomes to HTTP: the core's replies and the cookie's headers as actix-web has them.

use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use actix_web::{Error, HttpResponse, ResponseError};
use cloakroom::{PendingSignOut, Reply, SessionError, SetCookie};

/// Why a request has no usable session, and what it is answered with:
///
/// | reason | answer |
/// | --- | --- |
/// | the storage cannot say at present | 503 with `Retry-After: 1`; the cookie stays |
/// | another request got in the way (conflict, signed out or new ticket meanwhile) | 409 |
/// | anything else | 500 without details |
///
/// Take `Result<Session, SessionRejection>` in a handler, or find it in a middleware with
/// `response.error()` and `as_error::<SessionRejection>()`, to answer with a page of your own.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SessionRejection {
    /// The session could not be loaded or committed.
    Session(SessionError),
    /// The application has no session middleware: add `.wrap(SessionMiddleware::new(&engine))` to
    /// it, or to the scope with the routes that use sessions.
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

impl ResponseError for SessionRejection {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        response(self.reply())
    }
}

impl std::fmt::Display for SessionRejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Session(error) => write!(f, "{error}"),
            Self::MissingLayer => f.write_str(
                "the application has no session middleware; add \
                 `.wrap(SessionMiddleware::new(&engine))`",
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
pub(crate) fn sign_out_pending(pending: PendingSignOut) -> HttpResponse {
    let mut response = response(Reply::to_pending_sign_out(pending));
    response.extensions_mut().insert(pending);
    response
}

/// An error of a middleware inside of ours, or of ours; where its answer has to carry a cookie it is
/// still an error, with that answer.
pub(crate) fn carrying(
    error: Error,
    pending: Option<PendingSignOut>,
    cookie: Option<&SetCookie>,
) -> Error {
    let Some(cookie) = cookie else { return error };
    let mut response = pending.map(sign_out_pending).unwrap_or_else(|| error.error_response());
    add_cookie(response.headers_mut(), cookie);
    InternalError::from_response(error, response).into()
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
pub(crate) fn response(reply: Reply) -> HttpResponse {
    let mut response = HttpResponse::build(status(&reply));
    for header in reply.headers() {
        response.insert_header(*header);
    }
    response.body(reply.into_body())
}

fn status(reply: &Reply) -> StatusCode {
    StatusCode::from_u16(reply.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
