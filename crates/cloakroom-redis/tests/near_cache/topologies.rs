//! Failovers and moving slots: no copy outlives the server that would have called it back.

use std::time::{Duration, Instant};

use cloakroom::{SessionKey, SessionStorage};
use cloakroom_redis::{DEFAULT_PREFIX, RedisSessionStorage};
use cloakroom_testkit::fault_proxy::{ErrorReply, On, Times};
use cloakroom_testkit::{ClusterSet, FaultProxy, RedisServer, SentinelSet};

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

/// A Cluster of one node that can be reached by two ways and calls itself by the first one. To the
/// storage they are two nodes.
async fn two_ways() -> (RedisServer, FaultProxy, FaultProxy) {
    let first = FaultProxy::start(("127.0.0.1", 1)).await.unwrap();
    let port = first.port().to_string();
    let settings = [("cluster-enabled", "yes"), ("cluster-announce-port", &port)];
    let server = RedisServer::start_with(&settings).await.unwrap();
    first.forward_to(("127.0.0.1", server.port())).await.unwrap();
    let slots = (0..16_384).map(|slot| slot.to_string());
    let words = ["CLUSTER", "ADDSLOTS"].map(str::to_owned);
    server.ask(words.into_iter().chain(slots)).await.unwrap();
    let start = Instant::now();
    while !server.ask(["CLUSTER", "INFO"]).await.unwrap().text().contains("cluster_state:ok") {
        assert!(start.elapsed() < Duration::from_secs(20), "the Cluster does not begin");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let second = FaultProxy::before(&server).await.unwrap();
    (server, first, second)
}

#[tokio::test]
async fn a_slot_that_is_handed_over_without_a_word_takes_its_copies_along() {
    let (_server, old, new) = two_ways().await;
    let url = format!("redis+cluster://127.0.0.1:{}", old.port());
    let storage = builder(url).prefix("cloakroom:session:{shop}:").build().await.unwrap();
    for name in ["ann", "bob"] {
        put(&storage, name, "1").await;
    }
    warm(&storage, "bob").await;
    warm(&storage, "ann").await;
    assert!(has_copy(&storage, "bob"));
    // Whoever asks for bob is told of the new owner, and no map tells more.
    let mut rules = Vec::new();
    for way in [&old, &new] {
        let maps = On::commands(["CLUSTER"]);
        rules.push(way.refuse_commands(maps, ErrorReply::Loading, Times::UntilCleared));
    }
    let moved = ErrorReply::moved(1, "127.0.0.1", new.port());
    let moved = old.refuse_commands(On::commands(["GET"]), moved, Times::Once);
    let bob = SessionKey::from_name("bob");
    assert!(storage.load(&bob).await.unwrap().is_some());
    assert_eq!(moved.struck(), 1);
    assert!(!has_copy(&storage, "ann"), "a copy outlives its node");
    assert_eq!(text(&storage, "ann").await.as_deref(), Some("1"));
    assert!(new.commands("GET") >= 2, "the new owner is not asked");
}
