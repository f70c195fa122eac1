//! What is actix-web's own: a forgotten middleware, clients that hang up, errors of other
//! middlewares, and what these can see.

use std::time::Duration;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::http::header::SET_COOKIE;
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, Error, HttpResponse, web};
use cloakroom::{Engine, MemorySessionStorage, PendingSignOut};
use cloakroom_actix::{
    ExistingSession, PublicSession, Session, SessionMiddleware, SessionRejection,
};
use cloakroom_testkit::http::{HttpClient, Site};
use cloakroom_testkit::{AilingStorage, Mood};

use crate::app::{HalfClosed, TwoNodes, serve};
use crate::routes;

/// A server that has not done it by then never will.
const LIMIT: Duration = Duration::from_secs(20);

fn engine() -> Engine {
    Engine::builder(MemorySessionStorage::new()).build().unwrap()
}

fn rejection<B>(response: &ServiceResponse<B>) -> Option<&SessionRejection> {
    response.response().error()?.as_error()
}

#[tokio::test]
async fn a_forgotten_middleware_is_an_opaque_500_that_names_the_remedy_inside() {
    let app = App::new()
        .route("/session", web::get().to(async |_: Session| ""))
        .route("/existing", web::get().to(async |_: ExistingSession| ""))
        .route("/public", web::get().to(async |_: PublicSession| ""));
    let app = init_service(app).await;
    for path in ["/session", "/existing", "/public"] {
        let response = call_service(&app, TestRequest::get().uri(path).to_request()).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let rejection = rejection(&response).unwrap();
        assert!(matches!(rejection, SessionRejection::MissingLayer));
        assert!(rejection.to_string().contains("add `.wrap(SessionMiddleware::new(&engine))`"));
        assert_eq!(read_body(response).await, "Something went wrong.");
    }
}

#[tokio::test]
async fn a_handler_can_answer_a_forgotten_middleware_itself() {
    let own = async |session: Result<Session, SessionRejection>| match session {
        Ok(_) => HttpResponse::Ok().finish(),
        Err(error) => HttpResponse::ImATeapot().body(error.to_string()),
    };
    let app = init_service(App::new().route("/", web::get().to(own))).await;
    let response = call_service(&app, TestRequest::get().to_request()).await;
    assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
}

#[tokio::test]
async fn a_middleware_outside_can_show_a_page_of_its_own() {
    async fn page<B: MessageBody>(
        request: ServiceRequest,
        next: Next<B>,
    ) -> Result<ServiceResponse<EitherBody<B>>, Error> {
        let response = next.call(request).await?;
        Ok(match rejection(&response).map(SessionRejection::status) {
            Some(status) => {
                let page = HttpResponse::build(status).body("our own page");
                response.into_response(page).map_into_right_body()
            }
            None => response.map_into_left_body(),
        })
    }
    let too_big = async |session: Session| {
        session.insert("big", "x".repeat(100_000))?;
        Ok::<_, SessionRejection>("stored")
    };
    let app = App::new().route("/", web::get().to(too_big));
    let app = app.wrap(SessionMiddleware::new(engine())).wrap(from_fn(page));
    let response = call_service(&init_service(app).await, TestRequest::get().to_request()).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(read_body(response).await, "our own page");
}

#[tokio::test]
async fn one_request_has_one_session_however_often_it_is_asked_for() {
    let twice = async |one: Session, other: ExistingSession, again: Session| {
        assert!(other.0.is_none(), "there was none when the request came");
        one.insert("k", 1).unwrap();
        again.get::<u32>("k").unwrap().unwrap().to_string()
    };
    let app = App::new().route("/", web::get().to(twice)).wrap(SessionMiddleware::new(engine()));
    let response = call_service(&init_service(app).await, TestRequest::get().to_request()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers().get_all("set-cookie").count(), 1);
}

