//! The routes that the scenarios ask for, as `cloakroom_testkit::http` describes them.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Extension, Router};
use cloakroom::{AnyStorage, Destroyed, Engine, FlashLevel, SessionStorage};
use cloakroom_axum::{
    PublicSession, Session, SessionHandle, SessionRejection, SessionState, health_routes,
};
use cloakroom_testkit::http::{Gates, REMEMBERED_FOR};
use futures_util::stream;
use serde::Deserialize;

type Answer<T = String> = Result<T, SessionRejection>;

/// The query of all routes; each reads what it needs.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Ask {
    k: String,
    v: String,
    r#as: String,
    gate: Option<String>,
    flash: Option<String>,
    text: String,
    status: u16,
    bytes: usize,
}

pub(crate) fn router(engine: &Engine) -> Router {
    Router::new()
        .route("/plain", get(|| async { "plain" }))
        .route("/visit", get(visit))
        .route("/optional", get(optional))
        .route("/state", get(state))
        .route("/result", get(result))
        .route("/count", get(count))
        .route("/count-if-possible", get(count_if_possible))
        .route("/decorated", get(decorated))
        .route("/empty-handed", get(empty_handed))
        .route("/set", get(set))
        .route("/get", get(read))
        .route("/names", get(names))
        .route(
            "/generation",
            get(|session: Session| async move { session.generation().to_string() }),
        )
        .route("/login", get(login))
        .route("/remember", get(remember))
        .route("/whoami", get(whoami))
        .route("/rotate", get(rotate))
        .route("/logout", get(logout))
        .route("/logout-now", get(logout_now))
        .route("/leave", get(leave))
        .route("/logout-slow", get(logout_slow))
        .route("/logout-fail", get(logout_fail))
        .route("/logout-panic", get(logout_panic))
        .route("/login-fail", get(login_fail))
        .route("/fail", get(fail))
        .route("/panic", get(panics))
        .route("/stream", get(streams))
        .route("/flash", get(flash))
        .route("/flashes", get(flashes))
        .route("/big", get(big))
        .route("/sessions", get(sessions))
        .route("/arrived", get(arrived))
        .route("/open", get(open))
        .route("/deserted", get(deserted))
        .merge(health_routes(engine))
        .layer(Extension(Gates::default()))
        .with_state(engine.storage().clone())
}

async fn visit(session: Session) -> Answer {
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

async fn count(session: Session) -> Answer {
    let count = session.update("count", |count: Option<u32>| count.unwrap_or(0) + 1)?;
    Ok(count.to_string())
}

async fn count_if_possible(session: Session) -> Answer {
    session.best_effort();
    count(session).await
}

async fn decorated(session: Session) -> Answer<impl IntoResponse> {
    let headers =
        [("cache-control", "max-age=60"), ("vary", "Accept"), ("set-cookie", "theme=dark")];
    Ok((headers, count(session).await?))
}

async fn empty_handed(session: Session) -> Answer<&'static str> {
    session.insert("k", 1)?;
    session.remove("k")?;
    session.set_idle_timeout(Duration::from_secs(60))?;
    Ok("empty")
}

async fn set(session: Session, gates: Extension<Gates>, ask: Query<Ask>) -> Answer<&'static str> {
    pass(&gates, &ask).await;
    session.insert(&ask.k, &ask.v)?;
    Ok("set")
}

async fn read(session: Session, ask: Query<Ask>) -> Answer {
    Ok(session.get::<String>(&ask.k)?.unwrap_or_default())
}

async fn names(session: Session) -> String {
    let mut names = session.field_names();
    names.sort();
    names.join(",")
}

async fn login(session: Session, gates: Extension<Gates>, ask: Query<Ask>) -> Answer {
    pass(&gates, &ask).await;
    session.set_owner(&ask.r#as)?;
    Ok(ask.0.r#as)
}

async fn remember(session: Session, ask: Query<Ask>) -> Answer {
    session.set_owner(&ask.r#as)?;
    session.remember_for(REMEMBERED_FOR)?;
    Ok(ask.0.r#as)
}

async fn whoami(session: Session) -> String {
    session.owner().unwrap_or_else(|| "nobody".to_owned())
}

async fn rotate(session: Session) -> Answer<&'static str> {
    session.rotate()?;
    Ok("rotated")
}

async fn logout(session: Session, ask: Query<Ask>) -> Answer<&'static str> {
    session.destroy()?;
    if let Some(farewell) = &ask.flash {
        session.flash(FlashLevel::Info, farewell)?;
    }
    Ok("bye")
}

async fn logout_now(session: Session) -> Answer<&'static str> {
    Ok(match session.destroy_now().await? {
        Destroyed::Pending => "pending",
        Destroyed::Removed(_) | Destroyed::Absent(_) => "done",
    })
}

async fn leave(SessionHandle(handle): SessionHandle) -> Answer<&'static str> {
    Ok(match handle.sign_out().await? {
        Destroyed::Pending => "pending",
        Destroyed::Removed(_) | Destroyed::Absent(_) => "done",
    })
}

async fn logout_slow(
    session: Session,
    gates: Extension<Gates>,
    ask: Query<Ask>,
) -> Answer<&'static str> {
    session.destroy()?;
    pass(&gates, &ask).await;
    Ok("bye")
}

async fn logout_fail(session: Session) -> Answer<StatusCode> {
    session.destroy()?;
    Ok(StatusCode::INTERNAL_SERVER_ERROR)
}

async fn logout_panic(session: Session) -> Answer<()> {
    session.destroy()?;
    panic!("this handler is meant to panic after a logout")
}

async fn login_fail(session: Session, ask: Query<Ask>) -> Answer<StatusCode> {
    session.set_owner(&ask.r#as)?;
    Ok(StatusCode::INTERNAL_SERVER_ERROR)
}

async fn fail(session: Session, ask: Query<Ask>) -> Answer<StatusCode> {
    session.insert("half", true)?;
    Ok(StatusCode::from_u16(ask.status).unwrap())
}

async fn panics(session: Session) -> Answer<()> {
    session.insert("half", true)?;
    panic!("this handler is meant to panic after a write")
}

async fn streams(session: Session, ask: Query<Ask>) -> Body {
    Body::from_stream(stream::once(async move {
        let write = session.insert("late", true).unwrap_err();
        let read: Option<String> = session.get(&ask.k).unwrap();
        Ok::<_, Infallible>(format!("write: {write}; read: {}", read.unwrap_or_default()))
    }))
}

async fn flash(session: Session, ask: Query<Ask>) -> Answer<&'static str> {
    session.flash(FlashLevel::Info, &ask.text)?;
    Ok("flashed")
}

async fn flashes(session: Session) -> Answer {
    let texts: Vec<_> =
        session.take_flashes()?.iter().map(|flash| flash.text().to_owned()).collect();
    Ok(texts.join(","))
}

async fn big(session: Session, ask: Query<Ask>) -> Answer<&'static str> {
    session.insert("big", "x".repeat(ask.bytes))?;
    Ok("secret")
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

async fn pass(gates: &Gates, ask: &Ask) {
    if let Some(gate) = &ask.gate {
        gates.pass(gate).await;
    }
}
