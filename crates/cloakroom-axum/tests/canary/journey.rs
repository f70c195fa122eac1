//! The visits of somebody whose name and values are known words, so that they can be searched for.

use std::net::SocketAddr;
use std::time::Duration;

use cloakroom::{Engine, OldCookie, OwnerKey, Position, SessionStorage};
use cloakroom_testkit::http::{HttpClient, Moving, SealedCookie};

pub(crate) const VALUE: &str = "value-Quetzalcoatlus-71";
pub(crate) const OWNER: &str = "owner-Archaeopteryx-72";
pub(crate) const MESSAGE: &str = "message-Pterodactylus-73";

/// The id of a session of another library. Its cookie opens the imported session, as a ticket does.
pub(crate) const OLD_ID: &str = "old-Plesiosaurus-74";

/// Everything that was planted into sessions.
pub(crate) const PLANTED: [&str; 3] = [VALUE, OWNER, MESSAGE];

/// Somebody who has signed in and put something in, at both nodes.
pub(crate) async fn signed_in(nodes: [SocketAddr; 2]) -> HttpClient {
    let mut visitor = HttpClient::new(nodes[0]);
    assert_eq!(visitor.text(&format!("/set?k=word&v={VALUE}")).await, "set");
    visitor.text(&format!("/login?as={OWNER}")).await;
    visitor.text(&format!("/flash?text={MESSAGE}")).await;
    let mut elsewhere = visitor.at(nodes[1]);
    assert_eq!(elsewhere.text("/get?k=word").await, VALUE);
    assert_eq!(elsewhere.text("/whoami").await, OWNER);
    visitor
}

/// All that can happen to a session while everything works, and mistakes of its application.
pub(crate) async fn in_health(nodes: [SocketAddr; 2]) {
    // One who stays, so that something is there at the end.
    signed_in(nodes).await;
    let mut visitor = signed_in(nodes).await;
    let old = visitor.clone();
    assert_eq!(visitor.text("/debug").await, "logged");
    visitor.text("/rotate").await;
    assert_eq!(old.clone().get("/login?as=nobody").await.status(), 200, "a late one starts anew");
    assert_eq!(old.clone().get(&format!("/set?k=word&v={VALUE}")).await.status(), 409);

    // A value of another type than the page expects, and one that is too large.
    visitor.text(&format!("/set?k=count&v={VALUE}")).await;
    assert_eq!(visitor.get("/visit").await.status(), 500);
    assert_eq!(visitor.get("/big?bytes=100000").await.status(), 500);
    assert_eq!(visitor.get("/login-fail?as=owner-Archaeopteryx-72").await.status(), 500);

    let mut writers = Vec::new();
    for at in 0..16 {
        let (mut tab, node) = (visitor.at(nodes[at % 2]), at);
        let target = format!("/set?k=field{node}&v={VALUE}{node}");
        writers.push(tokio::spawn(async move { tab.text(&target).await }));
    }
    for writer in writers {
        assert_eq!(writer.await.unwrap(), "set");
    }
    assert_eq!(visitor.text("/flashes").await, MESSAGE);
    let thief = visitor.clone().with_user_agent("Thief/1.0");
    assert_eq!(thief.clone().text("/whoami").await, "nobody");
    visitor.text("/logout?flash=bye").await;
    assert_eq!(old.clone().text("/whoami").await, "nobody");
}

/// What the same visitor asks for while nothing can be written, and perhaps nothing read.
pub(crate) async fn in_an_outage(visitor: HttpClient) {
    for target in [
        format!("/set?k=other&v={VALUE}"),
        format!("/login?as={OWNER}"),
        format!("/flash?text={MESSAGE}"),
        "/rotate".to_owned(),
        "/count-if-possible".to_owned(),
        "/debug".to_owned(),
        "/leave".to_owned(),
        "/logout".to_owned(),
    ] {
        // Whether it is 503, 202 or 200 depends on the illness; no answer tells a secret.
        let _ = visitor.clone().get(&target).await;
    }
}

