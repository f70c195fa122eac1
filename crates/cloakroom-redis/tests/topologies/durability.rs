//! Removals that replicas confirm, and what they cost others.

use std::time::{Duration, Instant};

use cloakroom::{Destroyed, Durability, SessionStorage};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::{ClusterSet, RedisServer, SentinelSet};
use tokio::task::JoinSet;

use super::support::create;

const LIMIT: Duration = Duration::from_millis(200);

async fn connect(url: impl Into<String>, replicas: u32) -> RedisSessionStorage {
    let builder = RedisSessionStorage::builder().url(url).pool_size(2).replicas(replicas, LIMIT);
    builder.build().await.unwrap()
}

async fn destroyed(storage: &RedisSessionStorage) -> Durability {
    let key = create(storage).await.unwrap();
    match storage.destroy(&key).await.unwrap() {
        Destroyed::Removed(durability) => durability,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_removal_says_how_many_replicas_have_confirmed_it() {
    let set = SentinelSet::start().await.unwrap();
    let one = connect(set.url(), 1).await;
    let durability = destroyed(&one).await;
    assert!(durability.is_met() && (1..=2).contains(&durability.replicas), "{durability:?}");
    let three = connect(set.url(), 3).await;
    let begin = Instant::now();
    let durability = destroyed(&three).await;
    assert_eq!((durability.replicas, durability.asked), (2, 3));
    assert!(begin.elapsed() >= LIMIT, "it waited for the third one");

    set.cut_replication().await.unwrap();
    let begin = Instant::now();
    let durability = destroyed(&one).await;
    assert_eq!((durability.replicas, durability.asked), (0, 1));
    assert!(begin.elapsed() < LIMIT * 3, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn whoever_waits_for_replicas_delays_nobody() {
    // Without replicas each removal waits until its limit.
    let server = RedisServer::start().await.unwrap();
    let storage = connect(server.url(), 1).await;
    let mut keys = Vec::new();
    for _ in 0..40 {
        keys.push(create(&storage).await.unwrap());
    }
    let mut removals = JoinSet::new();
    for key in keys.clone() {
        let storage = storage.clone();
        removals.spawn(async move { storage.destroy(&key).await });
    }
    let (mut slow, mut asked) = (0, 0);
    while !removals.is_empty() {
        let begin = Instant::now();
        create(&storage).await.unwrap();
        assert!(storage.load(&keys[0]).await.is_ok());
        slow += usize::from(begin.elapsed() > LIMIT / 2);
        asked += 1;
        tokio::time::sleep(Duration::from_millis(2)).await;
        while let Some(removal) = removals.try_join_next() {
            let removal = removal.unwrap().unwrap();
            assert_eq!(removal, Destroyed::Removed(Durability::replicas(0, 1)));
        }
    }
    assert!(slow * 10 < asked, "{slow} of {asked} were slow");
}

#[tokio::test]
async fn replicas_of_a_cluster_confirm_as_well() {
    let cluster = ClusterSet::start().await.unwrap();
    let storage = connect(cluster.url(), 1).await;
    for _ in 0..10 {
        assert_eq!(destroyed(&storage).await, Durability::replicas(1, 1));
    }
}

#[tokio::test]
async fn a_server_that_does_not_let_anybody_wait_removes_all_the_same() {
    let builder = RedisServer::builder().user("app", "secret", "~* +@all -wait");
    let server = builder.start().await.unwrap();
    let storage = connect(server.url(), 1).await;
    assert_eq!(destroyed(&storage).await, Durability::replicas(0, 1));
}
