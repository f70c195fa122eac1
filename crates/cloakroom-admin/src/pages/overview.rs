//! The overview: a page without figures, which its script fills and keeps up to date.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::app::App;
use crate::door::Admitted;
use crate::mount::Mount;
use crate::observer::Seen;
use crate::pages::answer;
use crate::pages::frame::{Frame, Place};

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    /// Whether the application's own requests are seen here.
    sees_application: bool,
}

pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Extension(admitted): Extension<Admitted>,
    mount: Mount,
) -> Response {
    let frame = Frame::of(&app, &admitted, &mount, Place::Overview);
    let seen = app.observer.as_ref().map(crate::AdminObserver::seen);
    let sees_application = seen == Some(Seen::Application);
    answer::page(StatusCode::OK, &OverviewPage { frame, sees_application })
}
