//! Answers and invalidations that meet on the wire.

use std::sync::Arc;
use std::time::Duration;

use cloakroom::{SessionKey, SessionStorage};
use cloakroom_redis::DEFAULT_PREFIX;
use cloakroom_testkit::fault_proxy::{On, Push, Times};
use cloakroom_testkit::{FaultProxy, RedisServer};

use super::support::{builder, change, has_copy, node, put, text, until, warm};

fn stored_name(name: &str) -> Vec<u8> {
    [DEFAULT_PREFIX.as_bytes(), &SessionKey::from_name(name).to_hex()].concat()
}

#[tokio::test]
async fn an_invalidation_that_is_on_the_wire_before_the_answer_keeps_it_from_being_kept() {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::before(&server).await.unwrap();
    let (writer, storage) = (node(server.url()).await, node(proxy.url()).await);
    put(&writer, "ann", "1").await;
    let push = Push::invalidate([stored_name("ann")]);
    let rule = proxy.push_before_replies(On::commands(["GET"]), &push, Times::Once);
    assert_eq!(text(&storage, "ann").await.as_deref(), Some("1"));
    assert_eq!(rule.struck(), 1);
    assert!(!has_copy(&storage, "ann"));
    assert_eq!(text(&storage, "ann").await.as_deref(), Some("1"));
    assert!(has_copy(&storage, "ann"));
}

#[tokio::test]
async fn an_answer_that_is_overtaken_on_its_way_is_not_kept() {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::before(&server).await.unwrap();
    let (writer, storage) = (node(server.url()).await, Arc::new(node(proxy.url()).await));
    for n in 0..10 {
        put(&writer, "ann", "old").await;
        until("the change is not heard of", || !has_copy(&storage, "ann")).await;
        let held = proxy.hold_replies(On::commands(["GET"]), Times::Once);
        let late = tokio::spawn({
            let storage = storage.clone();
            async move { text(&storage, "ann").await }
        });
        held.until_struck(1).await;
        // The server has answered "old" and remembers who was told.
        change(&writer, "ann", "new").await;
        held.clear();
        let seen = late.await.unwrap();
        assert!(matches!(seen.as_deref(), Some("old" | "new")), "{n}: {seen:?}");
        let old = || {
            let copy = storage.cached(&SessionKey::from_name("ann"));
            copy.is_some_and(|copy| copy.field("a") == Some(b"\"old\"".as_slice()))
        };
        until("an outdated answer is kept", || !old()).await;
        assert_eq!(text(&storage, "ann").await.as_deref(), Some("new"));
    }
}

#[tokio::test]
async fn a_write_that_was_given_up_leaves_no_outdated_copy() {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::before(&server).await.unwrap();
    for pool_size in [1, 2] {
        let storage = builder(proxy.url()).pool_size(pool_size);
        let storage = storage.commit_timeout(Duration::from_millis(100)).build().await.unwrap();
        put(&storage, "ann", "old").await;
        warm(&storage, "ann").await;
        let mut data = storage.get("ann", None).await.unwrap().unwrap();
        data.insert("a", "new").unwrap();
        // The write waits in front of the server, and its writer gives up.
        let held = proxy.hold_requests(On::commands(["EVALSHA"]), Times::Once);
        storage.set("ann", &data, None).await.unwrap_err();
        assert!(!has_copy(&storage, "ann"));
        held.clear();
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while text(&storage, "ann").await.as_deref() != Some("new") {
            assert!(std::time::Instant::now() < deadline, "an outdated copy is served for ever");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_read_and_write_one_session_at_once_end_up_with_the_same() {
    let server = RedisServer::start().await.unwrap();
    let mut nodes = Vec::new();
    for pool_size in [1, 2, 3] {
        nodes.push(Arc::new(builder(server.url()).pool_size(pool_size).build().await.unwrap()));
    }
    put(&nodes[0], "ann", "0").await;
    let mut work = Vec::new();
    for node in nodes.iter().flat_map(|node| [node, node]) {
        let node = node.clone();
        work.push(tokio::spawn(async move {
            for _ in 0..150 {
                let mut data = node.get("ann", None).await.unwrap().unwrap();
                data.update("n", |n: Option<u64>| n.unwrap_or(0) + 1).unwrap();
                node.set("ann", &data, None).await.unwrap();
                let own = node.get("ann", None).await.unwrap().unwrap();
                assert!(own.get::<u64>("n").unwrap() >= data.get::<u64>("n").unwrap());
            }
        }));
    }
    for work in work {
        work.await.unwrap();
    }
    for node in &nodes {
        let count = |copy: cloakroom::Record| copy.field("n").map(<[u8]>::to_vec);
        let key = SessionKey::from_name("ann");
        until("an outdated copy stays", || {
            node.cached(&key).is_none_or(|copy| count(copy).as_deref() == Some(b"900"))
        })
        .await;
        let found = node.get("ann", None).await.unwrap().unwrap();
        assert_eq!(found.get::<u64>("n").unwrap(), Some(900));
    }
}
