//! Connections that vanish without a word are replaced with nobody asking for anything, and a server
//! that comes back is found within a second, however many connections there are.

use std::time::{Duration, Instant};

use cloakroom::SessionStorage;
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::FaultProxy;
use cloakroom_testkit::fault_proxy::{Direction, Scope};

use super::support::{holding, settled_connections, start, text};

/// For whatever else the machine does meanwhile.
const GRACE: Duration = Duration::from_millis(300);

async fn through(proxy: &FaultProxy, pool_size: usize) -> RedisSessionStorage {
    let builder = RedisSessionStorage::builder().url(proxy.url()).pool_size(pool_size);
    let storage = builder.build().await.unwrap();
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    storage
}

async fn until_answered(storage: &RedisSessionStorage) -> Duration {
    let begin = Instant::now();
    while text(storage, "ann").await.is_err() {
        assert!(begin.elapsed() < Duration::from_secs(20), "no answer any more");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    begin.elapsed()
}

#[tokio::test]
async fn silent_connections_are_replaced_while_nobody_asks() {
    for pool_size in [1, 10] {
        let server = start().await;
        let proxy = FaultProxy::before(&server).await.unwrap();
        let storage = through(&proxy, pool_size).await;
        settled_connections(&server, pool_size).await;
        let goal = proxy.accepted() + pool_size as u64;
        proxy.black_hole(Scope::OpenNow, Direction::Both);
        let begin = Instant::now();
        proxy.until_accepted(goal).await;
        let took = begin.elapsed();
        assert!(took < Duration::from_millis(1500) + GRACE, "{pool_size}: {took:?}");
        assert_eq!(settled_connections(&server, pool_size).await, pool_size);
        assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("1"));
    }
}

#[tokio::test]
async fn a_healed_network_is_used_within_a_second() {
    for pool_size in [1, 10] {
        for outage in [Duration::from_secs(1), Duration::from_secs(4)] {
            let server = start().await;
            let proxy = FaultProxy::before(&server).await.unwrap();
            let storage = through(&proxy, pool_size).await;
            proxy.black_hole(Scope::All, Direction::Both);
            let begin = Instant::now();
            while begin.elapsed() < outage {
                let _ = text(&storage, "ann").await.unwrap_err();
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            proxy.heal(Scope::All);
            let took = until_answered(&storage).await;
            assert!(took < Duration::from_secs(1) + GRACE, "{pool_size}, {outage:?}: {took:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_refuses_connections_is_found_again_within_a_second() {
    for pool_size in [1, 2, 10] {
        let server = start().await;
        let proxy = FaultProxy::before(&server).await.unwrap();
        let storage = through(&proxy, pool_size).await;
        proxy.refuse_connections();
        proxy.reset(Scope::OpenNow);
        // Long enough for the pauses to have grown to their full length.
        tokio::time::sleep(Duration::from_secs(4)).await;
        proxy.accept_connections().unwrap();
        let took = until_answered(&storage).await;
        assert!(took < Duration::from_secs(1) + GRACE, "{pool_size}: {took:?}");
        assert_eq!(settled_connections(&server, pool_size).await, pool_size);
    }
}

#[tokio::test]
async fn each_connection_is_opened_by_one_attempt_at_a_time() {
    let server = start().await;
    let proxy = FaultProxy::before(&server).await.unwrap();
    let storage = through(&proxy, 3).await;
    settled_connections(&server, 3).await;
    proxy.black_hole(Scope::New, Direction::Both);
    proxy.reset(Scope::OpenNow);
    let before = proxy.accepted();
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(3) {
        let _ = text(&storage, "ann").await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        // The ends of those that were given up may still be on their way.
        assert!(proxy.open() <= 6, "{} at a time", proxy.open());
    }
    let attempts = proxy.accepted() - before;
    assert!(attempts <= 20, "{attempts} attempts");
}
