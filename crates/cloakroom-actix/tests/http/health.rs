//! What the policy and the application may decide about an outage: the answer to a pending sign-out,
//! readiness, and how much of the storage's health is shown.

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, Error, web};
use cloakroom::{Engine, PendingSignOut, Policy, Readiness, Rejection};
use cloakroom_actix::{
    HealthDetail, PublicSession, Session, SessionMiddleware, SessionState, health_routes, readiness,
};
use cloakroom_testkit::{AilingStorage, Mood};

fn engine(change: impl FnOnce(&mut Policy)) -> (Engine, AilingStorage) {
    let storage = AilingStorage::default();
    let mut policy = Policy::default();
    change(&mut policy);
    (Engine::builder(storage.clone()).policy(policy).build().unwrap(), storage)
}

async fn text(response: ServiceResponse<impl MessageBody>) -> String {
    String::from_utf8(read_body(response).await.to_vec()).unwrap()
}

fn cookie<B>(response: &ServiceResponse<B>) -> String {
    response.headers().get("set-cookie").unwrap().to_str().unwrap().to_owned()
}

async fn page(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    let pending: Option<PendingSignOut> = response.response().extensions().get().copied();
    Ok(match pending {
        Some(PendingSignOut::Accepted) => {
            response.map_body(|_, _| "<p>Nearly signed out.</p>").map_into_boxed_body()
        }
        _ => response,
    })
}

/// A pending sign-out, in an application that words the accepted ones itself.
async fn pending_sign_out(wanted: PendingSignOut) -> ServiceResponse {
    let (engine, storage) = engine(|policy| policy.outage.pending_sign_out = wanted);
    let sign_in = async |session: Session| session.set_owner("ada").map(|()| "in").unwrap();
    let sign_out = async |session: Session| session.destroy().map(|()| "bye").unwrap();
    let app = App::new().route("/in", web::get().to(sign_in));
    let app = app.route("/out", web::get().to(sign_out)).wrap(SessionMiddleware::new(&engine));
    let app = init_service(app.wrap(from_fn(page))).await;
    let signed_in = call_service(&app, TestRequest::get().uri("/in").to_request()).await;
    let cookie = cookie(&signed_in);
    storage.writes(Mood::Down);
    let request = TestRequest::get().uri("/out");
    let request = request.insert_header(("cookie", cookie.split(';').next().unwrap()));
    call_service(&app, request.to_request()).await
}

#[tokio::test]
async fn a_policy_may_answer_a_pending_sign_out_with_503() {
    let response = pending_sign_out(PendingSignOut::Unavailable).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers().get("retry-after").unwrap(), "1");
    assert!(cookie(&response).contains("Max-Age=0"));
    assert!(text(response).await.contains("not complete yet"));
}

#[tokio::test]
async fn a_middleware_can_word_the_answer_to_a_pending_sign_out() {
    let response = pending_sign_out(PendingSignOut::Accepted).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    assert!(cookie(&response).contains("Max-Age=0"));
    assert_eq!(text(response).await, "<p>Nearly signed out.</p>");
}

#[tokio::test]
async fn readiness_fails_only_where_the_policy_says_so() {
    for wanted in [Readiness::Ready, Readiness::NotReady] {
        let (engine, storage) = engine(|policy| policy.outage.readiness = wanted);
        let app = init_service(App::new().configure(health_routes(&engine))).await;
        let ask = |path| call_service(&app, TestRequest::get().uri(path).to_request());
        assert_eq!(ask("/readyz").await.status(), StatusCode::OK);
        storage.reads(Mood::Down);
        let down = ask("/readyz").await;
        let expected = match wanted {
            Readiness::Ready => StatusCode::OK,
            Readiness::NotReady => StatusCode::SERVICE_UNAVAILABLE,
        };
        assert_eq!(down.status(), expected);
        assert_eq!(text(down).await, r#"{"status":"unavailable"}"#);
        assert_eq!(ask("/livez").await.status(), StatusCode::OK);
        storage.recover().await;
        assert_eq!(ask("/readyz").await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn a_probe_may_ask_for_the_head_alone() {
    let (engine, _) = engine(|_| {});
    let app = init_service(App::new().configure(health_routes(&engine))).await;
    for path in ["/livez", "/readyz"] {
        let head = TestRequest::default().method(actix_web::http::Method::HEAD).uri(path);
        assert_eq!(call_service(&app, head.to_request()).await.status(), StatusCode::OK);
        let post = TestRequest::post().uri(path).to_request();
        assert_ne!(call_service(&app, post).await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn addresses_of_servers_are_shown_only_where_they_are_asked_for() {
    let (engine, _) = engine(|_| {});
    let app = App::new().configure(health_routes(&engine));
    let app = app.route("/health", readiness(&engine, HealthDetail::Everything));
    let app = init_service(app).await;
    let ask = |path| call_service(&app, TestRequest::get().uri(path).to_request());
    assert_eq!(text(ask("/readyz").await).await, r#"{"status":"healthy"}"#);
    let health: serde_json::Value =
        serde_json::from_str(&text(ask("/health").await).await).unwrap();
    assert_eq!(health["status"], "healthy");
    assert_eq!(health["nodes"][0]["address"], "ward:1");
}

#[tokio::test]
async fn a_public_session_is_a_session_like_any_other_while_the_storage_is_well() {
    let (engine, _) = engine(|_| {});
    let count = async |PublicSession(state): PublicSession| {
        let rejected = matches!(state, SessionState::Rejected(_, Rejection::Unknown));
        let session = state.into_session().unwrap();
        let count = session.update("count", |count: Option<u32>| count.unwrap_or(0) + 1).unwrap();
        format!("{count} {rejected}")
    };
    let app = App::new().route("/", web::get().to(count)).wrap(SessionMiddleware::new(&engine));
    let app = init_service(app).await;
    let first = app.call(TestRequest::get().to_request()).await.unwrap();
    let cookie = cookie(&first);
    assert_eq!(text(first).await, "1 false");
    let pair = cookie.split(';').next().unwrap();
    let request = TestRequest::get().insert_header(("cookie", pair)).to_request();
    assert_eq!(text(call_service(&app, request).await).await, "2 false");
}
