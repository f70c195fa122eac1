//! Connections that stay open and bring no answer: they are found out and replaced, and a server
//! that is merely slow gets no storm of new ones.

use std::time::{Duration, Instant};

use cloakroom::{SessionStorage, StorageErrorKind};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::FaultProxy;
use cloakroom_testkit::fault_proxy::{Direction, Scope};

use super::support::{
    GRACE, connect, connections, holding, never_open, settled_connections, start, text,
};

/// Long enough for a busy machine to answer within it.
const LIMIT: Duration = Duration::from_millis(500);

async fn through(proxy: &FaultProxy, pool_size: usize) -> RedisSessionStorage {
    let builder = RedisSessionStorage::builder().url(proxy.url()).pool_size(pool_size);
    let builder = builder.connection_timeout(Duration::from_secs(20)).command_timeout(LIMIT);
    let builder = builder.load_timeout(LIMIT).breaker(never_open());
    let storage = builder.build().await.unwrap();
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    storage
}

async fn assert_times_out(storage: &RedisSessionStorage) {
    let error = storage.get("ann", None).await.unwrap_err();
    assert!(matches!(error.kind(), StorageErrorKind::Timeout { .. }), "{error}");
}

#[tokio::test]
async fn connections_that_went_silent_are_replaced_after_one_timeout() {
    for pool_size in [1, 3] {
        let server = start().await;
        let proxy = FaultProxy::before(&server).await.unwrap();
        let storage = through(&proxy, pool_size).await;
        proxy.black_hole(Scope::OpenNow, Direction::Both);
        assert_times_out(&storage).await;
        let begin = Instant::now();
        while text(&storage, "ann").await.ok().flatten().as_deref() != Some("1") {
            assert!(begin.elapsed() < Duration::from_secs(5), "no connection was replaced");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // Nobody else had to wait to find the others out.
        while proxy.accepted() < 2 * pool_size as u64 {
            assert!(begin.elapsed() < Duration::from_secs(5), "not all were replaced");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(settled_connections(&server, pool_size).await, pool_size);
    }
}

#[tokio::test]
async fn a_silent_connection_is_avoided_while_another_one_answers() {
    let server = start().await;
    let proxy = FaultProxy::before(&server).await.unwrap();
    let storage = through(&proxy, 2).await;
    assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("1"));
    proxy.black_hole(Scope::LastUsed, Direction::Both);
    assert_times_out(&storage).await;
    for _ in 0..20 {
        assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("1"));
    }
}

#[tokio::test]
async fn requests_that_give_up_do_not_begin_the_opening_again() {
    let server = start().await;
    let proxy = FaultProxy::before(&server).await.unwrap();
    let storage = through(&proxy, 1).await;
    let before = proxy.accepted();
    server.ask(["CLIENT", "KILL", "TYPE", "normal"]).await.unwrap();
    server.freeze();
    let (begin, mut requests) = (Instant::now(), 0);
    while begin.elapsed() < Duration::from_millis(2500) {
        let late = tokio::time::timeout(Duration::from_millis(50), storage.ping()).await;
        assert!(late.is_err(), "{late:?}");
        requests += 1;
    }
    // An attempt gets a second at first, whoever waits for it.
    let attempts = proxy.accepted() - before;
    assert!(attempts <= 3 && requests > 20, "{attempts} attempts for {requests} requests");
    server.thaw();
    assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("1"));
}

#[tokio::test]
async fn a_frozen_server_gets_no_storm_and_is_used_right_after_the_thaw() {
    let server = start().await;
    let proxy = FaultProxy::before(&server).await.unwrap();
    let storage = through(&proxy, 3).await;
    let before = proxy.accepted();
    server.freeze();
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(2) {
        assert_times_out(&storage).await;
    }
    // One every half a second for the whole pool.
    let bound = 2 * begin.elapsed().as_secs() + 2;
    assert!(proxy.accepted() <= before + bound, "{} new ones", proxy.accepted() - before);
    server.thaw();
    for _ in 0..20 {
        assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("1"));
    }
    assert_eq!(settled_connections(&server, 3).await, 3);
}

#[tokio::test]
async fn the_drop_of_a_storage_ends_an_opening_under_way() {
    let server = start().await;
    let storage = connect(&server).await;
    server.ask(["CLIENT", "KILL", "TYPE", "normal"]).await.unwrap();
    server.freeze();
    let begin = Instant::now();
    let late = tokio::time::timeout(Duration::from_millis(20), storage.ping()).await;
    assert!(late.is_err() && begin.elapsed() < LIMIT + GRACE, "{late:?}");
    drop(storage);
    server.thaw();
    assert_eq!(settled_connections(&server, 0).await, 0);
    assert_eq!(connections(&server).await, 0);
}
