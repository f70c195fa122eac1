//! Outages: the storage could not say. That is never "no session", never clears a cookie, never
//! lasts longer than the deadline, and is nobody's concern who does not ask for a session.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::ticket::{come_back_later, left_alone, pending, signed_in};
use crate::RedisServer;
use crate::http::{HttpAnswer, HttpClient, OUTAGE_COMMAND_TIMEOUT};

/// How much later than its deadline an operation may end (law 16).
const LAW_SLACK: Duration = Duration::from_millis(50);

/// By when a server that is back must be used again. It takes half a second; a busy machine gets more.
const RECOVERY: Duration = Duration::from_secs(10);

/// With Redis dead every route that needs the session answers 503 and says when to come back;
/// nobody is taken for a stranger, and the ticket stays where it is.
pub async fn a_dead_redis_is_never_mistaken_for_no_session(node: SocketAddr, redis: RedisServer) {
    let mut client = signed_in(node).await;
    let port = redis.port();
    redis.kill();
    for target in ["/visit", "/whoami", "/optional", "/count", "/login?as=eve", "/logout"] {
        let answer = client.get(target).await;
        come_back_later(&client, &answer);
    }
    assert_eq!(client.text("/result").await, "transient");

    // A new server on the same port is found again; it holds nothing, and now that is known.
    let _redis = RedisServer::start_on(port).await.expect("a server starts");
    let back = Instant::now();
    let answer = loop {
        let answer = client.get("/whoami").await;
        if answer.status() == 200 {
            break answer;
        }
        come_back_later(&client, &answer);
        assert!(back.elapsed() < RECOVERY, "the server is not used again");
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!(answer.text(), "nobody");
    assert_eq!(client.ticket(), None);
}

/// A visitor without a ticket needs no storage to be a stranger.
pub async fn a_visitor_without_a_ticket_can_look_around_without_redis(
    node: SocketAddr,
    redis: RedisServer,
) {
    redis.kill();
    let mut client = HttpClient::new(node);
    assert_eq!(client.text("/whoami").await, "nobody");
    assert_eq!(client.text("/optional").await, "none");
    let answer = client.get("/count").await;
    come_back_later(&client, &answer);
}

/// A handler that does not ask for the session does not notice the outage.
pub async fn a_route_that_ignores_the_session_needs_no_redis(node: SocketAddr, redis: RedisServer) {
    let mut client = signed_in(node).await;
    redis.kill();
    let answer = client.get("/plain").await;
    assert_eq!((answer.status(), answer.text().as_str()), (200, "plain"));
    left_alone(&client, &answer);
}

/// A server that accepts everything and answers nothing holds a request no longer than the command
/// timeout; when it goes on, so does the session.
pub async fn a_frozen_redis_is_waited_for_no_longer_than_the_command_timeout(
    node: SocketAddr,
    redis: RedisServer,
) {
    let mut client = signed_in(node).await;
    redis.freeze();
    let mut shortest = Duration::MAX;
    // The best of several, because the machine may be busy with other tests.
    for _ in 0..4 {
        let start = Instant::now();
        let answer = client.get("/whoami").await;
        let took = start.elapsed();
        come_back_later(&client, &answer);
        assert!(took >= OUTAGE_COMMAND_TIMEOUT, "it was waited for: {took:?}");
        shortest = shortest.min(took);
    }
    assert!(shortest <= OUTAGE_COMMAND_TIMEOUT + LAW_SLACK, "{shortest:?}");
    redis.thaw();
    assert_eq!(client.text("/whoami").await, "ada");
}

/// The same between loading and committing: the answer is no success, and it does not wait longer.
/// Whether the server carries the commit out when it goes on, nobody can know.
pub async fn a_commit_into_a_frozen_redis_ends_within_the_command_timeout(
    node: SocketAddr,
    redis: RedisServer,
) {
    let mut client = signed_in(node).await;
    let mut shortest = Duration::MAX;
    for at in 0..4 {
        let slow = client.begin(&format!("/set?k=late&v={at}&gate={at}")).await;
        client.text(&format!("/arrived?gate={at}")).await;
        redis.freeze();
        let start = Instant::now();
        client.text(&format!("/open?gate={at}")).await;
        let answer = slow.answer().await.expect("an answer");
        shortest = shortest.min(start.elapsed());
        come_back_later(&client, &answer);
        redis.thaw();
        assert_eq!(client.text("/whoami").await, "ada");
    }
    assert!(shortest <= OUTAGE_COMMAND_TIMEOUT + LAW_SLACK, "{shortest:?}");
}

/// Redis dies after the session was loaded and before it was committed: the answer is no success.
pub async fn a_redis_that_dies_before_the_commit_turns_the_answer_into_503(
    node: SocketAddr,
    redis: RedisServer,
) {
    for_a_late_commit(node, redis, "/set?k=late&v=late&gate=g").await;
}

/// The same with a sign-in: no ticket is handed out that no session knows.
pub async fn a_sign_in_that_redis_did_not_take_hands_out_no_ticket(
    node: SocketAddr,
    redis: RedisServer,
) {
    for_a_late_commit(node, redis, "/login?as=eve&gate=g").await;
}

/// The same with a sign-out: the visitor is never told to be signed out. A storage that keeps a
/// journal takes it on, and the ticket is taken away; without one it is refused, and the ticket stays
/// to try again with.
pub async fn a_logout_that_redis_did_not_take_says_so(node: SocketAddr, redis: RedisServer) {
    let (mut client, answer) = late_commit(node, redis, "/logout-slow?gate=g").await;
    match answer.status() {
        202 => pending(&mut client, &answer),
        _ => come_back_later(&client, &answer),
    }
}

async fn for_a_late_commit(node: SocketAddr, redis: RedisServer, target: &str) {
    let (client, answer) = late_commit(node, redis, target).await;
    come_back_later(&client, &answer);
}

async fn late_commit(
    node: SocketAddr,
    redis: RedisServer,
    target: &str,
) -> (HttpClient, HttpAnswer) {
    let mut client = signed_in(node).await;
    let slow = client.begin(target).await;
    client.text("/arrived?gate=g").await;
    redis.kill();
    client.text("/open?gate=g").await;
    (client, slow.answer().await.expect("an answer"))
}
