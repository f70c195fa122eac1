//! What all pages share: the frame around them, and how a template becomes an answer.

use askama::Template;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use cloakroom::{Flash, SessionError};
use cloakroom_axum::Session;

use super::assets;

/// The head and the header of a page. Taking the messages out of the session is a change of it, so
/// a page builds its frame last.
pub(super) struct Frame {
    pub(super) owner: Option<String>,
    pub(super) flashes: Vec<Flash>,
    pub(super) place: Place,
    pub(super) assets: &'static assets::Addresses,
}

/// Which page of the navigation is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Counter,
    Slow,
    Devices,
    Elsewhere,
}

impl Frame {
    /// The frame of a page that looks at the visitor's session.
    pub(super) fn of(session: Option<&Session>, place: Place) -> Result<Self, SessionError> {
        let Some(session) = session else { return Ok(Self::bare(place)) };
        let flashes = session.take_flashes()?;
        Ok(Self { owner: session.owner(), flashes, ..Self::bare(place) })
    }

    /// The frame of a page that knows of no session.
    pub(super) fn bare(place: Place) -> Self {
        Self { owner: None, flashes: Vec::new(), place, assets: assets::addresses() }
    }
}

/// A page as an answer. It belongs to one visitor at one moment, so nobody may keep it.
pub(super) fn answer(status: StatusCode, page: &impl Template) -> Response {
    let Ok(text) = page.render() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let mut response = (status, text).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The answer to a form: the browser asks for the page anew, so a reload repeats no POST.
pub(super) fn see(path: &str) -> Response {
    Redirect::to(path).into_response()
}
