//! Sign-outs of tickets whose session could not be loaded: the server compares the proof when it is
//! back.

use std::time::{Duration, Instant};

use cloakroom::{CommitBuilder, Committed, Destroyed, Expect, SessionStorage, Token};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::{Persistence, RedisServer};

use super::support::connect;

/// A server whose data outlives it, and the key of its one session with the ticket's proof.
async fn with_a_visitor() -> (RedisServer, RedisSessionStorage, Token) {
    let server = RedisServer::builder().persistence(Persistence::EveryWrite);
    let server = server.start().await.unwrap();
    let storage = connect(&server).await;
    let ticket = Token::generate().unwrap();
    let commit = CommitBuilder::new(Expect::Absent).verifier(ticket.verifier_hash());
    let commit = commit.build().unwrap();
    let created = storage.commit(&ticket.key(), &commit).await.unwrap();
    assert!(matches!(created, Committed::Applied { .. }), "{created:?}");
    (server, storage, ticket)
}

#[tokio::test]
async fn a_ticket_is_signed_out_unseen_while_the_server_is_down() {
    let (server, storage, ticket) = with_a_visitor().await;
    server.kill_now();
    assert!(storage.load(&ticket.key()).await.unwrap_err().is_transient());
    let proof = ticket.verifier_hash();
    let answer = storage.destroy_unseen(&ticket.key(), &proof).await.unwrap();
    assert_eq!(answer, Destroyed::Pending);
    assert!(storage.load(&ticket.key()).await.unwrap_err().is_transient(), "never shown again");
    assert_eq!(storage.health().pending_removals, 1);
    server.restart().await.unwrap();
    settles(&storage).await;
    let other_node = connect(&server).await;
    assert!(other_node.load(&ticket.key()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_ticket_that_was_replaced_ends_no_session_unseen() {
    let (server, storage, ticket) = with_a_visitor().await;
    let old = ticket.rotated().unwrap().verifier_hash();
    let absent = storage.destroy_unseen(&ticket.key(), &old).await.unwrap();
    assert!(matches!(absent, Destroyed::Absent(_)), "{absent:?}");
    assert!(storage.load(&ticket.key()).await.unwrap().is_some());
    server.kill_now();
    assert_eq!(storage.destroy_unseen(&ticket.key(), &old).await.unwrap(), Destroyed::Pending);
    server.restart().await.unwrap();
    // Its own ticket is good at every moment at which the server answers.
    while storage.health().pending_removals > 0 {
        if let Ok(found) = storage.load(&ticket.key()).await {
            assert!(found.is_some());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    settles(&storage).await;
    assert!(storage.load(&ticket.key()).await.unwrap().is_some());
}

/// Waits until nothing is pending.
async fn settles(storage: &RedisSessionStorage) {
    let begin = Instant::now();
    while storage.health().pending_removals > 0 {
        assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", storage.health());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