/// A middleware between the session's and the routes that changes the type of the body, as those for
/// compression and logging do.
#[tokio::test]
async fn a_middleware_inside_may_answer_with_a_body_of_its_own() {
    async fn shout(
        request: ServiceRequest,
        next: Next<BoxBody>,
    ) -> Result<ServiceResponse<&'static str>, Error> {
        Ok(next.call(request).await?.map_body(|_, _| "STORED"))
    }
    let write = async |session: Session| session.insert("k", 1).map(|()| "stored").unwrap();
    let app = App::new().route("/", web::get().to(write));
    let app = app.wrap(from_fn(shout)).wrap(SessionMiddleware::new(engine()));
    let response = call_service(&init_service(app).await, TestRequest::get().to_request()).await;
    assert!(response.headers().contains_key("set-cookie"));
    assert_eq!(read_body(response).await, "STORED");
}

#[tokio::test]
async fn a_ticket_does_not_show_in_the_debug_output_of_an_answer() {
    let write = async |session: Session| session.insert("k", 1).map(|()| "").unwrap();
    let app = App::new().route("/", web::get().to(write)).wrap(SessionMiddleware::new(engine()));
    let response = call_service(&init_service(app).await, TestRequest::get().to_request()).await;
    let ticket = response.headers().get("set-cookie").unwrap().to_str().unwrap()[10..40].to_owned();
    assert!(!format!("{response:?}").contains(&ticket));
}

#[tokio::test]
async fn an_error_of_a_middleware_inside_counts_as_its_status() {
    for (status, kept) in [(StatusCode::FORBIDDEN, true), (StatusCode::BAD_GATEWAY, false)] {
        let fail = move |request: ServiceRequest, next: Next<BoxBody>| async move {
            next.call(request).await?;
            Err::<ServiceResponse, Error>(InternalError::new("inside", status).into())
        };
        let write = async |session: Session| session.insert("k", 1).map(|()| "stored").unwrap();
        let app = App::new().route("/", web::get().to(write)).wrap(from_fn(fail));
        let app = init_service(app.wrap(SessionMiddleware::new(engine()))).await;
        let error = app.call(TestRequest::get().to_request()).await.unwrap_err();
        let response = error.error_response();
        assert_eq!(response.status(), status);
        assert_eq!(response.headers().contains_key("set-cookie"), kept);
        assert_eq!(error.to_string(), "inside");
    }
}

/// An error may carry what a visitor takes for a success, as a redirect to the next page.
#[tokio::test]
async fn an_error_of_a_middleware_inside_does_not_hide_a_failed_commit() {
    let storage = AilingStorage::default();
    let engine = Engine::builder(storage.clone()).build().unwrap();
    let redirect = async |request: ServiceRequest, next: Next<BoxBody>| {
        next.call(request).await?;
        Err::<ServiceResponse, Error>(InternalError::new("next", StatusCode::SEE_OTHER).into())
    };
    let write = async |session: Session| session.insert("k", 1).map(|()| "stored").unwrap();
    let app = App::new().route("/", web::get().to(write)).wrap(from_fn(redirect));
    let app = init_service(app.wrap(SessionMiddleware::new(&engine))).await;
    storage.writes(Mood::Down);
    let error = app.call(TestRequest::get().to_request()).await.unwrap_err();
    assert!(matches!(error.as_error(), Some(SessionRejection::Session(_))), "{error}");
    let response = error.error_response();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(!response.headers().contains_key("set-cookie"));
}

#[tokio::test]
async fn an_error_of_a_middleware_inside_does_not_hide_a_pending_sign_out() {
    let storage = AilingStorage::default();
    let engine = Engine::builder(storage.clone()).build().unwrap();
    let fail = async |request: ServiceRequest, next: Next<BoxBody>| {
        let is_out = request.path() == "/out";
        let response = next.call(request).await?;
        if is_out { Err(InternalError::new("gone", StatusCode::GONE).into()) } else { Ok(response) }
    };
    let sign_in = async |session: Session| session.set_owner("ada").map(|()| "in").unwrap();
    let sign_out = async |session: Session| session.destroy().map(|()| "out").unwrap();
    let app = App::new().route("/in", web::get().to(sign_in));
    let app = app.route("/out", web::get().to(sign_out)).wrap(from_fn(fail));
    let app = init_service(app.wrap(SessionMiddleware::new(&engine))).await;
    let response = app.call(TestRequest::get().uri("/in").to_request()).await.unwrap();
    let cookie = response.headers().get("set-cookie").unwrap().to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    storage.writes(Mood::Down);
    let request = TestRequest::get().uri("/out").insert_header(("cookie", cookie)).to_request();
    let response = app.call(request).await.unwrap_err().error_response();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    assert_eq!(response.extensions().get(), Some(&PendingSignOut::Accepted));
    let cookie = response.headers().get("set-cookie").unwrap().to_str().unwrap();
    assert!(cookie.ends_with("Max-Age=0"), "{cookie}");
}

