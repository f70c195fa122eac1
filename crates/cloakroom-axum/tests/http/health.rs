//! What the policy and the application may decide about an outage: the answer to a pending sign-out,
//! readiness, and how much of the storage's health is shown.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cloakroom::{Engine, PendingSignOut, Policy, Readiness, Rejection};
use cloakroom_axum::{
    HealthDetail, PublicSession, Session, SessionLayer, SessionState, health_routes, readiness,
};
use cloakroom_testkit::{AilingStorage, Mood};
use tower::ServiceExt;

fn engine(change: impl FnOnce(&mut Policy)) -> (Engine, AilingStorage) {
    let storage = AilingStorage::default();
    let mut policy = Policy::default();
    change(&mut policy);
    (Engine::builder(storage.clone()).policy(policy).build().unwrap(), storage)
}

async fn ask(router: &Router, target: &str, cookie: &str) -> Response {
    let request = Request::get(target).header("cookie", cookie).body(Body::empty()).unwrap();
    router.clone().oneshot(request).await.unwrap()
}

async fn text(response: Response) -> String {
    let body = axum::body::to_bytes(response.into_body(), 65_536).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

fn application(engine: &Engine) -> Router {
    let sign_in = |session: Session| async move { session.set_owner("ada").unwrap() };
    let sign_out = |session: Session| async move {
        session.destroy().unwrap();
        "bye"
    };
    let router = Router::new().route("/in", get(sign_in)).route("/out", get(sign_out));
    router.layer(SessionLayer::new(engine))
}

/// A pending sign-out, in an application that may look at the answer.
async fn pending_sign_out(wanted: PendingSignOut, look: fn(Response) -> Response) -> Response {
    let (engine, storage) = engine(|policy| policy.outage.pending_sign_out = wanted);
    let router =
        application(&engine).layer(map_response(move |response| async move { look(response) }));
    let signed_in = ask(&router, "/in", "").await;
    let cookie = signed_in.headers()["set-cookie"].to_str().unwrap().to_owned();
    storage.writes(Mood::Down);
    ask(&router, "/out", cookie.split(';').next().unwrap()).await
}

#[tokio::test]
async fn a_policy_may_answer_a_pending_sign_out_with_503() {
    let response = pending_sign_out(PendingSignOut::Unavailable, |response| response).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "1");
    assert!(response.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    assert!(text(response).await.contains("not complete yet"));
}

#[tokio::test]
async fn a_middleware_can_word_the_answer_to_a_pending_sign_out() {
    let response = pending_sign_out(PendingSignOut::Accepted, |response| {
        let Some(PendingSignOut::Accepted) = response.extensions().get() else { return response };
        let (parts, _) = response.into_parts();
        (parts.status, parts.headers, "<p>Nearly signed out.</p>").into_response()
    });
    let response = response.await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    assert!(response.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
}

#[tokio::test]
async fn readiness_fails_only_where_the_policy_says_so() {
    for wanted in [Readiness::Ready, Readiness::NotReady] {
        let (engine, storage) = engine(|policy| policy.outage.readiness = wanted);
        let router = health_routes(&engine);
        assert_eq!(ask(&router, "/readyz", "").await.status(), StatusCode::OK);
        storage.reads(Mood::Down);
        let down = ask(&router, "/readyz", "").await;
        let expected = match wanted {
            Readiness::Ready => StatusCode::OK,
            Readiness::NotReady => StatusCode::SERVICE_UNAVAILABLE,
        };
        assert_eq!(down.status(), expected);
        assert_eq!(text(down).await, r#"{"status":"unavailable"}"#);
        assert_eq!(ask(&router, "/livez", "").await.status(), StatusCode::OK);
        storage.recover().await;
        assert_eq!(ask(&router, "/readyz", "").await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn addresses_of_servers_are_shown_only_where_they_are_asked_for() {
    let (engine, _) = engine(|_| {});
    let router: Router = health_routes(&engine);
    let router = router.route("/health", readiness(&engine, HealthDetail::Everything));
    assert_eq!(text(ask(&router, "/readyz", "").await).await, r#"{"status":"healthy"}"#);
    let health: serde_json::Value =
        serde_json::from_str(&text(ask(&router, "/health", "").await).await).unwrap();
    assert_eq!(health["status"], "healthy");
    assert_eq!(health["nodes"][0]["address"], "ward:1");
}

#[tokio::test]
async fn a_public_session_is_a_session_like_any_other_while_the_storage_is_well() {
    let (engine, _) = engine(|_| {});
    let count = |PublicSession(state): PublicSession| async move {
        let rejected = matches!(state, SessionState::Rejected(_, Rejection::Unknown));
        let session = state.into_session().unwrap();
        let count = session.update("count", |count: Option<u32>| count.unwrap_or(0) + 1).unwrap();
        format!("{count} {rejected}")
    };
    let router = Router::new().route("/", get(count)).layer(SessionLayer::new(&engine));
    let first = ask(&router, "/", "").await;
    let cookie = first.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert_eq!(text(first).await, "1 false");
    let cookie = cookie.split(';').next().unwrap();
    assert_eq!(text(ask(&router, "/", cookie).await).await, "2 false");
}

#[tokio::test]
async fn a_public_route_without_the_layer_is_a_mistake_and_no_outage() {
    let router: Router = Router::new().route("/", get(|_: PublicSession| async {}));
    let response = ask(&router, "/", "").await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}
