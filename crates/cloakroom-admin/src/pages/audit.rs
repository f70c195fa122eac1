//! The audit trail, the newest first.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::action::Outcome;
use crate::audit::AuditEntry;
use crate::pages::answer;
use crate::pages::end::Context;
use crate::pages::frame::{Frame, Place};
use crate::pages::moment::Moment;
use crate::shown::shown;

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    frame: Frame,
    lines: Vec<Line>,
}

struct Line {
    at: Moment,
    operator: String,
    address: String,
    action: &'static str,
    object: String,
    outcome: String,
    mood: &'static str,
}

pub(crate) async fn show(context: Context) -> Response {
    let (State(app), Extension(admitted), mount) = context;
    let frame = Frame::of(&app, &admitted, &mount, Place::Audit);
    let lines = app.trail.entries().iter().map(Line::of).collect();
    answer::page(StatusCode::OK, &AuditPage { frame, lines })
}

impl Line {
    fn of(entry: &AuditEntry) -> Self {
        let is_refused = matches!(entry.outcome, Outcome::Refused { .. });
        let is_sign = entry.action.object().is_empty();
        Self {
            at: Moment(entry.at),
            operator: shown(entry.operator.name()),
            address: entry.address.map(|it| it.to_string()).unwrap_or_default(),
            action: if is_refused && is_sign { "Sign-in" } else { entry.action.title() },
            object: shown(&entry.action.object()),
            outcome: if is_sign && !is_refused { String::new() } else { entry.outcome.to_string() },
            mood: match entry.outcome {
                Outcome::Done { .. } | Outcome::Nothing | Outcome::Partly { .. } => "good",
                Outcome::Pending { .. } => "warn",
                Outcome::Incomplete { .. } | Outcome::Unknown { .. } | Outcome::Refused { .. } => {
                    "bad"
                }
            },
        }
    }
}
