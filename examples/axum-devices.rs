//! "Your devices": where somebody is signed in, signing out one of them or all others, and asking
//! for the password again where the sign-in is not recent. Open it in two browsers.
//!
//! ```text
//! cargo run -p cloakroom-examples --bin axum-devices
//! ```

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::Form;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use cloakroom::{
    AtLimit, Destroyed, Device, Engine, Flash, FlashLevel, MemorySessionStorage, Policy, PublicId,
    SessionError,
};
use cloakroom_axum::{Session, SessionHandle, SessionLayer, SessionRejection};
use serde::Deserialize;
use tokio::net::TcpListener;

const PENDING: &str = "You are signed out here, and everywhere as soon as Redis is back.";

/// How recent a sign-in must be for ending other sessions.
const FRESH: Duration = Duration::from_secs(5 * 60);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // `Policy::default()` as soon as the pages are served over HTTPS.
    let mut policy = Policy::for_local_development();
    // Whoever signs in on a sixth device is signed out on the one that was not seen for longest.
    policy.concurrent_sessions.limit = 5;
    policy.concurrent_sessions.at_limit = AtLimit::EndLeastRecentlyUsed;
    // With Redis as the storage the list holds the devices of all nodes.
    let engine = Engine::builder(MemorySessionStorage::new()).policy(policy).build()?;
    let app = Router::new()
        .route("/", get(devices))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/devices/end", post(end_device))
        .route("/devices/end-others", post(end_others))
        .layer(SessionLayer::new(engine));

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("http://{}", listener.local_addr()?);
    // With the connect info each device is shown with its address.
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, service).await?)
}

#[derive(Template)]
#[template(path = "devices.html")]
struct Page {
    owner: Option<String>,
    is_fresh: bool,
    devices: Vec<Device>,
    flashes: Vec<Flash>,
}

async fn devices(session: Session) -> Result<Response, SessionRejection> {
    let owner = session.owner();
    let devices = match owner {
        Some(_) => session.devices().await?,
        None => Vec::new(),
    };
    let is_fresh = session.require_fresh_auth(FRESH).await.is_ok();
    let page = Page { owner, is_fresh, devices, flashes: session.take_flashes()? };
    Ok(match page.render() {
        Ok(html) => Html(html).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    })
}

#[derive(Deserialize)]
struct SignIn {
    name: String,
    password: String,
}

/// The first sign-in, and every further one that makes it recent again.
async fn sign_in(session: Session, form: Form<SignIn>) -> Result<Redirect, SessionRejection> {
    if is_right(&form.name, &form.password) {
        session.set_owner(form.name.trim())?;
    } else {
        session.flash(FlashLevel::Error, "Name or password is wrong.")?;
    }
    Ok(Redirect::to("/"))
}

/// Takes the handle in the place of the session: that signs out while Redis cannot be reached, too.
async fn sign_out(SessionHandle(handle): SessionHandle) -> Result<Response, SessionRejection> {
    Ok(match handle.sign_out().await? {
        Destroyed::Pending => (StatusCode::ACCEPTED, PENDING).into_response(),
        Destroyed::Removed(_) | Destroyed::Absent(_) => Redirect::to("/").into_response(),
    })
}

#[derive(Deserialize)]
struct Choice {
    id: PublicId,
}

async fn end_device(session: Session, form: Form<Choice>) -> Result<Redirect, SessionRejection> {
    if !may_end(&session).await? {
        return Ok(Redirect::to("/"));
    }
    // Whatever id the form holds: it ends a session of this owner, or none.
    let text = match session.end_device(form.id).await? {
        Destroyed::Removed(_) => "Signed out there.",
        Destroyed::Absent(_) => "That one was signed out already.",
        Destroyed::Pending => "It will be signed out as soon as our storage answers.",
    };
    session.flash(FlashLevel::Info, text)?;
    Ok(Redirect::to("/"))
}

async fn end_others(session: Session) -> Result<Redirect, SessionRejection> {
    if !may_end(&session).await? {
        return Ok(Redirect::to("/"));
    }
    let revoked = session.end_other_devices().await?;
    let text = match (revoked.pending, revoked.unreadable) {
        (0, 0) => format!("Signed out in {} other places.", revoked.ended),
        (_, 0) => "You will be signed out there as soon as our storage answers.".to_owned(),
        // Records of another release of Cloakroom, or damaged ones.
        _ => "You may still be signed in elsewhere. Please tell our support.".to_owned(),
    };
    session.flash(FlashLevel::Info, text)?;
    Ok(Redirect::to("/"))
}

/// Whether the sign-in is recent; a visitor whose is not is told what to do.
async fn may_end(session: &Session) -> Result<bool, SessionError> {
    match session.require_fresh_auth(FRESH).await {
        Ok(()) => Ok(true),
        Err(SessionError::SignInRequired | SessionError::FreshSignInRequired { .. }) => {
            session.flash(FlashLevel::Warning, "Please give your password once more.")?;
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Your user table goes here, with a password hash such as Argon2id.
fn is_right(name: &str, password: &str) -> bool {
    !name.trim().is_empty() && password == "open sesame"
}
