//! The counter: the page where a visitor signs in, fills the cart and looks at the ticket.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use cloakroom_axum::{Session, SessionRejection};

use super::app::App;
use super::cart::{CART, Cart};
use super::facts::Facts;
use super::pages::{self, Frame, Place};
use super::parallel::{Outcome, RUN};

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    frame: Frame,
    cart: Cart,
    parallel: Outcome,
    run: u8,
    facts: Facts,
}

/// Shows the counter. A visitor without a session gets none by looking.
pub(super) async fn show(
    State(app): State<App>,
    session: Option<Session>,
) -> Result<Response, SessionRejection> {
    let session = session.as_ref();
    let cart = match session {
        Some(session) => session.get(CART)?.unwrap_or_default(),
        None => Cart::default(),
    };
    let parallel = Outcome::of(&app, session)?;
    let frame = Frame::of(session, Place::Counter)?;
    // After the frame: taking the messages makes this page write, and the facts tell that too.
    let facts = Facts::of(&app, session)?;
    Ok(pages::answer(StatusCode::OK, &HomePage { frame, cart, parallel, run: RUN, facts }))
}
