//! Failovers and moving slots: no copy outlives the server that would have called it back.

use std::time::{Duration, Instant};

use cloakroom::{SessionKey, SessionStorage};
use cloakroom_redis::{DEFAULT_PREFIX, RedisSessionStorage};
use cloakroom_testkit::{ClusterSet, SentinelSet};

use super::support::{builder, has_copy, holding, put, text, until, warm};

async fn answer(storage: &RedisSessionStorage, name: &str) -> Option<String> {
    let start = Instant::now();
    loop {
        match storage.get(name, None).await {
            Ok(found) => return found.and_then(|data| data.get("a").unwrap()),
            Err(error) => assert!(start.elapsed() < Duration::from_secs(30), "{error}"),
        }
    }
}

#[tokio::test]
async fn a_failover_leaves_no_copy_of_what_the_new_primary_does_not_have() {
    let set = SentinelSet::start().await.unwrap();
    let storage = builder(set.url()).build().await.unwrap();
    put(&storage, "ann", "1").await;
    set.settled().await.unwrap();
    warm(&storage, "ann").await;
    set.fail_over().await.unwrap();
    until("copies outlive the failover", || !has_copy(&storage, "ann")).await;
    assert_eq!(answer(&storage, "ann").await.as_deref(), Some("1"));
    let start = Instant::now();
    while !has_copy(&storage, "ann") {
        assert!(start.elapsed() < Duration::from_secs(30));
        assert_eq!(answer(&storage, "ann").await.as_deref(), Some("1"));
    }
    let other = builder(set.url()).near_cache(None).build().await.unwrap();
    other.set("ann", &holding("2"), None).await.unwrap();
    until("the new primary is not heard", || !has_copy(&storage, "ann")).await;
    assert_eq!(answer(&storage, "ann").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn a_session_that_moves_to_another_node_is_called_back_and_heard_of_there() {
    let set = ClusterSet::start().await.unwrap();
    let storage = builder(set.url()).build().await.unwrap();
    let other = builder(set.url()).near_cache(None).build().await.unwrap();
    put(&storage, "ann", "1").await;
    warm(&storage, "ann").await;
    let name = [DEFAULT_PREFIX.as_bytes(), &SessionKey::from_name("ann").to_hex()].concat();
    let slot = set.slot(std::str::from_utf8(&name).unwrap()).await.unwrap();
    let from = set.owner(slot).await.unwrap();
    let to = set.primaries().await.into_iter().find(|it| it.port() != from.port()).unwrap();
    set.move_slots(slot..=slot, from, to).await.unwrap();
    other.set("ann", &holding("2"), None).await.unwrap();
    until("a copy outlives its node", || !has_copy(&storage, "ann")).await;
    assert_eq!(answer(&storage, "ann").await.as_deref(), Some("2"));
    warm(&storage, "ann").await;
    other.set("ann", &holding("3"), None).await.unwrap();
    until("the new node is not heard", || !has_copy(&storage, "ann")).await;
    assert_eq!(text(&storage, "ann").await.as_deref(), Some("3"));
}
