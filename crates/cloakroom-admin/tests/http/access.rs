//! Who gets in.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::http::request::Parts;
use cloakroom::{Engine, MemorySessionStorage};
use cloakroom_admin::{Action, AdminPage, AuditEntry, Operator, Outcome, Refusal};
use serde_json::json;

use crate::site::{Browser, HOST, PASSWORD, Site, operators};

/// Every route with the methods that it has.
pub const PAGES: [&str; 11] = [
    "",
    "/sessions",
    "/sessions/00000000000000000000000000000000",
    "/sessions/00000000000000000000000000000000/end",
    "/sessions/00000000000000000000000000000000/end-others",
    "/owner/end?name=eve",
    "/before",
    "/before/end?moment=2026-01-01T00:00",
    "/audit",
    "/nowhere",
    "/api",
];
pub const QUESTIONS: [&str; 4] = [
    "/api/overview",
    "/api/sessions",
    "/api/sessions/00000000000000000000000000000000",
    "/api/audit",
];
pub const FORMS: [&str; 5] = [
    "/sessions/00000000000000000000000000000000/end",
    "/sessions/00000000000000000000000000000000/end-others",
    "/owner/end?name=eve",
    "/before/end",
    "/sign-out",
];
pub const ORDERS: [&str; 5] = [
    "/api/sessions/00000000000000000000000000000000/revoke",
    "/api/sessions/00000000000000000000000000000000/revoke-others",
    "/api/revoke-owner",
    "/api/revoke-before",
    "/api/nowhere",
];

