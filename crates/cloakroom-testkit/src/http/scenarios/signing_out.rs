//! Signing out: it is final, whatever happens at the same time and whatever becomes of the answer.

use std::net::SocketAddr;
use std::time::Duration;

use super::ticket::{handed_out, left_alone, signed_in, taken_away, until_ended};

/// How long a scenario waits for the server to notice that the client has hung up. A server that
/// lets its handlers finish need not notice.
const NOTICE_LIMIT: Duration = Duration::from_secs(2);

/// Signing out takes the cookie away, and the ticket opens nothing any more, on no node.
pub async fn a_logout_is_final(one: SocketAddr, other: SocketAddr) {
    let mut client = signed_in(one).await;
    let stolen = client.clone();
    let answer = client.get("/logout").await;
    assert_eq!((answer.status(), answer.text().as_str()), (200, "bye"));
    taken_away(&client, &answer);

    for node in [one, other] {
        assert_eq!(stolen.at(node).text("/optional").await, "none");
        assert_eq!(stolen.at(node).text("/whoami").await, "nobody");
        // Writing with it makes another session, under another ticket, with nothing of the old one.
        let mut again = stolen.at(node);
        let answer = again.get("/count").await;
        assert_eq!(answer.text(), "1");
        assert_ne!(handed_out(&again, &answer).value, stolen.ticket().unwrap_or_default());
        assert_eq!(again.text("/names").await, "count");
    }
}

/// What is put in after signing out, such as a farewell, belongs to a new session.
pub async fn a_message_after_a_logout_travels_under_a_new_ticket(node: SocketAddr) {
    let mut client = signed_in(node).await;
    let old = client.clone();
    let answer = client.get("/logout?flash=goodbye").await;
    handed_out(&client, &answer);
    assert_ne!(client.ticket(), old.ticket());
    assert_eq!(old.clone().text("/optional").await, "none");
    assert_eq!(client.text("/whoami").await, "nobody");
    assert_eq!(client.text("/get?k=v").await, "");
    assert_eq!(client.text("/flashes").await, "goodbye");
}

/// A visitor who signs out and closes the page at once is signed out.
pub async fn a_logout_survives_a_client_that_disconnects(node: SocketAddr) {
    let mut client = signed_in(node).await;
    let impatient = client.begin("/logout-slow?gate=out").await;
    client.text("/arrived?gate=out").await;
    assert_eq!(client.text("/whoami").await, "ada", "nothing has been committed yet");
    drop(impatient);
    let noticed = client.clone();
    let notice = async move { noticed.clone().text("/deserted?gate=out").await };
    let _ = tokio::time::timeout(NOTICE_LIMIT, notice).await;
    client.text("/open?gate=out").await;
    until_ended(&client).await;
}

/// A sign-out counts although the answer is a server error, and the browser is told.
pub async fn a_logout_survives_a_server_error(node: SocketAddr) {
    let mut client = signed_in(node).await;
    let stolen = client.clone();
    let answer = client.get("/logout-fail").await;
    assert_eq!(answer.status(), 500);
    taken_away(&client, &answer);
    assert_eq!(stolen.clone().text("/optional").await, "none");
}

/// A sign-out counts although the handler panicked after it.
pub async fn a_logout_survives_a_panic(node: SocketAddr) {
    let client = signed_in(node).await;
    // Whether a panic hangs up or answers 500 is the web framework's business.
    let answer = client.begin("/logout-panic").await.answer().await;
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status() == 500));
    until_ended(&client).await;
}

/// A write that was under way when its visitor signed out does not bring the session back: not
/// under the old ticket and not under a new one, on the same node and on another.
pub async fn a_slow_write_does_not_undo_a_logout(one: SocketAddr, other: SocketAddr) {
    nothing_undoes_a_logout(one, other, "/set?k=late&v=late").await;
}

/// Nor does a sign-in that was under way.
pub async fn a_slow_sign_in_does_not_undo_a_logout(one: SocketAddr, other: SocketAddr) {
    nothing_undoes_a_logout(one, other, "/login?as=grace").await;
}

async fn nothing_undoes_a_logout(one: SocketAddr, other: SocketAddr, slow_request: &str) {
    for (at, node) in [one, other].into_iter().enumerate() {
        let mut client = signed_in(one).await;
        let stolen = client.clone();
        let slow = client.at(node).begin(&format!("{slow_request}&gate={at}")).await;
        client.at(node).text(&format!("/arrived?gate={at}")).await;
        let answer = client.get("/logout").await;
        taken_away(&client, &answer);

        client.at(node).text(&format!("/open?gate={at}")).await;
        let refused = slow.answer().await.expect("an answer");
        assert_eq!(refused.status(), 409);
        left_alone(&client, &refused);
        for node in [one, other] {
            assert_eq!(stolen.at(node).text("/optional").await, "none");
        }
        assert_eq!(client.text("/sessions").await, "0");
    }
}