/// Somebody who is signed in at several places, and who ends some of them: the visitor, and then
/// whoever runs the application.
pub(crate) async fn on_many_devices(nodes: [SocketAddr; 2], engine: &Engine) {
    let mut here = signed_in(nodes).await;
    let mut elsewhere = Vec::new();
    for _ in 0..4 {
        elsewhere.push(signed_in(nodes).await);
    }
    assert_eq!(here.text("/devices").await, "5");
    assert_eq!(here.text("/end-a-device").await, "ended");
    assert_eq!(here.text("/devices").await, "4");
    assert_eq!(here.text("/end-other-devices").await, "3");
    for visitor in &mut elsewhere {
        assert_eq!(visitor.text("/whoami").await, "nobody");
    }

    for _ in 0..3 {
        signed_in(nodes).await;
    }
    let index = engine.storage().owner_index(&OwnerKey::of(OWNER)).await.unwrap();
    let sessions = engine.sessions_of(OWNER).await.unwrap();
    tracing::debug!(?index, ?sessions, owner = ?OwnerKey::of(OWNER), "all that is known of an owner");
    let revoked = engine.revoke(sessions[0].id()).await.unwrap();
    let others = engine.revoke_others(sessions[1].id()).await.unwrap().unwrap();
    let all = engine.revoke_owner(OWNER).await.unwrap();
    tracing::debug!(?revoked, ?others, ?all, "revoked");
    assert_eq!((others.ended, all.ended), (2, 1));

    signed_in(nodes).await;
    let moment = index.now + Duration::from_secs(3600);
    let (mut position, mut ended) = (Some(Position::start()), 0);
    while let Some(at) = position {
        let step = engine.revoke_created_before(moment, &at).await.unwrap();
        tracing::debug!(?step, "revoked before");
        (position, ended) = (step.next, ended + step.ended);
    }
    assert_eq!(ended, 1);
}

/// Somebody whose sign-ins are limited to two, and whose third one ends the first.
pub(crate) async fn at_the_limit(nodes: [SocketAddr; 2]) {
    let mut first = signed_in(nodes).await;
    for _ in 0..2 {
        signed_in(nodes).await;
    }
    assert_eq!(first.text("/whoami").await, "nobody");
}

/// Somebody whose sessions are to end while the server takes nothing.
pub(crate) async fn revoked_in_an_outage(engine: &Engine) {
    let revoked = engine.revoke_owner(OWNER).await.unwrap();
    assert!(revoked.pending > 0, "{revoked:?}");
    let sessions = engine.sessions_of(OWNER).await;
    tracing::debug!(?revoked, ?sessions, "revoked in an outage");
}

/// Somebody who comes with another library's cookie, and somebody who has forged one.
pub(crate) async fn moving_in(nodes: [SocketAddr; 2], moving: Moving) {
    assert!(moving.import(OLD_ID).await);
    let with = |seal: &str| {
        let cookie = format!("old={OLD_ID}.{seal}; Path=/; Secure; HttpOnly");
        HttpClient::new(nodes[0]).holding(&cookie)
    };
    assert_eq!(with("forged").text("/whoami").await, "nobody");
    let mut visitor = with("genuine");
    assert_eq!(visitor.text("/whoami").await, "ada");
    assert!(visitor.ticket().is_some());
    tracing::debug!(id = ?SealedCookie.read(format!("{OLD_ID}.genuine").as_bytes()), "moved in");
    assert_eq!(visitor.text(&format!("/set?k=word&v={VALUE}")).await, "set");
    assert_eq!(visitor.at(nodes[1]).text("/get?k=word").await, VALUE);
    visitor.text("/logout").await;
    assert_eq!(with("genuine").text("/whoami").await, "nobody");
    assert!(!moving.import(OLD_ID).await, "a sign-out is final");
}
