//! Illnesses: the storage's server takes no reads, no writes, or neither, and recovers. What the
//! visitor is told is true at every moment, and what is not known is not made up.

use std::net::SocketAddr;

use super::ticket::{
    come_back_later, handed_out, left_alone, pending, signed_in, taken_away, visitor,
};
use crate::http::HttpClient;
use crate::{AilingStorage, Mood, Room};

/// A sign-out that the server does not take: the handler's "bye" is not shown, the browser gives the
/// ticket up, and the ticket opens nothing from then on.
pub async fn a_pending_logout_is_told_as_pending_and_takes_the_cookie_away(
    node: SocketAddr,
    storage: AilingStorage,
) {
    let mut client = signed_in(node).await;
    let stolen = client.clone();
    storage.writes(Mood::Down);
    let answer = client.get("/logout").await;
    assert_eq!(answer.status(), 202);
    pending(&mut client, &answer);
    assert_eq!(stolen.clone().text("/optional").await, "none", "refused at once");
    storage.recover().await;
    assert_eq!(stolen.clone().text("/optional").await, "none", "and for good");
}

/// A handler that has its sign-out carried out itself is not overruled.
pub async fn a_handler_that_waits_for_its_logout_words_its_own_answer(
    node: SocketAddr,
    storage: AilingStorage,
) {
    for (mood, told) in [(Mood::Down, "pending"), (Mood::Well, "done")] {
        let mut client = signed_in(node).await;
        let stolen = client.clone();
        storage.writes(mood);
        let answer = client.get("/logout-now").await;
        assert_eq!((answer.status(), answer.text().as_str()), (200, told));
        taken_away(&client, &answer);
        assert_eq!(stolen.clone().text("/optional").await, "none");
        storage.recover().await;
    }
}

/// An error page claims nothing, and whoever watches the application must see it.
pub async fn a_pending_logout_does_not_cover_up_a_server_error(
    node: SocketAddr,
    storage: AilingStorage,
) {
    let mut client = signed_in(node).await;
    storage.writes(Mood::Down);
    let answer = client.get("/logout-fail").await;
    assert_eq!(answer.status(), 500);
    taken_away(&client, &answer);
}

/// Nobody can say whose the ticket is, and its holder wants it to end all the same.
pub async fn a_visitor_signs_out_while_nothing_can_be_loaded(
    node: SocketAddr,
    storage: AilingStorage,
) {
    let mut client = signed_in(node).await;
    let stolen = client.clone();
    storage.reads(Mood::Down);
    storage.writes(Mood::Down);
    let answer = client.get("/leave").await;
    assert_eq!((answer.status(), answer.text().as_str()), (200, "pending"));
    taken_away(&client, &answer);
    let mut again = stolen.clone();
    assert_eq!(again.text("/leave").await, "pending", "pending is never done");
    storage.reads(Mood::Well);
    assert_eq!(stolen.clone().text("/optional").await, "none", "refused as soon as it is seen");
    assert_eq!(stolen.clone().text("/leave").await, "pending");
    storage.recover().await;
    assert_eq!(stolen.clone().text("/optional").await, "none", "and for good");
    assert_eq!(stolen.clone().text("/leave").await, "done");
    assert_eq!(HttpClient::new(node).text("/leave").await, "done", "there is nothing to end");
}

/// A ticket that was replaced is no key to the session, and does not end it either.
pub async fn an_old_ticket_that_is_signed_out_unseen_ends_nobodys_session(
    node: SocketAddr,
    storage: AilingStorage,
) {
    let mut client = signed_in(node).await;
    let mut old = client.clone();
    client.text("/rotate").await;
    storage.reads(Mood::Down);
    storage.writes(Mood::Down);
    let mut older = old.clone();
    assert_eq!(old.text("/leave").await, "pending");
    storage.reads(Mood::Well);
    let answer = client.get("/whoami").await;
    assert_eq!(answer.text(), "ada", "its ticket is not the one that was signed out");
    left_alone(&client, &answer);
    storage.recover().await;
    assert_eq!(client.text("/whoami").await, "ada");
    assert_eq!(older.get("/leave").await.status(), 409, "nor does it claim that now");
}

