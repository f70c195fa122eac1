//! More at once than a storage carries, and storages whose owner has gone.

use std::time::Duration;

use cloakroom::{SessionStorage, StorageErrorKind};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::FaultProxy;
use cloakroom_testkit::fault_proxy::{Direction, Scope};
use tokio::task::JoinSet;

use super::support::{holding, never_open, settled_connections, start, text};

/// How many of 10,000 loads at once were answered, refused at once, or too late.
async fn burst(storage: &RedisSessionStorage) -> (usize, usize, usize) {
    let mut loads = JoinSet::new();
    for _ in 0..10_000 {
        let storage = storage.clone();
        loads.spawn(async move { text(&storage, "ann").await });
    }
    let (mut answered, mut rejected, mut late) = (0, 0, 0);
    while let Some(load) = loads.join_next().await {
        match load.unwrap() {
            Ok(found) => {
                assert_eq!(found.as_deref(), Some("1"));
                answered += 1;
            }
            Err(error) if *error.kind() == StorageErrorKind::Rejected => rejected += 1,
            Err(error) => {
                assert!(error.is_transient(), "{error}");
                late += 1;
            }
        }
    }
    (answered, rejected, late)
}

async fn with_room_for_200(proxy: &FaultProxy, limit: Duration) -> RedisSessionStorage {
    let builder = RedisSessionStorage::builder().url(proxy.url()).pool_size(2).max_in_flight(100);
    let builder = builder.command_timeout(limit).load_timeout(limit);
    let storage = builder.breaker(never_open()).build().await.unwrap();
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    storage
}

#[tokio::test]
async fn what_exceeds_the_bound_is_refused_at_once() {
    let server = start().await;
    let proxy = FaultProxy::before(&server).await.unwrap();
    // Long enough for a busy machine to begin 10,000 tasks.
    let storage = with_room_for_200(&proxy, Duration::from_secs(10)).await;
    let (answered, rejected, late) = burst(&storage).await;
    assert!(
        answered >= 100 && rejected > 0,
        "{answered} answered, {rejected} rejected, {late} late"
    );
    assert_eq!(storage.health().nodes[0].in_flight, 0);
    assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("1"));
}

#[tokio::test]
async fn those_who_wait_for_a_connection_count_as_well() {
    let server = start().await;
    let proxy = FaultProxy::before(&server).await.unwrap();
    let storage = with_room_for_200(&proxy, Duration::from_secs(1)).await;
    proxy.black_hole(Scope::New, Direction::Both);
    proxy.reset(Scope::OpenNow);
    while storage.health().nodes[0].takes_reads() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let (answered, rejected, late) = burst(&storage).await;
    assert!(
        late <= 400 && rejected >= 9_600,
        "{answered} answered, {rejected} rejected, {late} late"
    );
    assert_eq!(storage.health().nodes[0].in_flight, 0);
}

#[test]
fn a_storage_outlives_the_runtime_that_opened_it() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let first = runtime();
    let (server, storage) = first.block_on(async {
        let server = start().await;
        let storage = RedisSessionStorage::builder().url(server.url()).pool_size(3);
        let storage = storage.replicas(1, Duration::from_millis(50)).build().await.unwrap();
        storage.set("ann", &holding("a", "1"), None).await.unwrap();
        (server, storage)
    });
    drop(first);
    let storage = storage;
    let second = runtime();
    second.block_on(async {
        assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("1"));
        storage.delete("ann").await.unwrap();
        // Supervised again: three connections and two that wait for replicas come back by themselves.
        assert_eq!(settled_connections(&server, 5).await, 5);
        server.ask(["CLIENT", "KILL", "TYPE", "normal"]).await.unwrap();
        assert_eq!(settled_connections(&server, 5).await, 5);
        drop(storage);
        assert_eq!(settled_connections(&server, 0).await, 0);
        tokio::task::yield_now().await;
        assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
    });
}
