//! Ending sessions: a page that asks, and the one that tells what became of it.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cloakroom::Position;
use serde::Deserialize;

use crate::action::{Action, Outcome};
use crate::app::App;
use crate::door::Admitted;
use crate::mount::Mount;
use crate::owned::Owned;
use crate::pages::answer;
use crate::pages::frame::{Frame, Place};
use crate::pages::input::{Input, SessionId};
use crate::pages::row::{Row, in_query};
use crate::pages::session;
use crate::shown::on_page;

/// A page that asks before something is ended.
#[derive(Template)]
#[template(path = "confirm.html")]
pub(crate) struct ConfirmPage {
    pub(crate) frame: Frame,
    pub(crate) title: &'static str,
    pub(crate) text: String,
    /// The session that it is about.
    pub(crate) row: Option<Row>,
    /// Where the form goes, below the page's own path, with what is to be taken as it is: a form
    /// changes line ends and NUL in its fields.
    pub(crate) path: String,
    /// What goes with it.
    pub(crate) fields: Vec<(&'static str, String)>,
    /// What has to be typed first.
    pub(crate) word: Option<&'static str>,
    pub(crate) button: &'static str,
    /// Where nothing is done.
    pub(crate) back: String,
}

#[derive(Template)]
#[template(path = "outcome.html")]
struct OutcomePage {
    frame: Frame,
    title: &'static str,
    mood: &'static str,
    heading: &'static str,
    text: String,
    back: String,
    go_on: Option<GoOn>,
    /// How far a long action is; it goes on by itself.
    percent: Option<u8>,
}

/// How an action that is not done goes on.
pub(crate) struct GoOn {
    pub(crate) path: String,
    pub(crate) fields: Vec<(&'static str, String)>,
}

#[derive(Deserialize)]
pub(crate) struct OwnerQuery {
    name: String,
}

/// What every handler here needs.
pub(crate) type Context = (State<Arc<App>>, Extension<Admitted>, Mount);

pub(crate) async fn ask_one(context: Context, SessionId(id): SessionId) -> Response {
    let (State(app), Extension(admitted), mount) = context;
    let frame = Frame::of(&app, &admitted, &mount, Place::Sessions);
    let (frame, facts) = match session::find(&app, frame, id).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let row = Row::of(&facts);
    let page = ConfirmPage {
        frame,
        title: "End this session?",
        text:
            "Its ticket opens nothing any more, on any node. Whoever uses it has to sign in again."
                .to_owned(),
        row: Some(row),
        path: format!("/sessions/{id}/end"),
        fields: Vec::new(),
        word: None,
        button: "End the session",
        back: format!("/sessions/{id}"),
    };
    answer::page(StatusCode::OK, &page)
}

pub(crate) async fn one(context: Context, SessionId(session): SessionId) -> Response {
    let path = format!("/sessions/{session}/end");
    end(context, Action::EndSession { session }, path, "/sessions".to_owned()).await
}

pub(crate) async fn ask_others(context: Context, SessionId(id): SessionId) -> Response {
    let (State(app), Extension(admitted), mount) = context;
    let frame = Frame::of(&app, &admitted, &mount, Place::Sessions);
    let (frame, facts) = match session::find(&app, frame, id).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let Some(owner) = facts.owner() else {
        return answer::no_session(frame, "Nobody is signed in to it, so it has no owner.");
    };
    let text = format!("All sessions of {} but this one. This one goes on.", on_page(owner));
    let page = ConfirmPage {
        frame,
        title: "End the owner's other sessions?",
        text,
        row: Some(Row::of(&facts)),
        path: format!("/sessions/{id}/end-others"),
        fields: Vec::new(),
        word: None,
        button: "End the others",
        back: format!("/sessions/{id}"),
    };
    answer::page(StatusCode::OK, &page)
}

pub(crate) async fn others(context: Context, SessionId(session): SessionId) -> Response {
    let path = format!("/sessions/{session}/end-others");
    end(context, Action::EndOthers { session }, path, format!("/sessions/{session}")).await
}

pub(crate) async fn ask_owner(
    context: Context,
    Input(Query(owner)): Input<Query<OwnerQuery>>,
) -> Response {
    let (State(app), Extension(admitted), mount) = context;
    let frame = Frame::of(&app, &admitted, &mount, Place::Sessions);
    let back = format!("/sessions?owner={}", in_query(&owner.name));
    let owned = match Owned::by(&app.engine, &owner.name).await {
        Ok(owned) => owned,
        Err(error) => return answer::storage_is_silent(frame, &error),
    };
    let (name, count) = (on_page(&owner.name), owned.sessions.len());
    let sessions = if count == 1 { "session" } else { "sessions" };
    let mut text =
        format!("{name} has {count} {sessions} at present. Sign-ins under way are ended as well.");
    if owned.unreadable > 0 {
        let more = owned.unreadable;
        text += &format!(
            " What lies in the place of {more} more cannot be read by this release, and is left alone."
        );
    }
    let page = ConfirmPage {
        frame,
        title: "End all sessions of this owner?",
        text,
        row: None,
        path: format!("/owner/end?name={}", in_query(&owner.name)),
        fields: Vec::new(),
        word: None,
        button: "End all of them",
        back,
    };
    answer::page(StatusCode::OK, &page)
}

pub(crate) async fn owner(
    context: Context,
    Input(Query(owner)): Input<Query<OwnerQuery>>,
) -> Response {
    let name = in_query(&owner.name);
    let (path, back) = (format!("/owner/end?name={name}"), format!("/sessions?owner={name}"));
    end(context, Action::EndOwner { owner: owner.name }, path, back).await
}

async fn end(context: Context, action: Action, path: String, back: String) -> Response {
    let (State(app), Extension(admitted), mount) = context;
    let frame = Frame::of(&app, &admitted, &mount, Place::Sessions);
    let title = action.title();
    let outcome = app.carry_out(admitted, action, Position::start()).await;
    let text = outcome.to_string();
    tell(frame, title, &outcome, text, GoOn { path, fields: Vec::new() }, back)
}

/// The page that tells what became of an action. `go_on` is where it goes on if it is not done.
pub(crate) fn tell(
    frame: Frame,
    title: &'static str,
    outcome: &Outcome,
    text: String,
    go_on: GoOn,
    back: String,
) -> Response {
    let (mood, heading) = match outcome {
        Outcome::Done { .. } => ("good", "Done"),
        Outcome::Nothing => ("good", "Nothing to end"),
        Outcome::Incomplete { .. } => ("bad", "Not all were ended"),
        Outcome::Partly { .. } => ("busy", "Under way"),
        Outcome::Pending { .. } => ("warn", "Pending"),
        Outcome::Unknown { .. } => ("bad", "Could not be done"),
        Outcome::Refused { .. } => ("bad", "Refused"),
    };
    let percent = match outcome {
        Outcome::Partly { percent, .. } => Some(*percent),
        _ => None,
    };
    let is_open = percent.is_some() || matches!(outcome, Outcome::Unknown { .. });
    let go_on = is_open.then_some(go_on);
    let page = OutcomePage { frame, title, mood, heading, text, back, go_on, percent };
    answer::page(status_of(outcome), &page)
}

/// The status that says the same to a program.
pub(crate) fn status_of(outcome: &Outcome) -> StatusCode {
    match outcome {
        Outcome::Done { .. } | Outcome::Partly { .. } | Outcome::Nothing => StatusCode::OK,
        Outcome::Pending { .. } => StatusCode::ACCEPTED,
        Outcome::Incomplete { .. } => StatusCode::CONFLICT,
        Outcome::Unknown { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Outcome::Refused { .. } => StatusCode::BAD_REQUEST,
    }
}
