//! A primary that Sentinels watch is killed, frozen or replaced, and clients go on.

use std::time::Duration;

use cloakroom::{SessionStorage, StorageErrorKind};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::SentinelSet;

use super::load::Load;
use super::support::{create, eventually, until_replicated, until_writable};

/// The longest time without writes after a primary has died: the Sentinels of these tests take about
/// 3 s of it.
const RECOVERY: Duration = Duration::from_secs(8);

async fn connect(set: &SentinelSet) -> RedisSessionStorage {
    RedisSessionStorage::builder().url(set.url()).pool_size(3).build().await.unwrap()
}

#[tokio::test]
async fn a_killed_primary_is_followed_and_nothing_replicated_is_lost() {
    let set = SentinelSet::start().await.unwrap();
    let storage = connect(&set).await;
    let load = Load::start(&storage);
    load.more(100).await;
    let old = set.primary().await.unwrap();
    let sessions = load.acknowledged();
    until_replicated(old).await;
    old.kill_now();
    let took = until_writable(&storage).await;
    assert!(took < RECOVERY, "no writes for {took:?}");
    load.more(100).await;
    load.assert_found(&sessions).await;
    assert!(load.end().await > 0);
    let node = storage.health().nodes.remove(0);
    let new = set.primary_after(old).await.unwrap();
    assert_eq!(node.address, format!("127.0.0.1:{}", new.port()));
}

#[tokio::test]
async fn a_planned_failover_is_followed() {
    let set = SentinelSet::start().await.unwrap();
    let storage = connect(&set).await;
    let load = Load::start(&storage);
    load.more(50).await;
    let sessions = load.acknowledged();
    until_replicated(set.primary().await.unwrap()).await;
    let new = set.fail_over().await.unwrap();
    let took = until_writable(&storage).await;
    assert!(took < RECOVERY, "no writes for {took:?}");
    load.more(50).await;
    load.assert_found(&sessions).await;
    load.end().await;
    eventually(Duration::from_secs(5), async || {
        let health = storage.health().nodes.remove(0);
        health.address == format!("127.0.0.1:{}", new.port()) && health.takes_reads()
    })
    .await;
}

#[tokio::test]
async fn a_frozen_primary_that_comes_back_is_not_gone_back_to() {
    let set = SentinelSet::start().await.unwrap();
    let storage = connect(&set).await;
    let load = Load::start(&storage);
    load.more(20).await;
    let old = set.primary().await.unwrap();
    old.freeze();
    let took = until_writable(&storage).await;
    assert!(took < RECOVERY, "no writes for {took:?}");
    let before = load.acknowledged().len();
    load.more(20).await;
    // It says that it is a primary, until the Sentinels have told it otherwise.
    old.thaw();
    load.more(100).await;
    let since = load.acknowledged().split_off(before);
    set.settled().await.unwrap();
    // What went to the old primary meanwhile would be gone by now.
    load.assert_found(&since).await;
    load.end().await;
}

#[tokio::test]
async fn connections_go_on_while_every_sentinel_is_down() {
    let set = SentinelSet::start().await.unwrap();
    let storage = connect(&set).await;
    set.sentinels().iter().for_each(|sentinel| sentinel.kill_now());
    let load = Load::start(&storage);
    // Several heartbeats, and several questions to the Sentinels.
    tokio::time::sleep(Duration::from_secs(3)).await;
    load.more(20).await;
    assert_eq!(load.end().await, 0);
    assert!(storage.health().nodes[0].takes_reads());
}

#[tokio::test]
async fn a_silent_sentinel_delays_neither_start_nor_failover() {
    let set = SentinelSet::start().await.unwrap();
    // The first of the URL, and so the first to be asked.
    set.sentinels()[0].freeze();
    let storage = connect(&set).await;
    set.primary().await.unwrap().kill_now();
    let took = until_writable(&storage).await;
    assert!(took < RECOVERY, "no writes for {took:?}");
}

#[tokio::test]
async fn errors_during_a_failover_say_that_nothing_can_be_reached() {
    let set = SentinelSet::start().await.unwrap();
    let storage = connect(&set).await;
    let primary = set.primary().await.unwrap();
    set.sentinels().iter().for_each(|sentinel| sentinel.kill_now());
    primary.kill_now();
    for _ in 0..30 {
        let error = create(&storage).await.unwrap_err();
        let expected = matches!(
            error.kind(),
            StorageErrorKind::Unavailable
                | StorageErrorKind::Rejected
                | StorageErrorKind::Timeout { .. }
        );
        assert!(expected, "{error}");
    }
}
