//! What every answer carries, and what it weighs.

use axum::body::Body;
use axum::http::StatusCode;

use crate::access::{PAGES, QUESTIONS};
use crate::site::{Browser, Got, HOST, Site};

fn check(got: &Got, path: &str) {
    let policy = got.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.split("; ").any(|it| it == part), "{path}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{path}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(got.header(name), value, "{path}");
    }
    assert!(got.header("permissions-policy").contains("camera=()"), "{path}");
    assert_eq!(got.header("cache-control"), "no-store", "{path}: {got:?}");
}

#[tokio::test]
async fn every_route_carries_the_security_headers_for_everybody() {
    let site = Site::new();
    let (mut ada, mut nobody) = (site.operator().await, site.browser());
    let assets = ["/assets/admin.css", "/assets/admin.js", "/assets/icon.svg", "/assets/other"];
    let more = ["/sign-in", "/sessions?age=nonsense", "/sessions/nonsense"];
    for path in PAGES.into_iter().chain(QUESTIONS).chain(assets).chain(more) {
        let path = format!("/admin{path}");
        for browser in [&mut ada, &mut nobody] {
            check(&browser.get(&path).await, &path);
            check(&browser.post_bare(&path, "").await, &path);
        }
        check(&ada.post(&path, &"x".repeat(100_000)).await, &path);
    }
}

/// What is asked for wrongly: the method, the address, what kind the body is of, and the body.
const NONSENSE: [(&str, &str, &str, &str); 12] = [
    ("POST", "/api/revoke-owner", "application/json", "{}"),
    ("POST", "/api/revoke-owner", "application/json", "{"),
    ("POST", "/api/revoke-owner", "application/json", "{\"owner\": \"a\", \"<b>\": 1}"),
    ("POST", "/api/revoke-owner", "text/plain", "{\"owner\": \"a\"}"),
    ("POST", "/api/revoke-before", "application/json", "[]"),
    ("POST", "/api/revoke-before", "application/json", "{\"moment\": \"soon\"}"),
    ("POST", "/api/sessions/nonsense/revoke", "application/json", "{}"),
    ("POST", "/api/sessions/%FF/revoke-others", "application/json", "{}"),
    ("GET", "/api/sessions/nonsense", "", ""),
    ("GET", "/api/sessions?owner=a&owner=b", "", ""),
    ("DELETE", "/api/sessions", "", ""),
    ("GET", "/api/nowhere", "", ""),
];

#[tokio::test]
async fn wrong_input_is_told_in_the_pages_own_words() {
    let site = Site::new();
    let mut ada = site.operator().await;
    for (method, path, kind, body) in NONSENSE {
        let request = ada
            .request(method, &format!("/admin{path}"))
            .header("origin", format!("https://{HOST}"))
            .header("x-cloakroom-token", &ada.token)
            .header("content-type", kind);
        let got = ada.send(request.body(Body::from(body)).unwrap()).await;
        assert!(got.status.is_client_error(), "{path} {body}: {got:?}");
        assert!(got.json()["error"].is_string(), "{path} {body}: {got:?}");
        assert!(got.json()["message"].as_str().is_some_and(|it| it.len() > 10), "{got:?}");
    }
    for path in [
        "/owner/end",
        "/before/end",
        "/before/end?moment=soon",
        "/sessions/nonsense",
        "/sessions/nonsense/end",
        "/sessions/%FF/end-others",
        "/sessions?age=1&age=2",
    ] {
        let posted = ada.post(&format!("/admin{path}"), "").await;
        let asked = ada.get(&format!("/admin{path}")).await;
        // There is a list, and nothing to be sent to it.
        let is_list = path.starts_with("/sessions?") || path == "/sessions/nonsense";
        for (got, status) in [(asked, 400), (posted, if is_list { 405 } else { 400 })] {
            assert_eq!(got.status, status, "{path}: {got:?}");
            assert_eq!(got.header("content-type"), "text/html; charset=utf-8", "{path}");
            assert!(got.body.contains("data-message"), "{path}: {got:?}");
        }
    }
}

fn addresses(body: &str) -> Vec<String> {
    let values = body.split("href=\"").chain(body.split("src=\"")).skip(1);
    let values = values.filter_map(|rest| rest.split('"').next());
    let mut assets: Vec<_> =
        values.filter(|it| it.contains("/assets/")).map(str::to_owned).collect();
    assets.sort();
    assets.dedup();
    assets
}

async fn weight(browser: &mut Browser, path: &str) -> usize {
    let page = browser.get(path).await;
    let mut bytes = page.body.len();
    let assets = addresses(&page.body);
    assert_eq!(assets.len(), 3, "{assets:?}");
    for asset in assets {
        let got = browser.get(&asset).await;
        assert_eq!(got.status, StatusCode::OK, "{asset}");
        bytes += got.body.len();
    }
    bytes
}

#[tokio::test]
async fn no_page_weighs_more_than_100_kilobytes_with_all_that_it_needs() {
    let site = Site::new();
    let (agent, owner) = ("Browser/1 ".repeat(50), "eve ".repeat(50));
    for at in 0..200 {
        site.visit(Some(&format!("owner {at}")), &agent).await;
        site.visit(Some(&owner), &agent).await;
    }
    let mut ada = site.operator().await;
    let query = owner.replace(' ', "+");
    let id = site.visit(Some(&owner), &agent).await;
    for _ in 0..600 {
        ada.post(&format!("/admin/owner/end?name=nobody+{query}"), "").await;
    }
    for _ in 0..100 {
        let mut somebody = ada.clone();
        somebody.sign_in(&"eve+".repeat(50), "wrong").await;
    }
    for path in [
        "/admin/sign-in",
        "/admin",
        "/admin/sessions",
        &format!("/admin/sessions?owner={query}"),
        &format!("/admin/sessions/{id}"),
        &format!("/admin/owner/end?name={query}"),
        "/admin/before",
        "/admin/audit",
        "/admin/audit?skip=100",
        "/admin/audit?skip=100000",
    ] {
        let bytes = weight(&mut ada, path).await;
        println!("{path}: {bytes} bytes");
        assert!(bytes < 100_000, "{path}: {bytes}");
    }
    assert!(ada.get("/admin/api/overview").await.body.len() < 40_000);
}

#[tokio::test]
async fn a_page_holds_no_script_style_or_address_of_elsewhere() {
    let site = Site::new();
    let id = site.visit(Some("eve"), "Browser/1").await;
    let mut ada = site.operator().await;
    for path in PAGES.into_iter().chain(["/sign-in"]) {
        let path =
            format!("/admin{path}").replace("00000000000000000000000000000000", &id.to_string());
        let body = ada.get(&path).await.body;
        assert!(
            !body.contains("<script>") && !body.contains("<style") && !body.contains(" style=")
        );
        assert!(!body.contains(" onclick") && !body.contains("javascript:"), "{path}");
        for (at, _) in body.match_indices("http") {
            let rest = &body[at..];
            assert!(!rest.starts_with("http://") && !rest.starts_with("https://"), "{path}");
        }
    }
}
