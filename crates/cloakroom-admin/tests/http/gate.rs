//! The way in with a password: who is kept out, who is not, and for how long somebody is in.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit};
use axum::http::{Request, StatusCode};
use cloakroom::{Engine, MemorySessionStorage, Policy};
use cloakroom_admin::AdminPage;
use cloakroom_axum::SessionLayer;
use cloakroom_testkit::ManualClock;

use crate::site::{Browser, HOST, PASSWORD, Site, operators, visit};

fn engine() -> Engine {
    Engine::builder(MemorySessionStorage::new()).build().unwrap()
}

fn mounted(page: AdminPage) -> Router {
    Router::new().nest("/admin", page.router().unwrap())
}

/// The form, as a proxy passes it on.
fn entry(browser: &Browser, password: &str, forwarded_for: &str) -> Request<Body> {
    let request = browser
        .request("POST", "/admin/sign-in")
        .header("origin", format!("https://{HOST}"))
        .header("x-forwarded-for", forwarded_for)
        .header("content-type", "application/x-www-form-urlencoded");
    request.body(Body::from(format!("name=ada&password={password}"))).unwrap()
}

#[tokio::test(start_paused = true)]
async fn wrong_passwords_now_and_then_keep_no_operator_out() {
    let site = Site::new();
    let (mut outsider, mut program) = (site.browser(), site.browser());
    for _ in 0..20 {
        assert_eq!(outsider.sign_in("ada", "wrong").await.status, StatusCode::UNAUTHORIZED);
    }
    // The same network, as behind a proxy that nobody has named.
    let mut ada = site.operator().await;
    assert_eq!(ada.get("/admin").await.status, StatusCode::OK);
    let request = program.request("GET", "/admin/api/audit");
    let request = request.header("authorization", format!("Bearer {PASSWORD}"));
    let got = program.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(got.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn behind_a_trusted_proxy_guesses_are_counted_and_audited_by_the_visitors_address() {
    let mut policy = Policy::default();
    policy.trusted_proxies = vec!["198.51.100.9/32".parse().unwrap()];
    let engine = Engine::builder(MemorySessionStorage::new()).policy(policy).build().unwrap();
    let router = mounted(AdminPage::for_operators(engine, operators()));
    let (mut outsider, mut ada) = (Browser::of(&router), Browser::of(&router));
    loop {
        let got = outsider.send(entry(&outsider, "wrong", "192.0.2.66")).await;
        if got.status == StatusCode::TOO_MANY_REQUESTS {
            break;
        }
    }
    let got = ada.send(entry(&ada, PASSWORD, "192.0.2.1")).await;
    assert_eq!((got.status, got.header("location")), (StatusCode::SEE_OTHER, "/admin"));
    let request = ada.request("GET", "/admin/api/audit").header("x-forwarded-for", "192.0.2.1");
    let trail = ada.send(request.body(Body::empty()).unwrap()).await.json();
    let addresses: Vec<_> =
        trail.as_array().unwrap().iter().map(|entry| entry["address"].as_str().unwrap()).collect();
    assert_eq!(addresses[0], "192.0.2.1");
    assert!(addresses[1..].iter().all(|address| *address == "192.0.2.66"), "{addresses:?}");
}

#[tokio::test]
async fn a_proxys_own_bearer_token_shuts_nobody_out() {
    let site = Site::new();
    let mut ada = site.operator().await;
    for _ in 0..300 {
        for path in ["/admin", "/admin/api/overview"] {
            let request = ada.request("GET", path).header("authorization", "Bearer of.the.proxy");
            let got = ada.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(got.status, StatusCode::OK, "{path}");
        }
    }
    let mut nobody = site.browser();
    let request = nobody.request("GET", "/admin").header("authorization", "Bearer of.the.proxy");
    let got = nobody.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!((got.status, got.header("location")), (StatusCode::SEE_OTHER, "/admin/sign-in"));
    let trail = ada.get("/admin/api/audit").await.json();
    assert_eq!(trail.as_array().unwrap().len(), 1, "{trail}");
}

#[tokio::test]
async fn the_sign_in_reads_no_more_than_a_form_needs() {
    let page = AdminPage::for_operators(engine(), operators());
    let router = mounted(page).layer(DefaultBodyLimit::disable());
    let mut outsider = Browser::of(&router);
    let password = "x".repeat(20_000);
    let got = outsider.send(entry(&outsider, &password, "")).await;
    assert_eq!(got.status, StatusCode::PAYLOAD_TOO_LARGE);
}

/// The answer of a page for this machine only, and the cookies that it sets.
async fn here(router: &Router, request: axum::http::request::Builder) -> (u16, Vec<String>) {
    let request =
        request.header("host", "127.0.0.1:8090").header("origin", "http://127.0.0.1:8090");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let request = request.body(Body::from(format!("name=ada&password={PASSWORD}"))).unwrap();
    let response = tower::ServiceExt::oneshot(router.clone(), request).await.unwrap();
    let cookies = response.headers().get_all("set-cookie").iter();
    let cookies = cookies.map(|it| it.to_str().unwrap().to_owned()).collect();
    (response.status().as_u16(), cookies)
}

#[tokio::test]
async fn two_pages_on_one_machine_leave_each_others_sign_ins_alone() {
    let page = || AdminPage::for_operators(engine(), operators()).plain_http_on_loopback();
    let (staging, production) = (page().router().unwrap(), page().router().unwrap());
    let (status, cookies) = here(&production, Request::post("/sign-in")).await;
    assert_eq!((status, cookies.len()), (303, 1));
    let cookie = cookies[0].split(';').next().unwrap();
    assert!(cookie.starts_with("cloakroom-admin-"), "{cookie}");
    // The browser sends it to both, because cookies know no ports.
    let (status, cookies) = here(&staging, Request::get("/").header("cookie", cookie)).await;
    assert_eq!((status, cookies), (303, Vec::new()));
    let (status, _) = here(&production, Request::get("/").header("cookie", cookie)).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn over_plain_http_another_machine_is_refused_whatever_host_it_names() {
    let page = AdminPage::for_operators(engine(), operators()).plain_http_on_loopback();
    let router = page.router().unwrap();
    for (peer, status) in [
        ("127.0.0.1:4711", 200),
        ("[::1]:4711", 200),
        ("[::ffff:127.0.0.1]:4711", 200),
        ("192.0.2.7:4711", 403),
        ("[2001:db8::7]:4711", 403),
    ] {
        let peer: SocketAddr = peer.parse().unwrap();
        let request = Request::get("/sign-in").extension(ConnectInfo(peer));
        assert_eq!(here(&router, request).await.0, status, "{peer}");
    }
}

#[tokio::test]
async fn an_overview_that_is_left_open_does_not_keep_its_operator_signed_in() {
    let clock = ManualClock::new();
    let page = AdminPage::for_operators(engine(), operators()).clock(clock.clone());
    let router = mounted(page);
    let mut ada = Browser::of(&router);
    ada.sign_in("ada", PASSWORD).await;
    for _ in 0..14 {
        clock.advance(Duration::from_secs(60));
        assert_eq!(ada.get("/admin/api/overview").await.status, StatusCode::OK);
    }
    // A look at a page is a sign of life.
    assert_eq!(ada.get("/admin/sessions").await.status, StatusCode::OK);
    for _ in 0..15 {
        clock.advance(Duration::from_secs(60));
        assert_eq!(ada.get("/admin/api/overview").await.status, StatusCode::OK);
    }
    clock.advance(Duration::from_secs(1));
    assert_eq!(ada.get("/admin/api/overview").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(ada.cookie, None);
}

#[tokio::test]
async fn a_sign_in_ends_after_eight_hours_of_work() {
    let clock = ManualClock::new();
    let page = AdminPage::for_operators(engine(), operators()).clock(clock.clone());
    let router = mounted(page);
    let mut ada = Browser::of(&router);
    ada.sign_in("ada", PASSWORD).await;
    for _ in 0..47 {
        clock.advance(Duration::from_secs(600));
        assert_eq!(ada.get("/admin").await.status, StatusCode::OK);
    }
    clock.advance(Duration::from_secs(601));
    assert_eq!(ada.get("/admin").await.header("location"), "/admin/sign-in");
}

#[tokio::test]
async fn a_sign_in_takes_no_ticket_that_somebody_else_knows() {
    let site = Site::new();
    let mut ada = site.operator().await;
    let planted = ada.cookie.clone();
    // The same browser signs in again, with the ticket that an attacker has planted and knows.
    assert_eq!(ada.sign_in("ada", PASSWORD).await.status, StatusCode::SEE_OTHER);
    assert_ne!(ada.cookie, planted);
    let mut attacker = site.browser();
    attacker.cookie = planted;
    assert_eq!(attacker.get("/admin").await.header("location"), "/admin/sign-in");
}

#[tokio::test]
async fn the_page_works_below_a_session_layer_of_the_application() {
    let engine = engine();
    let id = visit(&engine, Some("eve"), "Browser/1").await;
    let page = AdminPage::for_operators(engine.clone(), operators());
    let router = mounted(page).layer(SessionLayer::new(engine.clone()));
    let mut ada = Browser::of(&router);
    assert_eq!(ada.sign_in("ada", PASSWORD).await.header("location"), "/admin");
    ada.get("/admin").await;
    let got = ada.post(&format!("/admin/sessions/{id}/end"), "").await;
    assert!(got.body.contains("Done: 1 session ended."), "{got:?}");
}