/// actix-web lets a handler finish whose client has hung up, and what it changes is committed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_finishes_although_its_client_has_hung_up() {
    let storage = MemorySessionStorage::new();
    let site = TwoNodes::start(storage.clone(), storage).await;
    let mut client = HttpClient::new(site.nodes()[0]);
    client.text("/set?k=v&v=kept").await;
    let impatient = client.begin("/set?k=late&v=late&gate=g").await;
    client.text("/arrived?gate=g").await;
    drop(impatient);
    client.text("/open?gate=g").await;
    let committed = async { while client.text("/names").await != "late,v" {} };
    tokio::time::timeout(LIMIT, committed).await.unwrap();
}

/// Where it is told not to, it drops the handler; what that had changed until then is discarded, and
/// a sign-out is carried out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_dropped_by_a_disconnect_changes_nothing_and_still_signs_out() {
    let engine = engine();
    let node = serve(&engine, routes::routes(&engine), HalfClosed::Dropped);
    let mut client = HttpClient::new(node.address);
    client.text("/set?k=v&v=kept").await;
    let impatient = client.begin("/pair?gate=pair").await;
    client.text("/arrived?gate=pair").await;
    drop(impatient);
    client.text("/deserted?gate=pair").await;
    assert_eq!(client.text("/names").await, "v");

    let impatient = client.begin("/logout-slow?gate=out").await;
    client.text("/arrived?gate=out").await;
    drop(impatient);
    client.text("/deserted?gate=out").await;
    let ended = async { while client.clone().text("/optional").await != "none" {} };
    tokio::time::timeout(LIMIT, ended).await.unwrap();
}

#[tokio::test]
async fn without_a_peers_address_the_user_agent_alone_is_compared() {
    let whoami = async |session: Session| session.owner().unwrap_or_default();
    let sign_in = async |session: Session| session.set_owner("ada").map(|()| "").unwrap();
    let app = App::new().route("/", web::get().to(whoami)).route("/in", web::get().to(sign_in));
    let app = init_service(app.wrap(SessionMiddleware::new(engine()))).await;
    let ask = |target: &str, agent: &str, cookie: &str| {
        let request = TestRequest::get().uri(target).insert_header(("cookie", cookie));
        call_service(&app, request.insert_header(("user-agent", agent)).to_request())
    };
    let response = ask("/in", "Browser/1", "").await;
    let cookie = response.headers().get("set-cookie").unwrap().to_str().unwrap().to_owned();
    let pair = cookie.split(';').next().unwrap();
    for (agent, owner) in [("Browser/1", "ada"), ("Browser/2", "")] {
        assert_eq!(read_body(ask("/", agent, pair).await).await, owner, "{agent}");
    }
}

#[tokio::test]
async fn a_middleware_within_another_one_of_the_same_engine_leaves_the_session_to_that() {
    async fn guard(
        session: Session,
        request: ServiceRequest,
        next: Next<impl MessageBody>,
    ) -> Result<ServiceResponse<impl MessageBody>, Error> {
        session.insert("seen", 1).unwrap();
        next.call(request).await
    }
    let sign_in = async |session: Session| {
        assert_eq!(session.get::<u32>("seen").unwrap(), Some(1));
        session.set_owner("ann").map(|()| "signed in").map_err(SessionRejection::from)
    };
    let engine = engine();
    let inner = web::scope("").wrap(SessionMiddleware::new(&engine));
    let app = App::new()
        .service(inner.route("/", web::get().to(sign_in)))
        .wrap(from_fn(guard))
        .wrap(SessionMiddleware::new(&engine));
    let response = call_service(&init_service(app).await, TestRequest::get().to_request()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers().get_all(SET_COOKIE).count(), 1);
    assert_eq!(engine.sessions_of("ann").await.unwrap().len(), 1);
}
