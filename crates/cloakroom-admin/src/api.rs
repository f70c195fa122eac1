//! The JSON interface: the same questions and actions as the pages', under the same guard. The
//! overview's script lives on it, and so can programs.

mod body;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use cloakroom::{Found, Position, StorageError};

use crate::action::Action;
use crate::door::Admitted;
use crate::listing::Listing;
use crate::pages::answer;
use crate::pages::before::read;
use crate::pages::end::{Context, status_of};
use crate::pages::input::{Input, SessionId};
use crate::pages::search::Search;

use body::{BeforeOrder, Facts, OwnerOrder, Sessions};

pub(crate) async fn overview(context: Context) -> Response {
    let (State(app), ..) = context;
    Json(app.figures().await).into_response()
}

pub(crate) async fn sessions(
    context: Context,
    Input(Query(search)): Input<Query<Search>>,
) -> Response {
    let (State(app), ..) = context;
    let wanted = match search.read() {
        Ok(wanted) => wanted,
        Err(problem) => return bad_request(&problem),
    };
    match Listing::find(&app.engine, &wanted.filter, wanted.place, wanted.rows).await {
        Ok(listing) => Json(Sessions::of(&listing)).into_response(),
        Err(error) => storage_is_silent(&error),
    }
}

pub(crate) async fn session(context: Context, SessionId(id): SessionId) -> Response {
    let (State(app), ..) = context;
    match app.engine.session(id).await {
        Ok(Found::Session(facts)) => Json(Facts::of(&facts)).into_response(),
        Ok(Found::Nothing | Found::Over(_)) => {
            answer::error(StatusCode::NOT_FOUND, "no_session", "no such session")
        }
        Ok(Found::Ending) => {
            let message = "its end is pending; it is gone as soon as the storage's server answers";
            answer::error(StatusCode::NOT_FOUND, "ending", message)
        }
        Ok(Found::Unreadable) => {
            let message = "what lies there is no session's record, or was damaged";
            answer::error(StatusCode::NOT_FOUND, "unreadable", message)
        }
        Err(error) => storage_is_silent(&error),
    }
}

pub(crate) async fn revoke(context: Context, SessionId(session): SessionId) -> Response {
    carry_out(context, Action::EndSession { session }, Position::start()).await
}

pub(crate) async fn revoke_others(context: Context, SessionId(session): SessionId) -> Response {
    carry_out(context, Action::EndOthers { session }, Position::start()).await
}

pub(crate) async fn revoke_owner(context: Context, order: Input<Json<OwnerOrder>>) -> Response {
    let Input(Json(OwnerOrder { owner })) = order;
    carry_out(context, Action::EndOwner { owner }, Position::start()).await
}

pub(crate) async fn revoke_before(context: Context, order: Input<Json<BeforeOrder>>) -> Response {
    let Input(Json(BeforeOrder { moment, position })) = order;
    match read(&moment) {
        Ok(moment) => {
            carry_out(context, Action::EndBefore { moment }, Position::new(position)).await
        }
        Err(problem) => bad_request(problem),
    }
}

pub(crate) async fn audit(context: Context) -> Response {
    let (State(app), ..) = context;
    Json(app.trail.entries()).into_response()
}

async fn carry_out(context: Context, action: Action, position: Position) -> Response {
    let (State(app), Extension::<Admitted>(admitted), _) = context;
    let outcome = app.carry_out(admitted, action, position).await;
    (status_of(&outcome), Json(outcome)).into_response()
}

fn bad_request(problem: &str) -> Response {
    answer::error(StatusCode::BAD_REQUEST, "bad_request", problem)
}

fn storage_is_silent(error: &StorageError) -> Response {
    answer::error(answer::status_of(error), "storage_could_not_say", &error.to_string())
}
