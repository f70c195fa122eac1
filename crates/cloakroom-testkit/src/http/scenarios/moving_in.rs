//! Visitors who come with the cookie of another library: they stay signed in, and their cookie works
//! once.

use std::net::SocketAddr;
use std::time::Duration;

use super::ticket::{handed_out, left_alone, taken_away};
use crate::http::{Cookie, HttpAnswer, HttpClient, Moving};

const MINUTE: Duration = Duration::from_secs(60);

/// A visitor whose browser holds the other library's cookie.
fn coming_with(node: SocketAddr, value: &str) -> HttpClient {
    HttpClient::new(node).holding(&format!("old={value}; Path=/; Secure; HttpOnly"))
}

/// The answer takes the other library's cookie away, in a way that browsers obey.
fn moved(client: &HttpClient, answer: &HttpAnswer) {
    let cookies = answer.headers("set-cookie");
    let old = cookies.iter().filter_map(|header| Cookie::parse(header)).find(|it| it.name == "old");
    assert!(old.is_some_and(|cookie| cookie.is_removal() && cookie.secure), "{cookies:?}");
    assert!(!client.cookie_header().contains("old="), "a browser forgets it");
}

/// The first request shows the old cookie, every other one the ticket, on whatever node.
pub async fn an_old_cookie_gives_way_to_a_ticket(
    one: SocketAddr,
    other: SocketAddr,
    moving: Moving,
) {
    assert!(moving.import("a").await);
    let mut client = coming_with(one, "a.genuine");
    let answer = client.get("/whoami").await;
    assert_eq!(answer.text(), "ada");
    let ticket = handed_out(&client, &answer).value;
    moved(&client, &answer);
    for node in [one, other] {
        let mut client = client.at(node);
        let answer = client.get("/get?k=v").await;
        assert_eq!(answer.text(), "kept");
        left_alone(&client, &answer);
        assert_eq!(client.ticket(), Some(ticket.as_str()));
    }
    assert!(!moving.import("a").await, "it is there");
}

/// A page with several requests in flight, spread over the nodes, in whatever order they end.
pub async fn parallel_first_requests_sign_nobody_out(
    one: SocketAddr,
    other: SocketAddr,
    moving: Moving,
) {
    moving.import("a").await;
    let client = coming_with(one, "a.genuine");
    let mut in_flight = Vec::new();
    for number in 0..12 {
        let node = if number % 2 == 0 { one } else { other };
        let page = if number % 3 == 0 { "/whoami" } else { "/count" };
        in_flight.push((page, client.at(node).begin(page).await));
    }
    let mut browser = client.clone();
    let (mut tickets, mut counts) = (Vec::new(), Vec::new());
    for (page, request) in in_flight {
        let Ok(answer) = request.answer().await else { panic!("{page} is answered") };
        assert_eq!(answer.status(), 200, "{page}: {:?}", answer.text());
        match page {
            "/whoami" => assert_eq!(answer.text(), "ada"),
            _ => counts.push(answer.text()),
        }
        browser.take(&answer);
        tickets.push(handed_out(&browser, &answer).value);
    }
    assert!(tickets.iter().all(|ticket| *ticket == tickets[0]), "one ticket for all");
    assert_eq!(counts.len(), 8);
    assert_eq!(browser.text("/visit").await, "8", "no increment is lost");
    assert_eq!(browser.at(other).text("/whoami").await, "ada");
}

/// What the application does not let through asks for nothing and changes nothing.
pub async fn a_forged_old_cookie_opens_nothing(one: SocketAddr, _: SocketAddr, moving: Moving) {
    moving.import("a").await;
    for value in ["a.forged", "a", "", "A.genuine", "a.genuine.forged"] {
        let mut client = coming_with(one, value);
        let answer = client.get("/whoami").await;
        assert_eq!(answer.text(), "nobody", "{value}");
        left_alone(&client, &answer);
    }
    assert_eq!(coming_with(one, "a.genuine").text("/whoami").await, "ada", "it is there still");
}

/// A cookie of a session that is not imported, or not yet.
pub async fn an_unknown_old_cookie_stays_until_a_ticket_takes_its_place(
    one: SocketAddr,
    _: SocketAddr,
    moving: Moving,
) {
    let mut client = coming_with(one, "b.genuine");
    let answer = client.get("/whoami").await;
    assert_eq!(answer.text(), "nobody");
    left_alone(&client, &answer);
    assert!(moving.import("b").await);
    assert_eq!(client.text("/whoami").await, "ada", "imported since");

    let mut client = coming_with(one, "c.genuine");
    let answer = client.get("/count").await;
    handed_out(&client, &answer);
    moved(&client, &answer);
}

