//! The routes that the scenarios ask for, as `cloakroom_testkit::http` describes them.

use std::convert::Infallible;

use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data, Query, ServiceConfig};
use actix_web::{HttpResponse, Responder, Route};
use cloakroom::{AnyStorage, Engine, SessionStorage};
use cloakroom_actix::{
    ExistingSession, FreshSession, PublicSession, Session, SessionHandle, SessionRejection,
    SessionState, health_routes,
};
use cloakroom_testkit::http::{
    Ask, Gates, Page, before_the_body, done_or_pending, pages, streamed,
};
use futures_util::stream;

type Answer<T = String> = Result<T, SessionRejection>;

pub(crate) fn routes(engine: &Engine) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    let (engine, gates) = (engine.clone(), Gates::default());
    move |config| {
        for (path, page) in pages() {
            config.route(path, with_session(page));
        }
        config
            .app_data(Data::new(gates.clone()))
            .app_data(Data::new(engine.storage().clone()))
            .route("/plain", web::get().to(async || "plain"))
            .route("/fresh", web::get().to(fresh))
            .route("/optional", web::get().to(optional))
            .route("/state", web::get().to(state))
            .route("/result", web::get().to(result))
            .route("/decorated", web::get().to(decorated))
            .route("/leave", web::get().to(leave))
            .route("/refuse", web::get().to(refuse))
            .route("/stream", web::get().to(stream))
            .route("/sessions", web::get().to(sessions))
            .route("/arrived", web::get().to(arrived))
            .route("/open", web::get().to(open))
            .route("/deserted", web::get().to(deserted))
            .configure(health_routes(&engine));
    }
}

fn with_session(page: Page) -> Route {
    web::get().to(move |session: Session, gates: Data<Gates>, ask: Query<Ask>| {
        let page = page.clone();
        async move {
            let gates = Gates::clone(&gates);
            let (status, text) = page((*session).clone(), ask.into_inner(), gates).await?;
            Answer::Ok(HttpResponse::build(StatusCode::from_u16(status).unwrap()).body(text))
        }
    })
}

async fn fresh(FreshSession(session): FreshSession) -> Answer {
    Ok(session.get::<u32>("count")?.unwrap_or(0).to_string())
}

async fn optional(ExistingSession(session): ExistingSession) -> &'static str {
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

async fn decorated(session: Session) -> Answer<impl Responder> {
    let count = session.update("count", |count: Option<u32>| count.unwrap_or(0) + 1)?;
    let answer = count.to_string().customize().insert_header(("cache-control", "max-age=60"));
    Ok(answer.insert_header(("vary", "Accept")).insert_header(("set-cookie", "theme=dark")))
}

async fn leave(SessionHandle(handle): SessionHandle) -> Answer<&'static str> {
    Ok(done_or_pending(handle.sign_out().await?))
}

async fn refuse(session: Session, ask: Query<Ask>) -> actix_web::Result<&'static str> {
    session.insert("half", true).unwrap();
    Err(InternalError::new("refused", StatusCode::from_u16(ask.status).unwrap()).into())
}

async fn stream(session: Session, gates: Data<Gates>, ask: Query<Ask>) -> Answer<HttpResponse> {
    before_the_body(&session, &ask)?;
    let body = streamed((*session).clone(), ask.into_inner(), Gates::clone(&gates));
    let body = stream::once(async { Ok::<_, Infallible>(Bytes::from(body.await)) });
    Ok(HttpResponse::Ok().streaming(body))
}

async fn sessions(storage: Data<AnyStorage>) -> String {
    storage.stats().await.unwrap().total_sessions.to_string()
}

async fn arrived(gates: Data<Gates>, ask: Query<Ask>) -> &'static str {
    gates.arrived(ask.gate.as_deref().unwrap()).await;
    "arrived"
}

async fn open(gates: Data<Gates>, ask: Query<Ask>) -> &'static str {
    gates.open(ask.gate.as_deref().unwrap());
    "open"
}

async fn deserted(gates: Data<Gates>, ask: Query<Ask>) -> &'static str {
    gates.deserted(ask.gate.as_deref().unwrap()).await;
    "deserted"
}
