//! The audit trail, the newest first, a hundred at once.

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use crate::action::Outcome;
use crate::audit::AuditEntry;
use crate::pages::answer;
use crate::pages::end::Context;
use crate::pages::frame::{Frame, Place};
use crate::pages::input::Input;
use crate::pages::moment::Moment;
use crate::shown::on_page;

/// How many entries a page has.
const LINES: usize = 100;

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    frame: Frame,
    lines: Vec<Line>,
    /// How many newer ones there are, and how many a page of older ones leaves out.
    newer: usize,
    older: Option<usize>,
}

#[derive(Deserialize)]
pub(crate) struct From {
    /// How many of the newest are left out.
    #[serde(default)]
    skip: usize,
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

pub(crate) async fn show(context: Context, Input(Query(from)): Input<Query<From>>) -> Response {
    let (State(app), Extension(admitted), mount) = context;
    let frame = Frame::of(&app, &admitted, &mount, Place::Audit);
    let entries = app.trail.entries();
    let newer = from.skip.min(entries.len());
    let lines: Vec<_> = entries.iter().skip(newer).take(LINES).map(Line::of).collect();
    let end = newer + lines.len();
    let older = (end < entries.len()).then_some(end);
    answer::page(StatusCode::OK, &AuditPage { frame, lines, newer, older })
}

impl Line {
    fn of(entry: &AuditEntry) -> Self {
        let is_refused = matches!(entry.outcome, Outcome::Refused { .. });
        let is_sign = entry.action.object().is_empty();
        Self {
            at: Moment(entry.at),
            operator: on_page(entry.operator.name()),
            address: entry.address.map(|it| it.to_string()).unwrap_or_default(),
            action: if is_refused && is_sign { "Sign-in" } else { entry.action.title() },
            object: on_page(&entry.action.object()),
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