/// With no room to keep the sign-out in, it fails loudly; the visitor can try again.
pub async fn a_logout_that_nobody_keeps_is_refused_and_the_ticket_stays(
    node: SocketAddr,
    storage: AilingStorage,
) {
    let mut client = signed_in(node).await;
    storage.journal(Room::Full);
    storage.writes(Mood::Down);
    for target in ["/logout", "/logout-now", "/logout-fail"] {
        let answer = client.get(target).await;
        come_back_later(&client, &answer);
        assert!(answer.text().contains("sign-out"), "{:?}", answer.text());
    }
    assert_eq!(client.text("/whoami").await, "ada");
    storage.recover().await;
    let answer = client.get("/logout").await;
    assert_eq!(answer.text(), "bye");
    taken_away(&client, &answer);
}

/// A route for everybody runs while the storage is down, and is told so.
pub async fn a_public_route_knows_unavailable_from_anonymous(
    node: SocketAddr,
    storage: AilingStorage,
) {
    let mut client = signed_in(node).await;
    let mut stranger = HttpClient::new(node);
    assert_eq!(client.text("/state").await, "found");
    assert_eq!(stranger.text("/state").await, "anonymous");
    storage.reads(Mood::Down);
    let answer = client.get("/state").await;
    assert_eq!((answer.status(), answer.text().as_str()), (200, "unavailable"));
    left_alone(&client, &answer);
    assert_eq!(stranger.text("/state").await, "anonymous", "nobody need be asked");
    storage.recover().await;
    assert_eq!(client.text("/state").await, "found");
    let mut stolen = client.clone();
    client.text("/logout").await;
    let answer = stolen.get("/state").await;
    assert_eq!(answer.text(), "rejected");
    taken_away(&stolen, &answer);
}

/// A counter that nobody would miss does not cost the page; a session is never made in vain.
pub async fn a_best_effort_answer_goes_out_without_its_changes(
    node: SocketAddr,
    storage: AilingStorage,
) {
    let mut client = visitor(node).await;
    assert_eq!(client.text("/count-if-possible").await, "1");
    storage.writes(Mood::Down);
    let answer = client.get("/count-if-possible").await;
    assert_eq!((answer.status(), answer.text().as_str()), (200, "2"));
    left_alone(&client, &answer);
    let answer = client.get("/count").await;
    come_back_later(&client, &answer);
    let mut stranger = HttpClient::new(node);
    let answer = stranger.get("/count-if-possible").await;
    come_back_later(&stranger, &answer);
    storage.recover().await;
    assert_eq!(client.text("/count-if-possible").await, "2");
}

/// Reads or writes or both: no route that needs the session succeeds, none speaks of the ticket, and
/// after it the session is as it was.
pub async fn whatever_is_asked_of_an_ill_storage_the_ticket_stays(
    node: SocketAddr,
    storage: AilingStorage,
) {
    const READING: [&str; 4] = ["/visit", "/optional", "/whoami", "/get?k=v"];
    const WRITING: [&str; 5] =
        ["/count", "/set?k=v&v=other", "/login?as=eve", "/rotate", "/remember?as=eve"];
    let mut client = signed_in(node).await;
    storage.journal(Room::Full);
    for (reads, writes) in
        [(Mood::Down, Mood::Well), (Mood::Well, Mood::Down), (Mood::Down, Mood::Down)]
    {
        storage.reads(reads);
        storage.writes(writes);
        let reading = READING.iter().filter(|_| reads == Mood::Down);
        for target in reading.chain(&WRITING).chain(&["/logout"]) {
            let answer = client.get(target).await;
            come_back_later(&client, &answer);
        }
        storage.recover().await;
        assert_eq!(client.text("/whoami").await, "ada");
        assert_eq!(client.text("/get?k=v").await, "kept");
    }
    let answer = client.get("/rotate").await;
    handed_out(&client, &answer);
}

/// Probes never wait for the storage: alive whatever it does, ready by default, and no word of where
/// it is.
pub async fn a_node_stays_alive_and_ready_without_its_storage(
    node: SocketAddr,
    storage: AilingStorage,
) {
    let mut probe = signed_in(node).await;
    for (mood, status) in [
        (Mood::Well, "healthy"),
        (Mood::Down, "unavailable"),
        (Mood::Silent, "unavailable"),
        (Mood::Well, "healthy"),
    ] {
        storage.reads(mood);
        storage.writes(mood);
        let alive = probe.get("/livez").await;
        assert_eq!((alive.status(), alive.text().as_str()), (200, r#"{"status":"alive"}"#));
        let ready = probe.get("/readyz").await;
        assert_eq!((ready.status(), ready.text()), (200, format!(r#"{{"status":"{status}"}}"#)));
        for answer in [alive, ready] {
            assert_eq!(answer.headers("content-type"), ["application/json"]);
            assert!(answer.header_has("cache-control", "no-store"));
            left_alone(&probe, &answer);
        }
    }
}
