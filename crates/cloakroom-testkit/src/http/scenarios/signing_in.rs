//! Signing in: the ticket always changes, and only its holder has the session.

use std::net::SocketAddr;

use super::ticket::{handed_out, left_alone, signed_in, visitor};
use crate::http::{HttpRequest, REMEMBERED_FOR};

/// Signing in hands out a new ticket, and what the visitor had put in stays. The old ticket opens
/// nothing, and the answer to it does not clear the cookie: the browser may hold the new one.
pub async fn signing_in_ends_the_old_ticket(node: SocketAddr) {
    for target in ["/login?as=ada", "/remember?as=ada"] {
        let mut client = visitor(node).await;
        let old = client.clone();
        let answer = client.get(target).await;
        let cookie = handed_out(&client, &answer);
        assert_ne!(Some(cookie.value.as_str()), old.ticket());
        assert_eq!(client.text("/get?k=v").await, "kept");

        for (target, text) in [("/optional", "none"), ("/whoami", "nobody"), ("/get?k=v", "")] {
            let mut old = old.clone();
            let answer = old.get(target).await;
            assert_eq!(answer.text(), text);
            left_alone(&old, &answer);
        }
        assert_eq!(client.text("/whoami").await, "ada");
    }
}

/// A request that was on its way with the old ticket while the visitor signed in changes nothing
/// and hands out nothing: any ticket in its answer would take the new one away.
pub async fn a_late_write_does_not_take_the_new_ticket_away(node: SocketAddr) {
    let mut client = visitor(node).await;
    let late = client.clone();
    client.get("/login?as=ada").await;
    for target in ["/count", "/set?k=v&v=late", "/logout", "/flash"] {
        let mut late = late.clone();
        let answer = late.get(target).await;
        assert_eq!(answer.status(), 409, "{target}");
        left_alone(&late, &answer);
    }
    assert_eq!(client.text("/whoami").await, "ada");
    assert_eq!(client.text("/get?k=v").await, "kept");

    let mut late = late;
    let answer = late.get("/login?as=ada").await;
    handed_out(&late, &answer);
    assert_eq!(late.text("/whoami").await, "ada");
}

/// Signing in again, also as the same person, changes the ticket again.
pub async fn every_sign_in_changes_the_ticket(node: SocketAddr) {
    let mut client = signed_in(node).await;
    for person in ["ada", "ada", "grace"] {
        let old = client.clone();
        let answer = client.get(&format!("/login?as={person}")).await;
        handed_out(&client, &answer);
        assert_ne!(client.ticket(), old.ticket());
        assert_eq!(old.clone().text("/optional").await, "none");
        assert_eq!(client.text("/whoami").await, person);
    }
    assert_eq!(client.text("/get?k=v").await, "", "what ada left is not shown to grace");
}

/// A new ticket without signing in: the old one is dead at once, the session is the same.
pub async fn a_rotation_ends_the_old_ticket(node: SocketAddr) {
    let mut client = signed_in(node).await;
    let mut old = client.clone();
    let answer = client.get("/rotate").await;
    handed_out(&client, &answer);
    let refused = old.get("/optional").await;
    assert_eq!(refused.text(), "none");
    left_alone(&old, &refused);
    assert_eq!(client.text("/whoami").await, "ada");
    assert_eq!(client.text("/sessions").await, "1");
}

/// A visitor who is remembered stays signed in when the browser is closed, others do not.
pub async fn being_remembered_outlives_the_browser(node: SocketAddr) {
    let mut client = visitor(node).await;
    let answer = client.get("/remember?as=ada").await;
    let max_age = handed_out(&client, &answer).max_age.expect("the browser is to keep it");
    let wanted = REMEMBERED_FOR.as_secs() as i64;
    assert!((wanted - 60..=wanted).contains(&max_age), "{max_age} s");
    client.close_browser();
    assert_eq!(client.text("/whoami").await, "ada");

    let answer = client.get("/login?as=ada").await;
    assert_eq!(handed_out(&client, &answer).max_age, None);
    client.close_browser();
    assert_eq!(client.text("/whoami").await, "nobody");
}

/// A stolen ticket does not open the session from another browser; nor does it sign the owner out.
pub async fn another_browser_cannot_use_the_ticket(node: SocketAddr) {
    let mut client = signed_in(node).await;
    let mut thief = client.clone().with_user_agent("Thief/1.0");
    for target in ["/optional", "/whoami", "/logout"] {
        let answer = thief.get(target).await;
        assert_eq!(answer.status(), 200);
        left_alone(&thief, &answer);
    }
    assert_eq!(thief.text("/whoami").await, "nobody");
    assert_eq!(client.text("/whoami").await, "ada");
}

/// Who the visitor is decides the connection, not a header that anybody can write.
pub async fn a_strangers_forwarding_header_does_not_count(node: SocketAddr) {
    let mut client = signed_in(node).await;
    for address in ["198.51.100.7", "2001:db8::7", "not an address"] {
        let request = HttpRequest::get("/whoami").header("x-forwarded-for", address);
        let answer = client.try_ask(request).await.expect("an answer");
        assert_eq!(answer.text(), "ada", "{address}");
    }
}

/// A visitor may be served by any node.
pub async fn a_session_follows_the_visitor_to_another_node(one: SocketAddr, other: SocketAddr) {
    let mut client = signed_in(one).await;
    let mut there = client.at(other);
    assert_eq!(there.text("/whoami").await, "ada");
    assert_eq!(there.text("/count").await, "1");
    assert_eq!(client.text("/count").await, "2");
}

/// What must not be decided by a copy is read from the storage, whatever this node has seen before.
pub async fn a_page_that_must_be_sure_sees_what_another_node_has_written(
    one: SocketAddr,
    other: SocketAddr,
) {
    let mut client = signed_in(one).await;
    let mut there = client.at(other);
    for count in 1..20 {
        assert_eq!(client.text("/count").await, count.to_string());
        assert_eq!(there.text("/fresh").await, count.to_string());
    }
    assert_eq!(client.get("/logout").await.status(), 200);
    assert_eq!(there.text("/fresh").await, "0");
}

/// A request that was under way when somebody signed in came with the old ticket: it may not
/// change the session any more, and its answer says so without handing out a ticket.
pub async fn a_slow_write_is_refused_after_a_sign_in(one: SocketAddr, other: SocketAddr) {
    for (at, node) in [one, other].into_iter().enumerate() {
        let mut client = visitor(one).await;
        let slow = client.at(node).begin(&format!("/set?k=late&v=late&gate={at}")).await;
        client.at(node).text(&format!("/arrived?gate={at}")).await;
        let answer = client.get("/login?as=ada").await;
        handed_out(&client, &answer);

        client.at(node).text(&format!("/open?gate={at}")).await;
        let refused = slow.answer().await.expect("an answer");
        assert_eq!(refused.status(), 409);
        left_alone(&client, &refused);
        assert_eq!(client.text("/names").await, "v");
        assert_eq!(client.text("/whoami").await, "ada");
    }
}
