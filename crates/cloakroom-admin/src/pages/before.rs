//! Ending everything that was created before a moment: after a breach, or when an old copy of the
//! data was restored. It goes on in steps, each of which says how far it is.

use askama::Template;
use axum::Extension;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cloakroom::{Clock, Position, SystemClock, Timestamp};
use serde::Deserialize;

use crate::action::{Action, Outcome};
use crate::pages::answer;
use crate::pages::end::{ConfirmPage, Context, tell};
use crate::pages::frame::{Frame, Place};
use crate::pages::moment::{self, Moment};

/// What has to be typed before all sessions end.
const WORD: &str = "end them";

#[derive(Template)]
#[template(path = "before.html")]
struct BeforePage {
    frame: Frame,
    now: String,
}

#[derive(Deserialize)]
pub(crate) struct MomentQuery {
    moment: String,
}

#[derive(Deserialize)]
pub(crate) struct Order {
    moment: String,
    word: String,
    /// Where it goes on.
    #[serde(default)]
    position: String,
    /// How many the steps before have ended.
    #[serde(default)]
    ended: usize,
}

pub(crate) async fn show(context: Context) -> Response {
    let (State(app), Extension(admitted), mount) = context;
    let frame = Frame::of(&app, &admitted, &mount, Place::Before);
    let now = SystemClock.now().to_string();
    let now = now.trim_end_matches('Z').to_owned();
    answer::page(StatusCode::OK, &BeforePage { frame, now })
}

pub(crate) async fn ask(context: Context, Query(query): Query<MomentQuery>) -> Response {
    let (State(app), Extension(admitted), mount) = context;
    let frame = Frame::of(&app, &admitted, &mount, Place::Before);
    let moment = match past(&query.moment) {
        Ok(moment) => moment,
        Err(problem) => return answer::misunderstood(frame, problem),
    };
    let page = ConfirmPage {
        frame,
        title: "End everything from before this moment?",
        text: format!(
            "Every session that was created before {}, whoever it belongs to. Nothing brings them back.",
            Moment(moment)
        ),
        row: None,
        path: "/before/end".to_owned(),
        fields: vec![("moment", moment.to_string())],
        word: Some(WORD),
        button: "End all of them",
        back: "/before".to_owned(),
    };
    answer::page(StatusCode::OK, &page)
}

pub(crate) async fn end(context: Context, Form(order): Form<Order>) -> Response {
    let (State(app), Extension(admitted), mount) = context;
    let frame = Frame::of(&app, &admitted, &mount, Place::Before);
    let moment = match past(&order.moment) {
        Ok(moment) => moment,
        Err(problem) => return answer::misunderstood(frame, problem),
    };
    if order.word.trim() != WORD {
        let problem = format!("Nothing was done: type \"{WORD}\" to end them.");
        return answer::misunderstood(frame, &problem);
    }
    let action = Action::EndBefore { moment };
    let title = action.title();
    let step = app.carry_out(admitted, action, Position::new(order.position)).await;
    let (outcome, position) = so_far(step, order.ended);
    let fields = vec![
        ("moment", moment.to_string()),
        ("word", WORD.to_owned()),
        ("position", position),
        ("ended", order.ended.saturating_add(ended_by(&outcome, order.ended)).to_string()),
    ];
    tell(frame, title, &outcome, "/before".to_owned(), Some(("/before/end".to_owned(), fields)))
}

/// Reads a moment that has been.
pub(crate) fn past(text: &str) -> Result<Timestamp, &'static str> {
    let moment = moment::read(text).ok_or("A moment is written as 2026-03-01T12:30:00, in UTC.")?;
    if moment > SystemClock.now() {
        return Err("That moment is still to come; sessions from before now can be ended.");
    }
    Ok(moment)
}

/// The outcome of a step with what the steps before have ended, and where it goes on.
fn so_far(step: Outcome, before: usize) -> (Outcome, String) {
    match step {
        Outcome::Done { ended } => (Outcome::Done { ended: ended + before }, String::new()),
        Outcome::Nothing if before > 0 => (Outcome::Done { ended: before }, String::new()),
        Outcome::Partly { ended, percent, next } => {
            (Outcome::Partly { ended: ended + before, percent, next: next.clone() }, next)
        }
        other => (other, String::new()),
    }
}

/// How many of an outcome's sessions this step alone has ended.
fn ended_by(outcome: &Outcome, before: usize) -> usize {
    match outcome {
        Outcome::Done { ended } | Outcome::Partly { ended, .. } => ended.saturating_sub(before),
        _ => 0,
    }
}
