//! What an answer may say about the ticket: hand one out, take it away, or nothing at all.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use cloakroom::TOKEN_CHARS;

use crate::http::{Cookie, HttpAnswer, HttpClient};

/// The answer hands out a ticket, with all that keeps it from others.
pub(super) fn handed_out(client: &HttpClient, answer: &HttpAnswer) -> Cookie {
    let cookie = spoken_of(client, answer);
    assert!(!cookie.is_removal(), "a ticket is handed out: {:?}", cookie.max_age);
    assert_eq!(cookie.value.len(), TOKEN_CHARS);
    assert_eq!(client.ticket(), Some(cookie.value.as_str()), "a browser takes it");
    cookie
}

/// The answer takes the ticket away, in a way that browsers obey.
pub(super) fn taken_away(client: &HttpClient, answer: &HttpAnswer) {
    let cookie = spoken_of(client, answer);
    assert!(cookie.is_removal(), "the ticket is taken away");
    assert_eq!(cookie.value, "");
    assert_eq!(client.ticket(), None, "a browser forgets it");
}

/// The answer says nothing about the ticket, so caches may treat it as any other.
pub(super) fn left_alone(client: &HttpClient, answer: &HttpAnswer) {
    assert_eq!(client.ticket_cookie(answer), None, "the ticket is not spoken of");
    assert!(!answer.header_has("cache-control", "no-cache=\"Set-Cookie\""));
    assert!(!answer.header_has("vary", "cookie"));
}

/// The answer says that the storage cannot say at present and when to come back, and nothing about
/// the ticket.
pub(super) fn come_back_later(client: &HttpClient, answer: &HttpAnswer) {
    assert_eq!(answer.status(), 503, "{:?}", answer.text());
    let wait = answer.headers("retry-after");
    assert!(wait.first().is_some_and(|seconds| seconds.parse::<u32>().is_ok()), "{wait:?}");
    left_alone(client, answer);
}

/// The answer takes the ticket away and does not claim that the session has ended.
pub(super) fn pending(client: &mut HttpClient, answer: &HttpAnswer) {
    let text = answer.text();
    assert!(text.contains("not complete yet") && !text.contains("bye"), "{text}");
    assert!(answer.header_has("cache-control", "no-store"));
    client.take(answer);
    taken_away(client, answer);
}

fn spoken_of(client: &HttpClient, answer: &HttpAnswer) -> Cookie {
    let cookie = client.ticket_cookie(answer).expect("the answer speaks of the ticket");
    assert_eq!(cookie.path.as_deref(), Some("/"));
    assert_eq!(cookie.domain, None);
    assert_eq!(cookie.same_site.as_deref(), Some("Lax"));
    assert!(cookie.secure && cookie.http_only);
    assert!(answer.header_has("cache-control", "no-cache=\"Set-Cookie\""));
    assert!(answer.header_has("vary", "cookie"));
    cookie
}

/// A visitor with a session in which `v` is `kept`.
pub(super) async fn visitor(node: SocketAddr) -> HttpClient {
    let mut client = HttpClient::new(node);
    let answer = client.get("/set?k=v&v=kept").await;
    handed_out(&client, &answer);
    client
}

/// A visitor who is signed in as `ada`, with a session in which `v` is `kept`.
pub(super) async fn signed_in(node: SocketAddr) -> HttpClient {
    let mut client = visitor(node).await;
    let answer = client.get("/login?as=ada").await;
    handed_out(&client, &answer);
    assert_eq!(client.text("/whoami").await, "ada");
    client
}

/// Waits until the visitor's ticket opens nothing, where that may come after the answer.
pub(super) async fn until_ended(client: &HttpClient) {
    let start = Instant::now();
    while client.clone().text("/optional").await != "none" {
        assert!(start.elapsed() < Duration::from_secs(5), "the session ends");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
