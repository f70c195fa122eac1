//! [`Input`] and [`SessionId`]: what a request says. Where it cannot be understood, people get a page
//! that says why, and programs JSON; never an extractor's own text.

use std::error::Error;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use cloakroom::PublicId;
use serde::Deserialize;

use crate::app::App;
use crate::door::Admitted;
use crate::mount::Mount;
use crate::pages::answer::{self, Audience};
use crate::pages::frame::{Frame, Place};
use crate::shown::on_page;

/// What an extractor has found.
#[derive(Debug)]
pub(crate) struct Input<E>(pub(crate) E);

/// The session that an address names as `{id}`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionId(pub(crate) PublicId);

/// By its name: the application's own part of the path may have parameters as well.
#[derive(Deserialize)]
struct Named {
    id: String,
}

impl<E> FromRequestParts<Arc<App>> for Input<E>
where
    E: FromRequestParts<Arc<App>>,
    E::Rejection: Error + Send,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let rejection = match E::from_request_parts(parts, app).await {
            Ok(found) => return Ok(Self(found)),
            Err(rejection) => rejection,
        };
        Err(explain(parts, app, rejection).await)
    }
}

impl<E> FromRequest<Arc<App>> for Input<E>
where
    E: FromRequest<Arc<App>>,
    E::Rejection: Error + Send,
{
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let request = Request::from_parts(parts.clone(), body);
        let rejection = match E::from_request(request, app).await {
            Ok(found) => return Ok(Self(found)),
            Err(rejection) => rejection,
        };
        Err(explain(&mut parts, app, rejection).await)
    }
}

impl FromRequestParts<Arc<App>> for SessionId {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let Input(Path(Named { id })) = Input::from_request_parts(parts, app).await?;
        match id.parse() {
            Ok(id) => Ok(Self(id)),
            Err(error) => Err(misunderstood(parts, app, StatusCode::BAD_REQUEST, &error).await),
        }
    }
}

/// The answer to what an extractor has refused, with the status that it would have answered.
async fn explain<R>(parts: &mut Parts, app: &App, rejection: R) -> Response
where
    R: Error + IntoResponse,
{
    let text = chain(&rejection);
    let status = rejection.into_response().status();
    misunderstood(parts, app, status, &text).await
}

async fn misunderstood(
    parts: &mut Parts,
    app: &App,
    status: StatusCode,
    problem: &(impl std::fmt::Display + Sync),
) -> Response {
    let problem = on_page(&problem.to_string());
    if Audience::of(parts) == Audience::Program {
        return answer::error(status, "bad_request", &problem);
    }
    let mount = Mount::of(parts).await;
    let frame = match parts.extensions.get::<Admitted>() {
        Some(admitted) => Frame::of(app, admitted, &mount, Place::Elsewhere),
        None => Frame::bare(&mount, Place::Elsewhere),
    };
    answer::misunderstood(frame, &format!("{problem}."))
}

/// An error and its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text += &format!(": {more}");
        }
        cause = error.source();
    }
    text
}
