//! A network in which connections go silent without a word, as behind a firewall that has forgotten
//! them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cloakroom::{Event, HealthStatus, SessionStorage};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::fault_proxy::{Direction, Scope};
use cloakroom_testkit::{FaultProxy, RedisServer};

use super::support::{SOON, count, counting, takes_at_most, until};

const CONNECTIONS: usize = 10;

/// How soon connections that went silent have to be replaced.
const REPLACED: Duration = Duration::from_millis(1500);

async fn through(proxy: &FaultProxy) -> RedisSessionStorage {
    let builder = RedisSessionStorage::builder().url(proxy.url()).pool_size(CONNECTIONS);
    let storage = builder.build().await.unwrap();
    storage.set("ann", &counting(7), None).await.unwrap();
    storage
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_connections_are_replaced_soon_although_nobody_asks() {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::before(&server).await.unwrap();
    let storage = through(&proxy).await;
    let (lost, restored) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counters = (lost.clone(), restored.clone());
    storage.observe_with(Arc::new(move |event: &Event<'_>| match event {
        Event::ConnectionLost { .. } => _ = counters.0.fetch_add(1, Ordering::SeqCst),
        Event::ConnectionRestored { .. } => _ = counters.1.fetch_add(1, Ordering::SeqCst),
        _ => {}
    }));
    takes_at_most(REPLACED, async || {
        let (accepted, before) = (proxy.accepted(), restored.load(Ordering::SeqCst));
        proxy.black_hole(Scope::OpenNow, Direction::Both);
        let took = until(async || restored.load(Ordering::SeqCst) >= before + CONNECTIONS).await;
        assert!(proxy.accepted() >= accepted + CONNECTIONS as u64);
        took
    })
    .await;
    assert_eq!(count(&storage, "ann").await.unwrap(), Some(7));
    assert_eq!(storage.health().status, HealthStatus::Healthy);
    // Each silence was told once, and its end once.
    assert_eq!(lost.load(Ordering::SeqCst), restored.load(Ordering::SeqCst));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_heals_is_used_soon_although_older_attempts_hang_for_ever() {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::before(&server).await.unwrap();
    let storage = through(&proxy).await;
    takes_at_most(SOON, async || {
        proxy.black_hole(Scope::All, Direction::Both);
        tokio::time::sleep(Duration::from_millis(2500)).await;
        assert!(count(&storage, "ann").await.is_err());
        proxy.heal(Scope::New);
        let healed = Instant::now();
        until(async || count(&storage, "ann").await.is_ok()).await;
        let took = healed.elapsed();
        until(async || storage.health().status == HealthStatus::Healthy).await;
        took
    })
    .await;
}
