//! Signing in to the page, and out of it.

use std::sync::Arc;

use askama::Template;
use axum::body::{Body, to_bytes};
use axum::extract::{Form, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, RequestExt};
use cloakroom::Handle;
use cloakroom_axum::client_address;
use serde::Deserialize;

use crate::action::{Action, Outcome};
use crate::admission::MOST_BYTES;
use crate::app::App;
use crate::change;
use crate::door::{Admitted, Closed, Door, Way};
use crate::guard::Operator;
use crate::mount::Mount;
use crate::pages::answer;
use crate::pages::frame::{Frame, Place};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    frame: Frame,
    problem: Option<&'a str>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    password: String,
}

/// The form.
pub(crate) async fn show(mount: Mount) -> Response {
    page(StatusCode::OK, &mount, None)
}

/// Lets somebody in, or tells that the password was wrong.
pub(crate) async fn enter(State(app): State<Arc<App>>, mount: Mount, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let handle = parts.extensions.get::<Handle>().cloned();
    let address = client_address(&app.engine, &parts);
    if !change::is_own(&parts, &app.origins) {
        let nobody = Operator::named("");
        app.trail.refuse(&nobody, address, Action::SignIn, answer::FOREIGN.in_trail());
        return answer::refuse(&parts, &mount, answer::FOREIGN);
    }
    let Ok(bytes) = to_bytes(body, MOST_BYTES).await else {
        return answer::refuse(&parts, &mount, answer::TOO_LARGE);
    };
    let request = Request::from_parts(parts, Body::from(bytes));
    let Ok(Form(entry)) = request.extract::<Form<Entry>, _>().await else {
        return page(StatusCode::BAD_REQUEST, &mount, Some("Please fill in both fields."));
    };
    let (Door::Operators(gate), Some(handle)) = (&app.door, handle) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let operator = match gate.check(&entry.name, &entry.password, address) {
        Ok(operator) => operator,
        Err(Closed::Slow(wait)) => {
            app.trail.refuse(
                &gate.named(&entry.name),
                address,
                Action::SignIn,
                "too many wrong passwords",
            );
            let seconds = wait.as_secs() + 1;
            let problem = format!("Too many wrong passwords. Please wait {seconds} seconds.");
            return page(StatusCode::TOO_MANY_REQUESTS, &mount, Some(&problem));
        }
        Err(_) => {
            app.trail.refuse(&gate.named(&entry.name), address, Action::SignIn, "wrong password");
            let problem = "The name or the password is wrong.";
            return page(StatusCode::UNAUTHORIZED, &mount, Some(problem));
        }
    };
    let signed_in = match handle.load().await {
        Ok(session) => gate.sign_in(&session, &operator),
        Err(error) => Err(error),
    };
    if signed_in.is_err() {
        return page(StatusCode::SERVICE_UNAVAILABLE, &mount, Some("Please try again."));
    }
    app.trail.record(&operator, address, Action::SignIn, Outcome::Done { ended: 0 });
    Redirect::to(mount.home()).into_response()
}

/// Lets somebody out.
pub(crate) async fn leave(
    State(app): State<Arc<App>>,
    Extension(admitted): Extension<Admitted>,
    mount: Mount,
    parts: Parts,
) -> Response {
    if admitted.way == Way::Form
        && let Some(handle) = parts.extensions.get::<Handle>()
    {
        // The sign-ins lie in this process's memory, which always answers.
        let _ = handle.sign_out().await;
        let outcome = Outcome::Done { ended: 1 };
        app.trail.record(&admitted.operator, admitted.address, Action::SignOut, outcome);
    }
    Redirect::to(mount.home()).into_response()
}

fn page(status: StatusCode, mount: &Mount, problem: Option<&str>) -> Response {
    let frame = Frame::bare(mount, Place::SignIn);
    answer::page(status, &SignInPage { frame, problem })
}
