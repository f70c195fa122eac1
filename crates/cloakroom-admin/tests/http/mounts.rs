//! The page below many paths, its assets, and what the origin of a form is compared with.

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::http::request::Parts;
use cloakroom::{Engine, MemorySessionStorage};
use cloakroom_admin::{AdminPage, Operator, Refusal};

use crate::access::{FORMS, ORDERS, PAGES, QUESTIONS};
use crate::site::{Browser, HOST, PASSWORD, Site, operators, visit};

async fn page() -> AdminPage {
    let engine = Engine::builder(MemorySessionStorage::new()).build().unwrap();
    visit(&engine, Some("eve"), "Browser/1").await;
    AdminPage::for_operators(engine, operators())
}

/// Whatever a page leads to.
fn addresses(body: &str) -> Vec<&str> {
    let marks = ["href=\"", "src=\"", "action=\"", "data-mount=\""];
    let found = marks.iter().flat_map(|mark| body.split(mark).skip(1));
    found.filter_map(|rest| rest.split('"').next()).filter(|it| *it != "#content").collect()
}

/// Signs in and follows every link from the first page on, as a browser that sees the page below
/// `path` and whose proxy takes `taken` away.
async fn walk(router: &Router, path: &str, taken: &str, first: &str) {
    let mut ada = Browser::of(router);
    let inside = |address: &str| {
        let rest = address.strip_prefix(taken).unwrap();
        if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") }
    };
    let got = ada.get(&inside(first)).await;
    assert_eq!(got.header("location"), format!("{path}/sign-in"), "{first}");
    let form = format!("name=ada&password={PASSWORD}");
    let got = ada.post_bare(&inside(&format!("{path}/sign-in")), &form).await;
    let home = got.header("location").to_owned();
    let mut open = vec![home];
    let mut seen = Vec::new();
    while let Some(address) = open.pop() {
        let got = ada.get(&inside(&address)).await;
        // A form may want more than its address.
        let is_there = matches!(got.status, StatusCode::OK | StatusCode::BAD_REQUEST);
        assert!(is_there, "{path}: {address}: {}", got.status);
        if !got.body.starts_with("<!doctype") {
            continue;
        }
        for address in addresses(&got.body) {
            assert!(address.starts_with(path), "{path}: {address}");
            let is_page = !address.ends_with("/sign-out") && address != path;
            if is_page && !seen.contains(&address.to_owned()) {
                seen.push(address.to_owned());
                open.push(address.to_owned());
            }
        }
    }
    assert!(seen.len() > 8, "{seen:?}");
}

#[tokio::test]
async fn the_page_can_be_mounted_at_any_fixed_path() {
    let nested = Router::new().nest("/admin", page().await.router().unwrap());
    walk(&nested, "/admin", "", "/admin").await;
    let deep =
        Router::new().nest("/ops", Router::new().nest("/se-1", page().await.router().unwrap()));
    walk(&deep, "/ops/se-1", "", "/ops/se-1").await;
    let slash = Router::new().nest("/admin/", page().await.router().unwrap());
    walk(&slash, "/admin", "", "/admin/").await;
    let service = Router::new().nest_service("/admin", page().await.router().unwrap());
    walk(&service, "/admin", "", "/admin").await;
    // What people type.
    walk(&service, "/admin", "", "/admin/").await;
    walk(&page().await.router().unwrap(), "", "", "/").await;
}

#[tokio::test]
async fn a_proxy_may_take_the_path_away() {
    let router = page().await.path("/ops/sessions").router().unwrap();
    walk(&router, "/ops/sessions", "/ops/sessions", "/ops/sessions").await;
    for path in ["ops", "//evil.example", "/{tenant}"] {
        assert!(page().await.path(path).router().is_err(), "{path}");
    }
}

