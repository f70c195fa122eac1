//! The visits of somebody whose name and values are known words, so that they can be searched for.

use std::net::SocketAddr;

use cloakroom_testkit::http::HttpClient;

const VALUE: &str = "value-Quetzalcoatlus-71";
const OWNER: &str = "owner-Archaeopteryx-72";
const MESSAGE: &str = "message-Pterodactylus-73";

/// Everything that was planted.
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
