//! Answers that are no page of their own: refusals, errors, and how a template becomes an answer.

use askama::Template;
use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use cloakroom::StorageError;
use serde::Serialize;

use crate::door::Closed;
use crate::guard::Refusal;
use crate::mount::Mount;
use crate::pages::frame::{Frame, Place};

/// Who reads the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    Person,
    Program,
}

/// Why something is not answered with what was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Reason {
    status: StatusCode,
    /// For programs.
    word: &'static str,
    title: &'static str,
    text: &'static str,
}

pub(crate) const FOREIGN: Reason = Reason {
    status: StatusCode::FORBIDDEN,
    word: "foreign_origin",
    title: "Not from this page",
    text: "The request was not made by a page of this site, so nothing was done.",
};

pub(crate) const OUTDATED: Reason = Reason {
    status: StatusCode::FORBIDDEN,
    word: "missing_token",
    title: "This page was out of date",
    text: "Nothing was done. Go back, load the page again, and repeat what you did.",
};

pub(crate) const TOO_LARGE: Reason = Reason {
    status: StatusCode::PAYLOAD_TOO_LARGE,
    word: "too_large",
    title: "Too large",
    text: "What was sent is larger than anything that this page asks for.",
};

pub(crate) const NOT_HERE: Reason = Reason {
    status: StatusCode::FORBIDDEN,
    word: "foreign_host",
    title: "For this machine only",
    text: "Over plain HTTP this page answers to localhost, 127.0.0.1 and [::1] only.",
};

const NOT_FOUND: Reason = Reason {
    status: StatusCode::NOT_FOUND,
    word: "not_found",
    title: "Nothing here",
    text: "There is no such page.",
};

const WRONG_METHOD: Reason = Reason {
    status: StatusCode::METHOD_NOT_ALLOWED,
    word: "wrong_method",
    title: "Not that way",
    text: "There is a page here, but it cannot be asked for like this.",
};

const SIGN_IN: Reason = Reason {
    status: StatusCode::UNAUTHORIZED,
    word: "sign_in",
    title: "Please sign in",
    text: "This page is for operators.",
};

const FORBIDDEN: Reason = Reason {
    status: StatusCode::FORBIDDEN,
    word: "forbidden",
    title: "For operators only",
    text: "You are signed in, but not as an operator.",
};

const UNAVAILABLE: Reason = Reason {
    status: StatusCode::SERVICE_UNAVAILABLE,
    word: "unavailable",
    title: "Please try again",
    text: "It cannot be said at present who you are.",
};

const SLOW: Reason = Reason {
    status: StatusCode::TOO_MANY_REQUESTS,
    word: "too_many_wrong_passwords",
    title: "Too many wrong passwords",
    text: "Please wait a moment.",
};

#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage<'a> {
    frame: Frame,
    title: &'a str,
    text: &'a str,
    detail: Option<String>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    message: &'a str,
}

impl Reason {
    /// For the audit trail.
    pub(crate) fn in_trail(&self) -> &'static str {
        self.title
    }
}

impl Audience {
    pub(crate) fn of(request: &Parts) -> Self {
        if request.uri.path().starts_with("/api/") { Self::Program } else { Self::Person }
    }
}

/// A page as an answer.
pub(crate) fn page(status: StatusCode, page: &impl Template) -> Response {
    let Ok(text) = page.render() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let mut response = (status, text).into_response();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, html);
    response
}

/// An error for a program.
pub(crate) fn error(status: StatusCode, word: &str, message: &str) -> Response {
    (status, Json(ErrorBody { error: word, message })).into_response()
}

/// A refusal, for whoever asked.
pub(crate) fn refuse(request: &Parts, mount: &Mount, reason: Reason) -> Response {
    if Audience::of(request) == Audience::Program {
        return error(reason.status, reason.word, reason.text);
    }
    let frame = Frame::bare(mount, Place::Elsewhere);
    let Reason { status, title, text, .. } = reason;
    page(status, &MessagePage { frame, title, text, detail: None })
}

/// A closed door, for whoever stands before it.
pub(crate) fn closed(request: &Parts, mount: &Mount, closed: Closed) -> Response {
    let is_program = Audience::of(request) == Audience::Program;
    match closed {
        Closed::SignIn if !is_program => {
            Redirect::to(&format!("{}/sign-in", mount.as_str())).into_response()
        }
        Closed::Refused(Refusal::SignIn { at }) if !is_program => Redirect::to(&at).into_response(),
        Closed::SignIn | Closed::Wrong => {
            let mut response = refuse(request, mount, SIGN_IN);
            let scheme = HeaderValue::from_static("Bearer realm=\"cloakroom\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
            response
        }
        Closed::Refused(Refusal::SignIn { .. }) => refuse(request, mount, SIGN_IN),
        Closed::Slow(wait) => {
            let mut response = refuse(request, mount, SLOW);
            let seconds = HeaderValue::from(wait.as_secs() + 1);
            response.headers_mut().insert(RETRY_AFTER, seconds);
            response
        }
        Closed::Refused(Refusal::Forbidden) => refuse(request, mount, FORBIDDEN),
        Closed::Refused(Refusal::Unavailable) => refuse(request, mount, UNAVAILABLE),
    }
}

/// The page for a question that the storage could not answer.
pub(crate) fn storage_is_silent(frame: Frame, problem: &StorageError) -> Response {
    let text = "This says nothing about the sessions: they may all be there. Load the page again in \
                a moment.";
    let detail = Some(problem.to_string());
    let title = "The storage cannot say at present";
    page(status_of(problem), &MessagePage { frame, title, text, detail })
}

/// The page for a question that cannot be understood.
pub(crate) fn misunderstood(frame: Frame, problem: &str) -> Response {
    let title = "That cannot be read";
    page(StatusCode::BAD_REQUEST, &MessagePage { frame, title, text: problem, detail: None })
}

/// The page for a session that is not there.
pub(crate) fn no_session(frame: Frame, text: &str) -> Response {
    let title = "No such session";
    page(StatusCode::NOT_FOUND, &MessagePage { frame, title, text, detail: None })
}

pub(crate) fn status_of(problem: &StorageError) -> StatusCode {
    if problem.is_transient() {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    }
}

/// Every address that is none of the page's.
pub(crate) async fn not_found(mount: Mount, request: Parts) -> Response {
    refuse(&request, &mount, NOT_FOUND)
}

/// Every method that a page has not.
pub(crate) async fn wrong_method(mount: Mount, request: Parts) -> Response {
    refuse(&request, &mount, WRONG_METHOD)
}
