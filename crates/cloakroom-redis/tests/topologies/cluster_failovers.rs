//! Primaries of a Cluster are killed or replaced, and clients go on.

use std::time::{Duration, Instant};

use cloakroom::{SessionKey, SessionStorage, StorageErrorKind};
use cloakroom_redis::{DEFAULT_PREFIX, RedisSessionStorage};
use cloakroom_testkit::{ClusterSet, RedisServer};

use super::load::Load;
use super::support::{create, eventually, until_replicated};

const RECOVERY: Duration = Duration::from_secs(8);

async fn connect(cluster: &ClusterSet) -> RedisSessionStorage {
    RedisSessionStorage::builder().url(cluster.url()).pool_size(2).build().await.unwrap()
}

async fn slot_of(cluster: &ClusterSet, key: &SessionKey) -> u16 {
    let name = [DEFAULT_PREFIX.as_bytes(), &key.to_hex()].concat();
    cluster.slot(std::str::from_utf8(&name).unwrap()).await.unwrap()
}

/// Creates a session on that node.
async fn create_on(
    cluster: &ClusterSet,
    node: &RedisServer,
    storage: &RedisSessionStorage,
) -> SessionKey {
    loop {
        let key = create(storage).await.unwrap();
        let slot = slot_of(cluster, &key).await;
        if cluster.owner(slot).await.unwrap().port() == node.port() {
            return key;
        }
    }
}

#[tokio::test]
async fn a_killed_primary_is_followed_and_nothing_replicated_is_lost() {
    let cluster = ClusterSet::start().await.unwrap();
    let storage = connect(&cluster).await;
    let load = Load::start(&storage);
    load.more(100).await;
    let old = &cluster.nodes()[0];
    let key = create_on(&cluster, old, &storage).await;
    let mut sessions = load.acknowledged();
    sessions.push(key);
    for node in &cluster.nodes()[..3] {
        until_replicated(node).await;
    }
    old.kill_now();
    let begin = Instant::now();
    while storage.load(&key).await.is_err() {
        assert!(begin.elapsed() < RECOVERY, "no answer for {:?}", begin.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    load.more(100).await;
    load.assert_found(&sessions).await;
    assert!(load.end().await > 0);
}

#[tokio::test]
async fn a_planned_failover_and_a_frozen_primary_are_followed() {
    let cluster = ClusterSet::start().await.unwrap();
    let storage = connect(&cluster).await;
    let load = Load::start(&storage);
    load.more(50).await;
    let sessions = load.acknowledged();
    for node in &cluster.nodes()[..3] {
        until_replicated(node).await;
    }
    cluster.fail_over(&cluster.nodes()[1]).await.unwrap();
    load.more(50).await;
    let old = &cluster.nodes()[0];
    let slot = 0;
    until_replicated(old).await;
    old.freeze();
    cluster.owner_after(slot, old).await.unwrap();
    load.more(50).await;
    let before = load.acknowledged().len();
    old.thaw();
    load.more(100).await;
    let since = load.acknowledged().split_off(before);
    cluster.settled().await.unwrap();
    load.assert_found(&sessions).await;
    load.assert_found(&since).await;
    load.end().await;
}

#[tokio::test]
async fn a_primary_without_a_replica_takes_only_its_own_sessions_along() {
    let node = RedisServer::builder()
        .setting("cluster-require-full-coverage", "no")
        .persistence(cloakroom_testkit::Persistence::EveryWrite);
    let cluster = ClusterSet::builder().nodes(node).start().await.unwrap();
    let storage = connect(&cluster).await;
    let (dead, well) = (&cluster.nodes()[0], &cluster.nodes()[1]);
    let lost = create_on(&cluster, dead, &storage).await;
    let other = create_on(&cluster, well, &storage).await;
    for replica in cluster.replicas_of(dead).await.unwrap() {
        replica.kill_now();
    }
    dead.kill_now();
    let (begin, mut slow, mut rejected) = (Instant::now(), 0, 0);
    while begin.elapsed() < Duration::from_secs(4) {
        let error = storage.load(&lost).await.unwrap_err();
        assert!(error.is_transient(), "{error}");
        rejected += usize::from(*error.kind() == StorageErrorKind::Rejected);
        let start = Instant::now();
        assert!(storage.load(&other).await.unwrap().is_some());
        slow += usize::from(start.elapsed() > Duration::from_millis(50));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(rejected > 50, "only {rejected} errors were quick");
    assert!(slow < 10, "{slow} loads from the other nodes were slow");
    dead.restart().await.unwrap();
    eventually(Duration::from_secs(10), async || {
        storage.load(&lost).await.is_ok_and(|found| found.is_some())
    })
    .await;
}
