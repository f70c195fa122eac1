//! An operator who looks at everything on the page for operators, and ends sessions there.

use std::net::SocketAddr;

use axum::middleware;
use cloakroom::Engine;
use cloakroom_admin::{AdminPage, Operators};
use cloakroom_testkit::http::{HttpAnswer, HttpClient, HttpRequest};

use crate::answers;
use crate::journey::OWNER;
use crate::node::serve;
use crate::watch::watch;

/// What the operator signs in with.
pub(crate) const PASSWORD: &str = "password-Dimorphodon-76";

/// Looks at every page, and ends all sessions of the owner, who has three.
pub(crate) async fn look_and_end(engine: &Engine) {
    let operators = Operators::new("grace", PASSWORD).unwrap();
    let page = AdminPage::for_operators(engine.clone(), operators).plain_http_on_loopback();
    let page = page.router().unwrap();
    let page = page.layer(middleware::from_fn_with_state(watch().operators.clone(), answers::note));
    let (node, server) = serve(page).await;

    let sessions = engine.sessions_of(OWNER).await.unwrap();
    let [first, second, _] = sessions.as_slice() else { panic!("{sessions:?}") };
    let (first, second) = (first.id(), second.id());
    let mut browser = sign_in(node).await;
    for path in [
        "/".to_owned(),
        "/sessions".to_owned(),
        format!("/sessions?owner={OWNER}"),
        format!("/sessions/{first}"),
        format!("/sessions/{first}/end"),
        format!("/sessions/{first}/end-others"),
        format!("/owner/end?name={OWNER}"),
        "/before".to_owned(),
    ] {
        let answer = browser.get(&path).await;
        assert_eq!(answer.status(), 200, "{path}: {}", answer.text());
    }
    for path in [
        "/api/overview".to_owned(),
        format!("/api/sessions?owner={OWNER}"),
        format!("/api/sessions/{first}"),
    ] {
        let answer = ask(node, HttpRequest::get(&path)).await;
        assert_eq!(answer.status(), 200, "{path}: {}", answer.text());
    }
    for path in
        [format!("/api/sessions/{first}/revoke"), format!("/api/sessions/{second}/revoke-others")]
    {
        let answer = ask(node, HttpRequest::form(&path, &[])).await;
        assert_eq!(answer.status(), 200, "{path}: {}", answer.text());
    }
    let path = format!("/owner/end?name={OWNER}");
    let question = browser.text(&path).await;
    let (_, rest) = question.split_once("name=\"token\" value=\"").unwrap();
    let (token, _) = rest.split_once('"').unwrap();
    let form = from_the_page(HttpRequest::form(&path, &[("name", OWNER), ("token", token)]));
    let answer = browser.try_ask(form).await.unwrap();
    assert!(answer.status() < 400, "{}", answer.text());
    assert_eq!(engine.sessions_of(OWNER).await.unwrap(), []);
    let trails =
        [browser.text("/audit").await, ask(node, HttpRequest::get("/api/audit")).await.text()];
    for trail in trails {
        assert!(trail.contains(OWNER), "{trail}");
    }
    server.abort();
}

/// With the form, once in vain.
async fn sign_in(node: SocketAddr) -> HttpClient {
    let mut browser = HttpClient::new(node);
    for (password, status) in [("a guess that fails", 401), (PASSWORD, 303)] {
        let form = HttpRequest::form("/sign-in", &[("name", "grace"), ("password", password)]);
        let answer = browser.try_ask(from_the_page(form)).await.unwrap();
        assert_eq!(answer.status(), status, "{}", answer.text());
    }
    browser
}

/// With what a browser says of a form that a page of the same site sends.
fn from_the_page(form: HttpRequest) -> HttpRequest {
    form.header("origin", "http://localhost").header("sec-fetch-site", "same-origin")
}

/// With the password in a header, as a program of the operators does.
async fn ask(node: SocketAddr, request: HttpRequest) -> HttpAnswer {
    let request = request.header("authorization", format!("Bearer {PASSWORD}"));
    HttpClient::new(node).try_ask(request).await.unwrap()
}
