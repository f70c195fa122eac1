//! What is axum's own: a forgotten layer, dropped handlers, and what other layers can see.

use axum::body::Body;
use axum::http::header::SET_COOKIE;
use axum::http::{Request, StatusCode};
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use cloakroom::{Engine, MemorySessionStorage, Policy};
use cloakroom_axum::{Session, SessionLayer, SessionRejection};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::RedisServer;
use cloakroom_testkit::http::{HttpClient, Site};
use http_body_util::BodyExt;
use tower::{ServiceBuilder, ServiceExt};

use crate::app::{TwoNodes, application};
use crate::node::{redis_storage, serve};

async fn ask(router: Router) -> Response {
    router.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_forgotten_layer_is_an_opaque_500_that_names_the_remedy_inside() {
    for router in [
        Router::new().route("/", get(|_: Session| async {})),
        Router::new().route("/", get(|_: Option<Session>| async {})),
    ] {
        let response = ask(router).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let rejection = response.extensions().get::<SessionRejection>().unwrap();
        assert!(matches!(rejection, SessionRejection::MissingLayer));
        assert!(rejection.to_string().contains("add `.layer(SessionLayer::new(engine))`"));
        let body = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
        assert_eq!(body, "Something went wrong.");
    }
}

#[tokio::test]
async fn a_handler_can_answer_a_forgotten_layer_itself() {
    let own = |session: Result<Session, SessionRejection>| async move {
        session.map(|_| "session").map_err(|error| (StatusCode::IM_A_TEAPOT, error.to_string()))
    };
    let response = ask(Router::new().route("/", get(own))).await;
    assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
}

#[tokio::test]
async fn a_middleware_outside_the_layer_can_show_a_page_of_its_own() {
    async fn page(response: Response) -> Response {
        match response.extensions().get::<SessionRejection>() {
            Some(rejection) => (rejection.status(), "our own page").into_response(),
            None => response,
        }
    }
    let too_big = |session: Session| async move {
        session.insert("big", "x".repeat(100_000))?;
        Ok::<_, SessionRejection>("stored")
    };
    let engine = Engine::builder(MemorySessionStorage::new()).build().unwrap();
    let router = Router::new().route("/", get(too_big)).layer(SessionLayer::new(engine));
    let response = ask(router.layer(map_response(page))).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let body = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
    assert_eq!(body, "our own page");
}

#[tokio::test]
async fn one_request_has_one_session_however_often_it_is_asked_for() {
    let twice = |one: Session, other: Option<Session>, again: Session| async move {
        assert!(other.is_none(), "there was none when the request came");
        one.insert("k", 1).unwrap();
        again.get::<u32>("k").unwrap().unwrap().to_string()
    };
    let engine = Engine::builder(MemorySessionStorage::new()).build().unwrap();
    let response =
        ask(Router::new().route("/", get(twice)).layer(SessionLayer::new(&engine))).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers().get_all("set-cookie").iter().count(), 1);
}

/// A layer between the session layer and the routes that changes the type of the body, as those
/// for compression and tracing do.
#[tokio::test]
async fn a_layer_inside_may_answer_with_a_body_of_its_own() {
    let engine = Engine::builder(MemorySessionStorage::new()).build().unwrap();
    let write =
        |session: Session| async move { session.insert("k", 1).map(|()| "stored").unwrap() };
    let shouting = |body: Body| body.map_frame(|frame| frame.map_data(|_| "STORED".into()));
    let service = ServiceBuilder::new()
        .layer(SessionLayer::new(engine))
        .map_response(move |response: Response| response.map(shouting))
        .service(Router::new().route("/", get(write)));
    let response = service.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    assert!(response.headers().contains_key("set-cookie"));
    let body = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
    assert_eq!(body, "STORED");
}

#[tokio::test]
async fn a_ticket_does_not_show_in_the_debug_output_of_an_answer() {
    let engine = Engine::builder(MemorySessionStorage::new()).build().unwrap();
    let write = |session: Session| async move { session.insert("k", 1).unwrap() };
    let response = ask(Router::new().route("/", get(write)).layer(SessionLayer::new(engine))).await;
    let ticket = response.headers()["set-cookie"].to_str().unwrap()[10..40].to_owned();
    assert!(!format!("{response:?}").contains(&ticket));
}

