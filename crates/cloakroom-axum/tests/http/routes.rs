//! The routes that the scenarios ask for, as `cloakroom_testkit::http` describes them.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get};
use axum::{Extension, Router};
use cloakroom::{AnyStorage, Engine, SessionStorage};
use cloakroom_axum::{
    FreshSession, PublicSession, Session, SessionHandle, SessionRejection, SessionState,
    health_routes,
};
use cloakroom_testkit::http::{
    Ask, Gates, Page, before_the_body, done_or_pending, pages, streamed,
};
use futures_util::stream;

type Answer<T = String> = Result<T, SessionRejection>;

pub(crate) fn router(engine: &Engine) -> Router {
    let pages = pages().into_iter();
    pages
        .fold(Router::new(), |router, (path, page)| router.route(path, with_session(page)))
        .route("/plain", get(|| async { "plain" }))
        .route("/fresh", get(fresh))
        .route("/optional", get(optional))
        .route("/state", get(state))
        .route("/result", get(result))
        .route("/decorated", get(decorated))
        .route("/leave", get(leave))
        .route("/refuse", get(refuse))
        .route("/stream", get(stream))
        .route("/sessions", get(sessions))
        .route("/arrived", get(arrived))
        .route("/open", get(open))
        .route("/deserted", get(deserted))
        .merge(health_routes(engine))
        .layer(Extension(Gates::default()))
        .with_state(engine.storage().clone())
}

fn with_session(page: Page) -> MethodRouter<AnyStorage> {
    get(move |session: Session, gates: Extension<Gates>, ask: Query<Ask>| async move {
        let (status, text) = page((*session).clone(), ask.0, gates.0).await?;
        Answer::Ok((StatusCode::from_u16(status).unwrap(), text))
    })
}

async fn fresh(FreshSession(session): FreshSession) -> Answer {
    Ok(session.get::<u32>("count")?.unwrap_or(0).to_string())
}

async fn optional(session: Option<Session>) -> &'static str {
    if session.is_some() { "some" } else { "none" }
}

async fn state(PublicSession(state): PublicSession) -> &'static str {
    match state {
        SessionState::Found(_) => "found",
        SessionState::Anonymous(_) => "anonymous",
        SessionState::Rejected(..) => "rejected",
        SessionState::Unavailable(_) => "unavailable",
    }
}

async fn result(session: Result<Session, SessionRejection>) -> &'static str {
    match session {
        Ok(_) => "session",
        Err(SessionRejection::Session(error)) if error.is_transient() => "transient",
        Err(_) => "failed",
    }
}

async fn decorated(session: Session) -> Answer<impl IntoResponse> {
    let headers =
        [("cache-control", "max-age=60"), ("vary", "Accept"), ("set-cookie", "theme=dark")];
    let count = session.update("count", |count: Option<u32>| count.unwrap_or(0) + 1)?;
    Ok((headers, count.to_string()))
}

async fn leave(SessionHandle(handle): SessionHandle) -> Answer<&'static str> {
    Ok(done_or_pending(handle.sign_out().await?))
}

async fn refuse(session: Session, ask: Query<Ask>) -> Result<(), (StatusCode, &'static str)> {
    session.insert("half", true).unwrap();
    Err((StatusCode::from_u16(ask.status).unwrap(), "refused"))
}

async fn stream(session: Session, gates: Extension<Gates>, ask: Query<Ask>) -> Answer<Body> {
    before_the_body(&session, &ask)?;
    let body = streamed((*session).clone(), ask.0, gates.0);
    Ok(Body::from_stream(stream::once(async { Ok::<_, Infallible>(body.await) })))
}

async fn sessions(State(storage): State<AnyStorage>) -> String {
    storage.stats().await.unwrap().total_sessions.to_string()
}

async fn arrived(gates: Extension<Gates>, ask: Query<Ask>) -> &'static str {
    gates.arrived(ask.gate.as_deref().unwrap()).await;
    "arrived"
}

async fn open(gates: Extension<Gates>, ask: Query<Ask>) -> &'static str {
    gates.open(ask.gate.as_deref().unwrap());
    "open"
}

async fn deserted(gates: Extension<Gates>, ask: Query<Ask>) -> &'static str {
    gates.deserted(ask.gate.as_deref().unwrap()).await;
    "deserted"
}