/// The answer is lost on its way, or is an error: the browser still has the old cookie.
pub async fn an_answer_that_was_lost_costs_nobody_the_session(
    one: SocketAddr,
    other: SocketAddr,
    moving: Moving,
) {
    moving.import("a").await;
    let client = coming_with(one, "a.genuine");
    let answer = client.clone().get("/whoami").await;
    assert_eq!(answer.text(), "ada");
    let mut again = client.at(other);
    let answer = again.get("/fail?status=500").await;
    assert_eq!(answer.status(), 500);
    handed_out(&again, &answer);
    moved(&again, &answer);
    assert_eq!(again.text("/whoami").await, "ada");
}

/// What the request has changed cannot be saved. By then the session has its first ticket, so the answer
/// hands it out all the same: after a minute nothing else opens the session.
pub async fn a_failure_at_the_end_costs_nobody_the_session(
    one: SocketAddr,
    other: SocketAddr,
    moving: Moving,
) {
    moving.import("a").await;
    let mut client = coming_with(one, "a.genuine");
    let answer = client.get("/big?bytes=100000").await;
    assert_eq!(answer.status(), 500);
    handed_out(&client, &answer);
    moved(&client, &answer);
    assert_eq!(client.at(other).text("/whoami").await, "ada");
}

/// A handler that ignores the session leaves everything as it is.
pub async fn a_page_without_a_session_moves_nobody(one: SocketAddr, _: SocketAddr, moving: Moving) {
    moving.import("a").await;
    let mut client = coming_with(one, "a.genuine");
    let answer = client.get("/plain").await;
    assert!(answer.headers("set-cookie").is_empty());
    assert_eq!(client.text("/whoami").await, "ada");
}

/// After a sign-out neither the ticket nor the old cookie nor a repeated import brings it back.
pub async fn a_logout_ends_what_has_moved_in_for_good(
    one: SocketAddr,
    other: SocketAddr,
    moving: Moving,
) {
    moving.import("a").await;
    let stolen = coming_with(other, "a.genuine");
    let mut client = coming_with(one, "a.genuine");
    let answer = client.get("/logout").await;
    taken_away(&client, &answer);
    moved(&client, &answer);
    assert_eq!(stolen.clone().text("/whoami").await, "nobody");
    assert!(!moving.import("a").await, "it had moved in");
    assert_eq!(stolen.clone().text("/whoami").await, "nobody");
}

/// Signing in rotates, and that is the end of the old cookie, within its minute too.
pub async fn a_sign_in_ends_the_old_cookie_at_once(
    one: SocketAddr,
    other: SocketAddr,
    moving: Moving,
) {
    moving.import("a").await;
    let stolen = coming_with(other, "a.genuine");
    let mut client = coming_with(one, "a.genuine");
    let answer = client.get("/login?as=ada").await;
    handed_out(&client, &answer);
    moved(&client, &answer);
    let mut thief = stolen.clone();
    let answer = thief.get("/whoami").await;
    assert_eq!(answer.text(), "nobody");
    left_alone(&thief, &answer);
    assert_eq!(client.text("/whoami").await, "ada");
}

/// Somebody who has copied the cookie and comes later.
pub async fn an_old_cookie_is_dead_after_a_minute(
    one: SocketAddr,
    other: SocketAddr,
    moving: Moving,
) {
    moving.import("a").await;
    let stolen = coming_with(other, "a.genuine");
    let mut client = coming_with(one, "a.genuine");
    assert_eq!(client.text("/whoami").await, "ada");
    moving.wait(MINUTE + Duration::from_secs(1));
    let mut thief = stolen.clone();
    let answer = thief.get("/whoami").await;
    assert_eq!(answer.text(), "nobody");
    left_alone(&thief, &answer);
    assert_eq!(client.text("/whoami").await, "ada");
}

/// The time that a session had left in the old library counts.
pub async fn a_session_that_has_expired_since_does_not_move_in(
    one: SocketAddr,
    _: SocketAddr,
    moving: Moving,
) {
    moving.import("a").await;
    moving.wait(61 * MINUTE);
    let mut client = coming_with(one, "a.genuine");
    let answer = client.get("/whoami").await;
    assert_eq!(answer.text(), "nobody");
    left_alone(&client, &answer);
}