#[tokio::test]
async fn an_asset_is_kept_for_good_under_its_own_mark_only() {
    let site = Site::new();
    let mut nobody = site.browser();
    let body = nobody.get("/admin/sign-in").await.body;
    let assets: Vec<_> =
        addresses(&body).into_iter().filter(|it| it.contains("/assets/")).collect();
    assert_eq!(assets.len(), 3);
    for asset in assets {
        let got = nobody.get(asset).await;
        assert!(got.header("cache-control").contains("immutable"), "{asset}");
        let (path, mark) = asset.split_once("?v=").unwrap();
        let other = mark.replace(|_: char| true, "0");
        for query in
            ["".to_owned(), "?".to_owned(), format!("?v={other}"), format!("?v={mark}&v=1")]
        {
            let got = nobody.get(&format!("{path}{query}")).await;
            let answer = (got.status, got.header("cache-control"));
            assert_eq!(answer, (StatusCode::OK, "no-store"), "{path}{query}");
        }
    }
}

#[tokio::test]
async fn answers_that_set_a_cookie_are_not_stored() {
    let site = Site::new();
    let mut ada = site.browser();
    let signed_in = ada.sign_in("ada", PASSWORD).await;
    let stale = ada.clone();
    ada.get("/admin").await;
    let signed_out = ada.post("/admin/sign-out", "").await;
    let mut again = stale;
    let cleared = again.get("/admin").await;
    for got in [signed_in, signed_out, cleared] {
        assert!(got.headers.contains_key("set-cookie"), "{got:?}");
        assert_eq!(got.header("cache-control"), "no-store", "{got:?}");
    }
}

#[tokio::test]
async fn an_origin_that_is_named_is_the_only_one() {
    let router =
        Router::new().nest("/admin", page().await.origin("https://ops.example").router().unwrap());
    let mut ada = Browser::of(&router);
    for (origin, status) in [
        (format!("https://{HOST}"), StatusCode::FORBIDDEN),
        ("https://ops.example".to_owned(), StatusCode::SEE_OTHER),
    ] {
        let request = ada
            .request("POST", "/admin/sign-in")
            .header("origin", &origin)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded");
        let body = Body::from(format!("name=ada&password={PASSWORD}"));
        assert_eq!(ada.send(request.body(body).unwrap()).await.status, status, "{origin}");
    }
}

#[tokio::test]
async fn signing_in_again_makes_the_tokens_of_before_worthless() {
    let site = Site::new();
    let mut ada = site.operator().await;
    let before = ada.token.clone();
    // A sign-in is dated by the millisecond.
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    ada.sign_in("ada", PASSWORD).await;
    ada.get("/admin").await;
    assert_ne!(ada.token, before);
    let form = format!("token={before}&name=eve");
    assert_eq!(ada.post_bare("/admin/owner/end", &form).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn processes_behind_a_guard_share_their_tokens_where_they_share_a_secret() {
    let guard = |_: &Parts| Ok::<_, Refusal>(Operator::named("grace"));
    let engine = Engine::builder(MemorySessionStorage::new()).build().unwrap();
    let router = |secret: &[u8]| {
        let page = AdminPage::behind(engine.clone(), guard).shared_secret(secret);
        page.router()
    };
    assert!(router(b"31 bytes, which are one too few").is_err());
    let secret = b"these are 32 bytes, which do for";
    let id = visit(&engine, Some("eve"), "Browser/1").await;
    let mut one = Browser::of(&router(secret).unwrap());
    let path = format!("/sessions/{id}/end");
    one.get(&path).await;
    let mut stranger = Browser::of(&router(b"another one has 32 bytes as well").unwrap());
    stranger.token = one.token.clone();
    assert_eq!(stranger.post(&path, "").await.status, StatusCode::FORBIDDEN);
    let mut other = Browser::of(&router(secret).unwrap());
    other.token = one.token;
    let got = other.post(&path, "").await;
    assert!(got.body.contains("Done: 1 session ended."), "{got:?}");
}

#[test]
fn the_pages_own_paths_are_all_named() {
    let pages = PAGES.into_iter().chain(QUESTIONS).chain(FORMS).chain(ORDERS);
    for path in pages.chain(["/assets/admin.css", "/sign-in"]) {
        let first = path.split(['/', '?']).nth(1).unwrap_or_default();
        let is_own = AdminPage::OWN_PATHS.contains(&first);
        assert!(is_own || ["", "nowhere"].contains(&first), "{path}");
    }
}
