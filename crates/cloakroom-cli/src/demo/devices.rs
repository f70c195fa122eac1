//! "Your devices": where the owner is signed in, and ending one or all others after a fresh sign-in.

use std::time::Duration;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use cloakroom::{Destroyed, Device, FlashLevel, PublicId, SessionError};
use cloakroom_axum::{Session, SessionRejection};
use serde::Deserialize;

use super::app::App;
use super::facts::Facts;
use super::moment::Moment;
use super::pages::{self, Frame, Place};

/// Where a visitor is sent on from every form of this page.
const PAGE: &str = "/devices";

#[derive(Template)]
#[template(path = "devices.html")]
struct DevicesPage {
    frame: Frame,
    devices: Vec<Row>,
    /// Whether the sign-in is recent enough to end others.
    is_fresh: bool,
    /// How recent it has to be, in words.
    fresh_for: String,
    facts: Facts,
}

/// One line of the list. All of it came from a browser once, so the template escapes it.
struct Row {
    id: String,
    number: String,
    browser: String,
    address: String,
    since: Option<Moment>,
    seen: Moment,
    is_current: bool,
}

/// Which session shall end.
#[derive(Deserialize)]
pub(super) struct Choice {
    id: String,
}

/// The name that the visitor has typed once more.
#[derive(Deserialize)]
pub(super) struct Confirmation {
    name: String,
}

/// Shows the list.
pub(super) async fn show(
    State(app): State<App>,
    session: Option<Session>,
) -> Result<Response, SessionRejection> {
    let Some(session) = session.filter(|session| session.owner().is_some()) else {
        return Ok(pages::see("/"));
    };
    let devices = session.devices().await?.iter().map(Row::of).collect();
    let is_fresh = session.require_fresh_auth(app.fresh_for).await.is_ok();
    let fresh_for = in_words(app.fresh_for);
    let frame = Frame::of(Some(&session), Place::Devices)?;
    let facts = Facts::of(&app, Some(&session))?;
    let page = DevicesPage { frame, devices, is_fresh, fresh_for, facts };
    Ok(pages::answer(StatusCode::OK, &page))
}

/// Ends one other session of the owner. An id that is not the owner's ends nothing.
pub(super) async fn end_one(
    State(app): State<App>,
    session: Session,
    Form(choice): Form<Choice>,
) -> Result<Response, SessionRejection> {
    if let Some(refused) = refusal(&app, &session).await? {
        return Ok(refused);
    }
    let ended = match choice.id.parse::<PublicId>() {
        Ok(id) => session.end_device(id).await?,
        Err(_) => Destroyed::Absent(cloakroom::Durability::LOCAL),
    };
    let (level, text) = match ended {
        Destroyed::Removed(_) => (FlashLevel::Success, "Signed out there. Its ticket is void."),
        Destroyed::Absent(_) => (FlashLevel::Info, "That session was over already."),
        Destroyed::Pending => (FlashLevel::Warning, PENDING),
    };
    session.flash(level, text)?;
    Ok(pages::see(PAGE))
}

/// Ends all other sessions of the owner.
pub(super) async fn end_others(
    State(app): State<App>,
    session: Session,
) -> Result<Response, SessionRejection> {
    if let Some(refused) = refusal(&app, &session).await? {
        return Ok(refused);
    }
    let revoked = session.end_other_devices().await?;
    let (level, text) = match (revoked.unreadable, revoked.pending, revoked.ended) {
        (0, 0, 0) => (FlashLevel::Info, "You were signed in nowhere else.".to_owned()),
        (0, 0, 1) => (FlashLevel::Success, "Signed out in one other place.".to_owned()),
        (0, 0, ended) => (FlashLevel::Success, format!("Signed out in {ended} other places.")),
        (0, _, _) => (FlashLevel::Warning, PENDING.to_owned()),
        _ => (FlashLevel::Warning, UNREADABLE.to_owned()),
    };
    session.flash(level, text)?;
    Ok(pages::see(PAGE))
}

/// Signs the owner in once more: an application would ask for the password, the demo for the name.
pub(super) async fn confirm(
    session: Session,
    Form(form): Form<Confirmation>,
) -> Result<Response, SessionRejection> {
    let Some(owner) = session.owner() else { return Ok(pages::see("/")) };
    if form.name.trim() == owner {
        session.set_owner(&owner)?;
        session.flash(FlashLevel::Success, "It is you. You have a new ticket.")?;
    } else {
        session.flash(FlashLevel::Warning, "That is another name than yours.")?;
    }
    Ok(pages::see(PAGE))
}

const PENDING: &str = "The storage does not answer at present. It is refused here from now on, and \
                       ends everywhere as soon as the storage is back.";

const UNREADABLE: &str = "Not every other session could be ended: one of them cannot be read by this \
                          release of the demo. You may still be signed in there.";

/// Where a visitor goes who may not end anything: to sign in, or to confirm who it is.
async fn refusal(app: &App, session: &Session) -> Result<Option<Response>, SessionError> {
    match session.require_fresh_auth(app.fresh_for).await {
        Ok(()) => Ok(None),
        Err(SessionError::SignInRequired) => Ok(Some(pages::see("/"))),
        Err(SessionError::FreshSignInRequired { .. }) => {
            session.flash(FlashLevel::Warning, "Please confirm first that it is you.")?;
            Ok(Some(pages::see(PAGE)))
        }
        Err(error) => Err(error),
    }
}

impl Row {
    fn of(device: &Device) -> Self {
        let id = device.id().to_string();
        Self {
            number: id.chars().take(6).collect(),
            id,
            browser: device.browser().unwrap_or_else(|| "Unknown browser".to_owned()),
            address: device.address().unwrap_or("unknown address").to_owned(),
            since: device.signed_in().map(Moment::ago),
            seen: Moment::ago(device.last_seen()),
            is_current: device.is_current(),
        }
    }
}

fn in_words(span: Duration) -> String {
    match span.as_secs() {
        seconds if seconds.is_multiple_of(60) && seconds > 60 => {
            format!("{} minutes", seconds / 60)
        }
        60 => "minute".to_owned(),
        1 => "second".to_owned(),
        seconds => format!("{seconds} seconds"),
    }
}