#[tokio::test]
async fn every_route_without_a_credential_is_refused() {
    let site = Site::new();
    let mut nobody = site.browser();
    for path in PAGES {
        let got = nobody.get(&format!("/admin{path}")).await;
        let expected = (StatusCode::SEE_OTHER, "/admin/sign-in");
        assert_eq!((got.status, got.header("location")), expected, "{path}");
        assert_eq!(got.body, "", "{path}");
    }
    for path in QUESTIONS {
        let got = nobody.get(&format!("/admin{path}")).await;
        assert_eq!(got.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(got.json()["error"], "sign_in", "{path}");
    }
    for path in FORMS {
        let got = nobody.post(&format!("/admin{path}"), "name=eve&moment=2026-01-01T00:00").await;
        assert_eq!(got.header("location"), "/admin/sign-in", "{path}");
    }
    for path in ORDERS {
        let (status, _) = nobody.order(&format!("/admin{path}"), json!({ "owner": "eve" })).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
    }
    for method in ["DELETE", "PUT", "PATCH", "OPTIONS", "HEAD"] {
        let request = nobody.request(method, "/admin/api/sessions").body(Body::empty()).unwrap();
        assert_eq!(nobody.send(request).await.status, StatusCode::UNAUTHORIZED, "{method}");
    }
    assert_eq!(nobody.cookie, None);
}

#[tokio::test]
async fn an_operator_signs_in_and_out_and_the_old_cookie_opens_nothing() {
    let site = Site::new();
    let mut ada = site.operator().await;
    let page = ada.get("/admin").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.text_after("data-operator>"), "ada");
    let before = ada.clone();
    let got = ada.post("/admin/sign-out", "").await;
    assert_eq!((got.status, ada.cookie.as_deref()), (StatusCode::SEE_OTHER, None));
    for mut browser in [ada, before] {
        assert_eq!(browser.get("/admin").await.header("location"), "/admin/sign-in");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_refused_slowed_down_and_audited() {
    let site = Site::new();
    let mut guesser = site.browser();
    let mut ada = site.operator().await;
    for (name, password) in
        [("ada", "wrong"), (PASSWORD, ""), ("", ""), ("ada", "a"), ("<script>", PASSWORD)]
    {
        let got = guesser.sign_in(name, password).await;
        assert_eq!((got.status, guesser.cookie.is_some()), (StatusCode::UNAUTHORIZED, false));
        assert!(got.body.contains("The name or the password is wrong."));
    }
    let trail = ada.get("/admin/api/audit").await.json();
    let trail = trail.as_array().unwrap();
    assert_eq!(trail.len(), 6);
    assert_eq!(trail[0]["outcome"], "refused");
    let names: Vec<_> = trail[..5].iter().map(|entry| &entry["operator"]).collect();
    assert_eq!(names, ["unknown name", "ada", "unknown name", "unknown name", "ada"]);
    assert_eq!(trail[0]["address"], "198.51.100.9");
    // Neither what stood in the field for the name, which people take for that of the password.
    for path in ["/admin/audit", "/admin/api/audit"] {
        let page = ada.get(path).await;
        assert!(page.body.contains("unknown name") && !page.body.contains("script&"), "{path}");
        assert!(!page.body.contains(PASSWORD), "{path}");
    }

    let mut looked_at = 0;
    while guesser.sign_in("ada", "wrong").await.status == StatusCode::UNAUTHORIZED {
        looked_at += 1;
    }
    assert!(looked_at <= 100, "{looked_at}");
    let got = guesser.sign_in("ada", PASSWORD).await;
    assert_eq!((got.status, guesser.cookie), (StatusCode::TOO_MANY_REQUESTS, None));
}

#[tokio::test(start_paused = true)]
async fn a_program_gets_in_with_a_bearer_password_and_needs_no_token() {
    let site = Site::new();
    site.visit(Some("eve"), "Browser/1").await;
    let mut program = site.browser();
    let ask = |password: &str, method: &str, path: &str, body: &str| {
        Browser::of(&site.router)
            .request(method, path)
            .header("authorization", format!("Bearer {password}"))
            .header("content-type", "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap()
    };
    let got = program.send(ask(PASSWORD, "GET", "/admin/api/sessions", "")).await;
    assert_eq!(got.json()["sessions"].as_array().unwrap().len(), 1);
    let order = r#"{"owner":"eve"}"#;
    let got = program.send(ask(PASSWORD, "POST", "/admin/api/revoke-owner", order)).await;
    assert_eq!(got.json(), json!({ "outcome": "done", "ended": 1 }));
    let slow = loop {
        let got = program.send(ask("wrong", "GET", "/admin/api/sessions", "")).await;
        if got.status != StatusCode::UNAUTHORIZED {
            break got;
        }
        assert!(got.header("www-authenticate").starts_with("Bearer"));
    };
    assert_eq!(slow.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(slow.header("retry-after"), "1");
}

#[tokio::test]
async fn a_change_needs_the_token_and_the_origin_of_the_page() {
    let site = Site::new();
    let id = site.visit(Some("eve"), "Browser/1").await;
    let mut ada = site.operator().await;
    let forms = [
        format!("/admin/sessions/{id}/end"),
        format!("/admin/sessions/{id}/end-others"),
        "/admin/owner/end?name=eve".to_owned(),
        "/admin/before/end".to_owned(),
        "/admin/sign-out".to_owned(),
        format!("/admin/api/sessions/{id}/revoke"),
    ];
    let token = ada.token.clone();
    let own = format!("https://{HOST}");
    for path in &forms {
        let body = "name=eve&moment=2026-01-01T00:00&word=end+them";
        for token in ["", "0", &"0".repeat(64), &format!("{token}0")] {
            let got = ada.post_bare(path, &format!("token={token}&{body}")).await;
            assert_eq!(got.status, StatusCode::FORBIDDEN, "{path} {token}");
        }
        let foreign: [&[(&str, &str)]; 6] = [
            &[],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("origin", "https://evil.admin.example")],
            &[("origin", &own), ("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site")],
        ];
        for headers in foreign {
            let mut request = ada
                .request("POST", path)
                .header("content-type", "application/x-www-form-urlencoded");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let body = Body::from(format!("token={token}&{body}"));
            let got = ada.send(request.body(body).unwrap()).await;
            assert_eq!(got.status, StatusCode::FORBIDDEN, "{path} {headers:?}");
        }
    }
    assert!(site.lives(id).await);
    // The trail tells the first hundred of them and then one a second, whose they were and what for.
    let trail = ada.get("/admin/api/audit").await.json();
    let refused: Vec<_> =
        trail.as_array().unwrap().iter().filter(|it| it["path"] != json!(null)).collect();
    assert_eq!(refused.len(), forms.len() * 10);
    for entry in &refused {
        let told = (&entry["operator"], &entry["action"], &entry["outcome"]);
        assert_eq!(told, (&json!("ada"), &json!("request"), &json!("refused")));
    }
    assert_eq!(refused.last().unwrap()["path"], format!("/sessions/{id}/end"));
    for reason in ["Not from this page", "This page was out of date"] {
        assert!(refused.iter().any(|entry| entry["reason"] == reason), "{reason}");
    }
    // Another operator's token, and one of an earlier sign-in, are worth nothing.
    let mut again = site.operator().await;
    assert_ne!(again.token, token);
    again.token = token;
    let got = again.post(&forms[0], "").await;
    assert_eq!(got.status, StatusCode::FORBIDDEN);
    assert!(site.lives(id).await);
    // A sign-in that another site has made up is refused as well.
    let request = ada
        .request("POST", "/admin/sign-in")
        .header("origin", "https://evil.example")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(format!("name=ada&password={PASSWORD}")));
    assert_eq!(ada.send(request.unwrap()).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn another_site_cannot_ask_the_json_interface() {
    let site = Site::new();
    let mut ada = site.operator().await;
    for path in QUESTIONS {
        let request = ada.request("GET", &format!("/admin{path}"));
        let request = request.header("sec-fetch-site", "cross-site").body(Body::empty()).unwrap();
        assert_eq!(ada.send(request).await.json()["error"], "foreign_origin", "{path}");
    }
}

#[tokio::test]
async fn nothing_is_changed_by_asking() {
    let site = Site::new();
    let id = site.visit(Some("eve"), "Browser/1").await;
    let mut ada = site.operator().await;
    for path in PAGES.into_iter().chain(QUESTIONS) {
        let path = path.replace("00000000000000000000000000000000", &id.to_string());
        let got = ada.get(&format!("/admin{path}")).await;
        assert!(!got.status.is_server_error(), "{path}");
    }
    for path in [format!("/admin/api/sessions/{id}/revoke"), "/admin/sign-out".to_owned()] {
        assert_eq!(ada.get(&path).await.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
    assert!(site.lives(id).await);
}

#[tokio::test]
async fn an_application_guards_the_page_itself() {
    let engine = Engine::builder(MemorySessionStorage::new()).build().unwrap();
    let id = crate::site::visit(&engine, Some("eve"), "Browser/1").await;
    let guard = |request: &Parts| match request.headers.get("x-user").map(|it| it.as_bytes()) {
        Some(b"grace") => Ok(Operator::named("grace")),
        Some(b"lost") => Err(Refusal::Unavailable),
        Some(_) => Err(Refusal::Forbidden),
        None => Err(Refusal::SignIn { at: "/login".to_owned() }),
    };
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keeps = kept.clone();
    let page = AdminPage::behind(engine.clone(), guard)
        .audit(move |entry: &AuditEntry| keeps.lock().unwrap().push(entry.clone()));
    let router = Router::new().nest("/ops/sessions", page.router().unwrap());
    let mut browser = Browser::of(&router);
    let get = |browser: &Browser, user: &str, path: &str| {
        browser.request("GET", path).header("x-user", user).body(Body::empty()).unwrap()
    };

    let got = browser.get("/ops/sessions").await;
    assert_eq!((got.status, got.header("location")), (StatusCode::SEE_OTHER, "/login"));
    assert_eq!(browser.get("/ops/sessions/sign-in").await.header("location"), "/login");
    let got = browser.get("/ops/sessions/api/overview").await;
    assert_eq!(got.status, StatusCode::UNAUTHORIZED);
    for (user, status) in [("eve", 403), ("lost", 503), ("grace", 200)] {
        let got = browser.send(get(&browser, user, "/ops/sessions")).await;
        assert_eq!(got.status.as_u16(), status, "{user}");
    }
    let path = format!("/ops/sessions/sessions/{id}/end");
    let page = browser.send(get(&browser, "grace", &path)).await;
    assert!(page.body.contains(&format!("action=\"{path}\"")));
    assert!(!page.body.contains("Sign out"));
    let post = |browser: &Browser, user: &str| {
        let body = format!("token={}", browser.token);
        let request = browser.request("POST", &path).header("x-user", user);
        let request = request.header("origin", format!("https://{HOST}"));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(Body::from(body)).unwrap()
    };
    assert_eq!(browser.send(post(&browser, "eve")).await.status, StatusCode::FORBIDDEN);
    let got = browser.send(post(&browser, "grace")).await;
    assert!(got.body.contains("Done: 1 session ended."), "{got:?}");
    let kept = kept.lock().unwrap();
    assert_eq!(kept.len(), 3);
    for (at, path) in [(0, "/".to_owned()), (1, format!("/sessions/{id}/end"))] {
        assert_eq!((kept[at].operator.name(), &kept[at].action), ("", &Action::Request { path }));
        let reason = "signed in, but no operator".to_owned();
        assert_eq!(kept[at].outcome, Outcome::Refused { reason });
    }
    assert_eq!(kept[2].operator, Operator::named("grace"));
    assert_eq!(kept[2].action, Action::EndSession { session: id });
    assert_eq!(kept[2].outcome, Outcome::Done { ended: 1 });
}

#[tokio::test]
async fn over_plain_http_the_page_answers_to_this_machine_only() {
    let engine = Engine::builder(MemorySessionStorage::new()).build().unwrap();
    let page = AdminPage::for_operators(engine, operators()).plain_http_on_loopback();
    let router = page.router().unwrap();
    for (host, status) in [
        ("127.0.0.1:8090", 200),
        ("localhost:8090", 200),
        ("[::1]:8090", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example:8090", 403),
    ] {
        let request = axum::http::Request::get("/sign-in").header("host", host);
        let got = Browser::of(&router).send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(got.status.as_u16(), status, "{host}");
    }
}