/// axum drops a handler whose client has hung up; what it had changed until then is discarded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_dropped_by_a_disconnect_changes_nothing() {
    let storage = MemorySessionStorage::new();
    let site = TwoNodes::start(storage.clone(), storage).await;
    let mut client = HttpClient::new(site.nodes()[0]);
    client.text("/set?k=v&v=kept").await;
    let impatient = client.begin("/set?k=late&v=late&gate=g").await;
    client.text("/arrived?gate=g").await;
    drop(impatient);
    client.text("/deserted?gate=g").await;
    client.text("/open?gate=g").await;
    assert_eq!(client.text("/names").await, "v");
}

/// Two applications on one Redis, each with its own prefix: a ticket of the one opens nothing in
/// the other, and cannot touch what lies there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_of_another_prefix_opens_nothing() {
    let redis = RedisServer::start().await.unwrap();
    let other = RedisSessionStorage::builder().url(redis.url()).prefix("other:").pool_size(1);
    let (ours, _ours) = serve(application(redis_storage(&redis).await)).await;
    let (theirs, _theirs) = serve(application(other.build().await.unwrap())).await;
    let mut client = HttpClient::new(ours);
    client.text("/login?as=ada").await;

    let mut stranger = client.at(theirs);
    assert_eq!(stranger.text("/whoami").await, "nobody");
    let mut stranger = client.at(theirs);
    stranger.text("/logout").await;
    assert_eq!(client.text("/whoami").await, "ada");
}

#[tokio::test]
async fn without_connect_info_the_user_agent_alone_is_compared() {
    let engine = Engine::builder(MemorySessionStorage::new()).build().unwrap();
    let whoami = |session: Session| async move { session.owner().unwrap_or_default() };
    let sign_in = |session: Session| async move { session.set_owner("ada").unwrap() };
    let router = Router::new().route("/", get(whoami)).route("/in", get(sign_in));
    let router = router.layer(SessionLayer::new(engine)).layer(Extension(()));
    let ask = |target: &str, agent: &str, cookie: &str| {
        let request = Request::get(target).header("user-agent", agent).header("cookie", cookie);
        router.clone().oneshot(request.body(Body::empty()).unwrap())
    };
    let response = ask("/in", "Browser/1", "").await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    let pair = cookie.split(';').next().unwrap();
    assert!(pair.starts_with(&Policy::default().cookie.name));
    for (agent, owner) in [("Browser/1", "ada"), ("Browser/2", "")] {
        let response = ask("/", agent, pair).await.unwrap();
        let body = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
        assert_eq!(body, owner, "{agent}");
    }
}

#[tokio::test]
async fn a_layer_within_another_one_of_the_same_engine_leaves_the_session_to_that() {
    let engine = Engine::builder(MemorySessionStorage::new()).build().unwrap();
    async fn guard(session: Session, request: Request<Body>, next: Next) -> Response {
        session.insert("seen", 1).unwrap();
        next.run(request).await
    }
    let sign_in = |session: Session| async move {
        assert_eq!(session.get::<u32>("seen").unwrap(), Some(1));
        session.set_owner("ann").map(|()| "signed in").map_err(SessionRejection::from)
    };
    let inner = Router::new().route("/", get(sign_in)).layer(SessionLayer::new(&engine));
    let outer = inner.layer(from_fn(guard)).layer(SessionLayer::new(&engine));
    let response = ask(outer).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers().get_all(SET_COOKIE).iter().count(), 1);
    assert_eq!(engine.sessions_of("ann").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_layer_within_that_of_another_engine_has_sessions_of_its_own() {
    let engine = |cookie: &str| {
        let mut policy = Policy::default();
        policy.cookie.name = cookie.to_owned();
        Engine::builder(MemorySessionStorage::new()).policy(policy).build().unwrap()
    };
    let write = |session: Session| async move { session.insert("k", 1).unwrap() };
    let read = async |session: Session, request: Request<Body>, next: Next| {
        session.insert("outer", 1).unwrap();
        next.run(request).await
    };
    let inner = Router::new().route("/", get(write)).layer(SessionLayer::new(engine("__Host-a")));
    let response =
        ask(inner.layer(from_fn(read)).layer(SessionLayer::new(engine("__Host-b")))).await;
    let cookies = response.headers().get_all(SET_COOKIE).iter();
    let names: Vec<_> = cookies.map(|it| it.to_str().unwrap().split('=').next().unwrap()).collect();
    assert_eq!(names, ["__Host-a", "__Host-b"]);
}
