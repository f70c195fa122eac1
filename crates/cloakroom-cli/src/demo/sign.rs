//! Signing in as anybody, being remembered, and signing out.

use std::time::Duration;

use askama::Template;
use axum::Form;
use axum::http::StatusCode;
use axum::response::Response;
use cloakroom::{Destroyed, FlashLevel};
use cloakroom_axum::{Session, SessionHandle, SessionRejection};
use serde::Deserialize;

use super::pages::{self, Frame, Place};
use super::refusal;

/// How long a visitor who asks for it is remembered.
const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The longest name that is accepted, in characters.
const NAME_LIMIT: usize = 40;

/// The form at the counter.
#[derive(Deserialize)]
pub(super) struct SignIn {
    name: String,
    /// A checkbox: absent unless it is ticked.
    remember: Option<String>,
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOutPage {
    frame: Frame,
}

/// The session gets its owner, and with it a new ticket. The cart stays unless somebody else was
/// signed in before.
pub(super) async fn sign_in(
    session: Session,
    Form(form): Form<SignIn>,
) -> Result<Response, SessionRejection> {
    let name = form.name.trim();
    if name.is_empty() || name.chars().count() > NAME_LIMIT {
        let text = format!("Please give a name of 1 to {NAME_LIMIT} characters.");
        session.flash(FlashLevel::Warning, text)?;
        return Ok(pages::see("/"));
    }
    session.set_owner(name)?;
    let mut text = format!("Welcome, {name}. You have a new ticket");
    if form.remember.is_some() {
        session.remember_for(REMEMBERED)?;
        text.push_str(", and your browser keeps it for 7 days");
    }
    session.flash(FlashLevel::Success, text + ".")?;
    Ok(pages::see("/"))
}

/// Ends the session. From here on its ticket opens nothing, whatever is still under way with it. While
/// the storage cannot be reached the ticket is refused here at once, and everywhere afterwards.
pub(super) async fn sign_out(
    SessionHandle(handle): SessionHandle,
) -> Result<Response, SessionRejection> {
    Ok(match handle.sign_out().await? {
        Destroyed::Removed(_) | Destroyed::Absent(_) => pages::see("/signed-out"),
        Destroyed::Pending => refusal::pending(),
    })
}

/// Says good-bye. A message in the session would make a new one just to say that the old is gone.
pub(super) async fn signed_out(session: Option<Session>) -> Result<Response, SessionRejection> {
    if session.is_some_and(|session| session.owner().is_some()) {
        return Ok(pages::see("/"));
    }
    let page = SignedOutPage { frame: Frame::bare(Place::Elsewhere) };
    Ok(pages::answer(StatusCode::OK, &page))
}
