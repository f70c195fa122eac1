//! One session: its facts and what can be done with it.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use cloakroom::{Found, PublicId, SessionFacts};

use crate::app::App;
use crate::door::Admitted;
use crate::mount::Mount;
use crate::pages::answer;
use crate::pages::frame::{Frame, Place};
use crate::pages::input::SessionId;
use crate::pages::row::Row;

#[derive(Template)]
#[template(path = "session.html")]
struct SessionPage {
    frame: Frame,
    row: Row,
}

pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Extension(admitted): Extension<Admitted>,
    mount: Mount,
    SessionId(id): SessionId,
) -> Response {
    let frame = Frame::of(&app, &admitted, &mount, Place::Sessions);
    match find(&app, frame, id).await {
        Ok((frame, facts)) => {
            answer::page(StatusCode::OK, &SessionPage { frame, row: Row::of(&facts) })
        }
        Err(response) => *response,
    }
}

/// The session with this id, or the page that says why there is none.
pub(crate) async fn find(
    app: &App,
    frame: Frame,
    id: PublicId,
) -> Result<(Frame, SessionFacts), Box<Response>> {
    Err(Box::new(match app.engine.session(id).await {
        Ok(Found::Session(facts)) => return Ok((frame, facts)),
        Ok(Found::Nothing | Found::Over(_)) => {
            answer::no_session(frame, "It was never there, has expired, or was ended.")
        }
        Ok(Found::Ending) => answer::no_session(
            frame,
            "Its end is pending: it is refused here, and gone as soon as the storage's server answers.",
        ),
        Ok(Found::Unreadable) => answer::no_session(
            frame,
            "What lies there is no session's record, or was damaged. It opens for nobody.",
        ),
        Err(error) => answer::storage_is_silent(frame, &error),
    }))
}
