//! Requests that fail: what becomes of their changes, and what their answers say.

use std::net::SocketAddr;

use super::ticket::{handed_out, left_alone, signed_in, visitor};
use crate::http::HttpClient;

/// A request that answers with a server error has changed nothing.
pub async fn a_server_error_discards_the_changes(node: SocketAddr) {
    let mut client = visitor(node).await;
    for status in [500, 502, 503, 599] {
        let answer = client.get(&format!("/fail?status={status}")).await;
        assert_eq!(answer.status(), status);
        left_alone(&client, &answer);
        assert_eq!(client.text("/names").await, "v");
    }
    let mut client = HttpClient::new(node);
    let answer = client.get("/fail?status=500").await;
    left_alone(&client, &answer);
    assert_eq!(client.text("/sessions").await, "1", "no session was made for an error");
}

/// Every other status keeps the changes: a redirect after a form, a page that was not found.
pub async fn every_other_status_keeps_the_changes(node: SocketAddr) {
    for status in [200, 303, 400, 404, 499] {
        let mut client = HttpClient::new(node);
        let answer = client.get(&format!("/fail?status={status}")).await;
        assert_eq!(answer.status(), status);
        handed_out(&client, &answer);
        assert_eq!(client.text("/names").await, "half");
    }
}

/// An error that the handler returns in its framework's own way counts as the status that becomes of
/// it.
pub async fn an_error_of_the_handler_counts_as_its_status(node: SocketAddr) {
    let mut client = HttpClient::new(node);
    for status in [500, 503] {
        let answer = client.get(&format!("/refuse?status={status}")).await;
        assert_eq!(answer.status(), status);
        left_alone(&client, &answer);
    }
    assert_eq!(client.text("/sessions").await, "0", "no session was made for an error");
    let answer = client.get("/refuse?status=422").await;
    assert_eq!(answer.status(), 422);
    handed_out(&client, &answer);
    assert_eq!(client.text("/names").await, "half");
}

/// A sign-in that ends in a server error has signed nobody in, and the ticket stays good.
pub async fn a_sign_in_that_fails_signs_nobody_in(node: SocketAddr) {
    let mut client = visitor(node).await;
    let answer = client.get("/login-fail?as=ada").await;
    assert_eq!(answer.status(), 500);
    left_alone(&client, &answer);
    assert_eq!(client.text("/whoami").await, "nobody");
    assert_eq!(client.text("/get?k=v").await, "kept");
}

/// A handler that panics has changed nothing, and the server goes on.
pub async fn a_panic_changes_nothing(node: SocketAddr) {
    let mut client = signed_in(node).await;
    let answer = client.begin("/panic").await.answer().await;
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status() == 500));
    assert_eq!(client.text("/names").await, "v");
    assert_eq!(client.text("/whoami").await, "ada");
}

/// A session that grows too large is refused: the answer is an error that tells nothing, and what
/// the session held is still there.
pub async fn an_oversized_session_is_refused_and_keeps_what_it_held(node: SocketAddr) {
    let mut client = visitor(node).await;
    let answer = client.get("/big?bytes=100000").await;
    assert_eq!(answer.status(), 500);
    for secret in ["secret", "big", "xxx"] {
        assert!(!answer.text().contains(secret), "{:?}", answer.text());
    }
    left_alone(&client, &answer);
    assert_eq!(client.text("/names").await, "v");
    assert_eq!(client.text("/big?bytes=1000").await, "secret", "the session is still usable");

    let mut client = HttpClient::new(node);
    let answer = client.get("/big?bytes=100000").await;
    assert_eq!(answer.status(), 500);
    left_alone(&client, &answer);
}
