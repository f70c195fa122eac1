//! Ending everything that was created before a moment: after a breach, or when an old copy of the
//! data was restored. It goes on in steps, each of which says how far it is.

use askama::Template;
use axum::Extension;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cloakroom::{Position, Timestamp};
use serde::Deserialize;

use crate::action::{Action, Outcome};
use crate::pages::answer;
use crate::pages::end::{ConfirmPage, Context, GoOn, tell};
use crate::pages::frame::{Frame, Place};
use crate::pages::input::Input;
use crate::pages::moment::{self, Moment};

/// What has to be typed before all sessions end.
const WORD: &str = "end them";

#[derive(Template)]
#[template(path = "before.html")]
struct BeforePage {
    frame: Frame,
    /// By the storage's clock, as a form's field writes it.
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
    /// Whether one of them was taken again, so that they may have ended more.
    #[serde(default)]
    repeated: bool,
}

pub(crate) async fn show(context: Context) -> Response {
    let (State(app), Extension(admitted), mount) = context;
    let frame = Frame::of(&app, &admitted, &mount, Place::Before);
    let now = match app.now().await {
        Ok(now) => now.to_string().trim_end_matches('Z').to_owned(),
        Err(error) => return answer::storage_is_silent(frame, &error),
    };
    answer::page(StatusCode::OK, &BeforePage { frame, now })
}

pub(crate) async fn ask(
    context: Context,
    Input(Query(query)): Input<Query<MomentQuery>>,
) -> Response {
    let (State(app), Extension(admitted), mount) = context;
    let frame = Frame::of(&app, &admitted, &mount, Place::Before);
    let moment = match read(&query.moment) {
        Ok(moment) => moment,
        Err(problem) => return answer::misunderstood(frame, problem),
    };
    match app.now().await {
        Ok(now) if moment > now => {
            let problem = "That moment is still to come; sessions from before now can be ended.";
            return answer::misunderstood(frame, problem);
        }
        Ok(_) => {}
        Err(error) => return answer::storage_is_silent(frame, &error),
    }
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

pub(crate) async fn end(context: Context, Input(Form(order)): Input<Form<Order>>) -> Response {
    let (State(app), Extension(admitted), mount) = context;
    let frame = Frame::of(&app, &admitted, &mount, Place::Before);
    let moment = match read(&order.moment) {
        Ok(moment) => moment,
        Err(problem) => return answer::misunderstood(frame, problem),
    };
    if order.word.trim() != WORD {
        let problem = format!("Nothing was done: type \"{WORD}\" to end them.");
        return answer::misunderstood(frame, &problem);
    }
    let action = Action::EndBefore { moment };
    let title = action.title();
    let from = Position::new(order.position.as_str());
    let step = app.carry_out(admitted, action, from).await;
    let (outcome, position) = so_far(step, order.ended, order.position);
    let mut text = outcome.to_string();
    if order.repeated {
        text += " A step was repeated, so there may have been more.";
    }
    let is_broken = matches!(outcome, Outcome::Unknown { .. });
    let fields = vec![
        ("moment", moment.to_string()),
        ("word", WORD.to_owned()),
        ("position", position),
        ("ended", ended_by(&outcome).to_string()),
        ("repeated", (order.repeated || is_broken).to_string()),
    ];
    let go_on = GoOn { path: "/before/end".to_owned(), fields };
    tell(frame, title, &outcome, text, go_on, "/before".to_owned())
}

/// Reads a moment.
pub(crate) fn read(text: &str) -> Result<Timestamp, &'static str> {
    moment::read(text)
        .ok_or("A moment is written as 2026-03-01T12:30:00, in UTC, or with an offset as +01:00.")
}

/// The outcome of a step, begun `from` there, with what the steps before have ended; and where it
/// goes on.
fn so_far(step: Outcome, before: usize, from: String) -> (Outcome, String) {
    let sum = |ended: usize| ended.saturating_add(before);
    match step {
        Outcome::Done { ended } => (Outcome::Done { ended: sum(ended) }, String::new()),
        Outcome::Nothing if before > 0 => (Outcome::Done { ended: before }, String::new()),
        Outcome::Partly { ended, percent, next } => {
            (Outcome::Partly { ended: sum(ended), percent, next: next.clone() }, next)
        }
        Outcome::Unknown { ended, next, reason } => {
            let position = next.clone().unwrap_or(from);
            (Outcome::Unknown { ended: sum(ended), next, reason }, position)
        }
        other => (other, String::new()),
    }
}

/// How many have ended by now.
fn ended_by(outcome: &Outcome) -> usize {
    match outcome {
        Outcome::Partly { ended, .. } | Outcome::Unknown { ended, .. } => *ended,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_failed_forgets_neither_the_sum_nor_the_place() {
        let failed = |ended, next: Option<&str>| Outcome::Unknown {
            ended,
            next: next.map(str::to_owned),
            reason: "no answer".to_owned(),
        };
        let (outcome, position) = so_far(failed(5, Some("17")), 10, "3".to_owned());
        assert_eq!((ended_by(&outcome), position.as_str()), (15, "17"));
        let (outcome, position) = so_far(failed(0, None), 10, "3".to_owned());
        assert_eq!((ended_by(&outcome), position.as_str()), (10, "3"));
        // The sum comes from the form.
        let (outcome, _) = so_far(Outcome::Done { ended: 5 }, usize::MAX, String::new());
        assert_eq!(outcome, Outcome::Done { ended: usize::MAX });
    }
}
