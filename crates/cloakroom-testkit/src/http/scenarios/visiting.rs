//! Visits: what creates a session, what does not, and when a cookie is set.

use std::net::SocketAddr;

use super::ticket::{handed_out, left_alone, taken_away, visitor};
use crate::http::HttpClient;

/// A ticket that was never handed out.
const UNKNOWN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Looking around, putting something in and taking it out again, signing out without being signed in, asking for messages that are not there:
/// none of it makes a session or a cookie.
pub async fn a_visit_creates_nothing(node: SocketAddr) {
    let mut client = HttpClient::new(node);
    for target in [
        "/plain",
        "/visit",
        "/optional",
        "/result",
        "/whoami",
        "/names",
        "/get?k=v",
        "/flashes",
        "/empty-handed",
        "/rotate",
        "/logout",
    ] {
        let answer = client.get(target).await;
        assert_eq!(answer.status(), 200, "{target}");
        left_alone(&client, &answer);
    }
    assert_eq!(client.text("/sessions").await, "0");
}

/// The first value makes the session; after that a cookie comes only with another ticket.
pub async fn a_cookie_is_set_only_when_the_ticket_changes(node: SocketAddr) {
    let mut client = HttpClient::new(node);
    let answer = client.get("/count").await;
    assert_eq!(answer.text(), "1");
    assert_eq!(handed_out(&client, &answer).max_age, None);

    for (target, text) in
        [("/count", "2"), ("/visit", "2"), ("/plain", "plain"), ("/optional", "some")]
    {
        let answer = client.get(target).await;
        assert_eq!(answer.text(), text);
        left_alone(&client, &answer);
    }
    assert_eq!(client.text("/sessions").await, "1");
}

/// Writing what is there already commits nothing.
pub async fn an_equal_value_is_not_a_change(node: SocketAddr) {
    let mut client = visitor(node).await;
    let before = client.text("/generation").await;
    assert_eq!(client.text("/set?k=v&v=kept").await, "set");
    assert_eq!(client.text("/generation").await, before);
    assert_eq!(client.text("/set?k=v&v=new").await, "set");
    assert_ne!(client.text("/generation").await, before);
}

/// What the application says about caching, and its own cookies, stand beside ours.
pub async fn the_applications_own_headers_stay(node: SocketAddr) {
    let mut client = HttpClient::new(node);
    for cookies in [2, 1] {
        let answer = client.get("/decorated").await;
        assert!(answer.header_has("cache-control", "max-age=60"));
        assert!(answer.header_has("vary", "accept"));
        assert!(answer.headers("set-cookie").iter().any(|cookie| cookie.starts_with("theme=dark")));
        assert_eq!(answer.headers("set-cookie").len(), cookies);
    }
}

/// `Option` and `Result` of a session say what there is, without making one.
pub async fn an_optional_session_says_whether_there_is_one(node: SocketAddr) {
    let mut client = HttpClient::new(node);
    assert_eq!(client.text("/optional").await, "none");
    assert_eq!(client.text("/result").await, "session");
    assert_eq!(client.ticket(), None);
    let mut client = visitor(node).await;
    assert_eq!(client.text("/optional").await, "some");
}

/// A ticket that opens nothing because its session has ended is taken from the browser.
pub async fn an_unknown_ticket_is_taken_away(node: SocketAddr) {
    for target in ["/visit", "/optional", "/whoami"] {
        let mut client = HttpClient::new(node).with_ticket(UNKNOWN);
        let answer = client.get(target).await;
        assert_eq!(answer.status(), 200);
        taken_away(&client, &answer);
    }
    // A handler that does not ask for the session cannot know.
    let mut client = HttpClient::new(node).with_ticket(UNKNOWN);
    let answer = client.get("/plain").await;
    left_alone(&client, &answer);
}

/// Session fixation: a ticket that the visitor was given by somebody else never becomes a session's.
pub async fn an_unknown_ticket_is_never_adopted(node: SocketAddr) {
    for target in ["/count", "/login?as=ada", "/remember?as=ada", "/flash?text=hello"] {
        let mut client = HttpClient::new(node).with_ticket(UNKNOWN);
        let answer = client.get(target).await;
        let cookie = handed_out(&client, &answer);
        // Neither the half that finds the record nor the half that opens it.
        assert!(!cookie.value.contains("AAAAAAAA"));
        let mut attacker = HttpClient::new(node).with_ticket(UNKNOWN);
        assert_eq!(attacker.text("/optional").await, "none");
    }
}

/// A message is shown on the next page that asks, and on no other.
pub async fn a_message_is_shown_once(node: SocketAddr) {
    let mut client = HttpClient::new(node);
    client.text("/flash?text=one").await;
    client.text("/flash?text=two").await;
    assert_eq!(client.text("/visit").await, "0");
    assert_eq!(client.text("/flashes").await, "one,two");
    assert_eq!(client.text("/flashes").await, "");
}
