//! Slots of a Cluster move to another node while they are used.

use std::time::Duration;

use cloakroom::{Committed, Destroyed, SessionKey, SessionStorage};
use cloakroom_redis::{DEFAULT_PREFIX, RedisSessionStorage};
use cloakroom_testkit::{ClusterSet, RedisServer};

use super::load::Load;
use super::support::{create, creation, eventually, unused_key};

fn name(prefix: &str, key: &SessionKey) -> String {
    format!("{prefix}{}", String::from_utf8_lossy(&key.to_hex()))
}

async fn slot_of(cluster: &ClusterSet, key: &SessionKey) -> u16 {
    cluster.slot(&name(DEFAULT_PREFIX, key)).await.unwrap()
}

async fn connections(node: &RedisServer) -> u64 {
    node.info("stats", "total_connections_received").await.unwrap().parse().unwrap()
}

#[tokio::test]
async fn nothing_is_lost_while_used_slots_move() {
    let cluster = ClusterSet::start().await.unwrap();
    let builder = RedisSessionStorage::builder().url(cluster.url()).pool_size(2);
    let storage = builder.build().await.unwrap();
    let load = Load::start(&storage);
    load.more(60).await;
    let sessions = load.acknowledged();
    for key in &sessions[..40] {
        let slot = slot_of(&cluster, key).await;
        let from = cluster.owner(slot).await.unwrap();
        let to = cluster.nodes()[..3].iter().find(|node| node.port() != from.port()).unwrap();
        cluster.move_slots(slot..=slot, from, to).await.unwrap();
        assert!(storage.load(key).await.unwrap().is_some(), "a session was lost on its way");
    }
    let all = load.acknowledged();
    load.assert_found(&all).await;
    assert_eq!(load.end().await, 0);
    assert_eq!(storage.stats().await.unwrap().total_sessions, all_sessions(&cluster).await);
}

/// As many keys as the primaries have altogether.
async fn all_sessions(cluster: &ClusterSet) -> u64 {
    let mut keys = 0;
    for node in cluster.primaries().await {
        keys += u64::try_from(node.ask(["DBSIZE"]).await.unwrap().number()).unwrap();
    }
    keys
}

#[tokio::test]
async fn a_slot_half_moved_is_read_and_written_on_both_nodes() {
    let cluster = ClusterSet::start().await.unwrap();
    let builder = RedisSessionStorage::builder().url(cluster.url()).pool_size(2);
    let storage = builder.replicas(1, Duration::from_millis(200)).build().await.unwrap();
    let stays = create(&storage).await.unwrap();
    let moves = unused_key();
    let slot = slot_of(&cluster, &moves).await;
    let from = cluster.owner(slot).await.unwrap();
    let to = cluster.nodes()[..3].iter().find(|node| node.port() != from.port()).unwrap();
    cluster.begin_moving(slot, from, to).await.unwrap();
    let (before, scripts) = (connections(to).await, to.calls("evalsha").await.unwrap());
    // Created on the new node, which is asked each time: the slot is not its own yet.
    let applied = storage.commit(&moves, &creation()).await.unwrap();
    assert!(matches!(applied, Committed::Applied { .. }), "{applied:?}");
    assert!(to.calls("evalsha").await.unwrap() > scripts);
    let exists = storage.commit(&moves, &creation()).await.unwrap();
    assert!(matches!(exists, Committed::Exists), "{exists:?}");
    for _ in 0..20 {
        assert!(storage.load(&moves).await.unwrap().is_some());
    }
    assert_eq!(storage.stats().await.unwrap().total_sessions, 2);
    let destroyed = storage.destroy(&moves).await.unwrap();
    assert!(matches!(destroyed, Destroyed::Removed(_)), "{destroyed:?}");
    assert!(storage.load(&moves).await.unwrap().is_none());
    cluster.finish_moving(slot, from, to).await.unwrap();
    assert!(storage.load(&moves).await.unwrap().is_none());
    assert!(storage.load(&stays).await.unwrap().is_some());
    // The questions of this test come over connections of their own.
    let opened = connections(to).await - before;
    assert!(opened < 20, "{opened} connections");
}

#[tokio::test]
async fn a_node_that_gets_its_first_slot_gets_one_set_of_connections() {
    let cluster = ClusterSet::start().await.unwrap();
    let builder = RedisSessionStorage::builder().url(cluster.url()).pool_size(4);
    let storage = builder.build().await.unwrap();
    let (old, new) = (&cluster.nodes()[0], &cluster.nodes()[3]);
    // A replica becomes a primary without slots, which no map shows.
    new.ask(["CLUSTER", "RESET", "SOFT"]).await.unwrap();
    new.ask(["CLUSTER", "MEET", "127.0.0.1", &old.port().to_string()]).await.unwrap();
    eventually(Duration::from_secs(20), async || {
        let nodes = old.ask(["CLUSTER", "NODES"]).await.unwrap().text();
        let own = format!(":{}@", new.port());
        let line = nodes.lines().find(|line| line.contains(&own)).unwrap_or_default().to_owned();
        let state = new.ask(["CLUSTER", "INFO"]).await.unwrap().text();
        line.contains(" master ")
            && line.contains(" connected")
            && state.contains("cluster_state:ok")
            && state.contains("cluster_slots_assigned:16384")
    })
    .await;
    let key = loop {
        let key = unused_key();
        let slot = slot_of(&cluster, &key).await;
        if cluster.owner(slot).await.unwrap().port() == old.port() {
            break key;
        }
    };
    let slot = slot_of(&cluster, &key).await;
    cluster.begin_moving(slot, old, new).await.unwrap();
    let applied = storage.commit(&key, &creation()).await.unwrap();
    assert!(matches!(applied, Committed::Applied { .. }), "{applied:?}");
    let before = connections(new).await;
    for _ in 0..50 {
        assert!(storage.load(&key).await.unwrap().is_some());
    }
    let opened = connections(new).await - before;
    assert!(opened <= 4, "{opened} more connections for 50 loads");
    cluster.finish_moving(slot, old, new).await.unwrap();
    assert!(storage.load(&key).await.unwrap().is_some());
    eventually(Duration::from_secs(5), async || storage.health().nodes.len() == 4).await;
}

#[tokio::test]
async fn a_prefix_with_a_tag_keeps_all_sessions_on_one_node() {
    let cluster = ClusterSet::start().await.unwrap();
    let prefix = "cloakroom:session:{shop}:";
    let builder = RedisSessionStorage::builder().url(cluster.url()).prefix(prefix).pool_size(2);
    let storage = builder.build().await.unwrap();
    let mut keys = Vec::new();
    for _ in 0..20 {
        keys.push(create(&storage).await.unwrap());
    }
    let slot = cluster.slot(prefix).await.unwrap();
    let owner = cluster.owner(slot).await.unwrap();
    assert_eq!(owner.ask(["DBSIZE"]).await.unwrap().number(), 20);
    assert_eq!(storage.stats().await.unwrap().total_sessions, 20);
    assert_eq!(cluster.slot(&name(prefix, &keys[0])).await.unwrap(), slot);
    let to = cluster.nodes()[..3].iter().find(|node| node.port() != owner.port()).unwrap();
    cluster.move_slots(slot..=slot, owner, to).await.unwrap();
    for key in &keys {
        assert!(storage.load(key).await.unwrap().is_some());
    }
    assert_eq!(storage.stats().await.unwrap().total_sessions, 20);
}
