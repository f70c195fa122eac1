//! The Sentinels that tests start really replace a primary, and what a test does to the members
//! really happens to them.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod process;

use std::time::Duration;

use cloakroom_testkit::{
    Certificates, ClientCertificate, Persistence, RedisServer, Reply, SentinelSet,
};

use process::is_alive;

async fn set(server: &RedisServer, key: &str, value: &str) {
    assert_eq!(server.ask(["SET", key, value]).await.unwrap(), Reply::Status("OK".to_owned()));
}

async fn value(server: &RedisServer, key: &str) -> String {
    server.ask(["GET", key]).await.unwrap().text()
}

/// Waits until a replica has been sent a value.
async fn receives(server: &RedisServer, key: &str, expected: &str) {
    let receiving = async {
        while value(server, key).await != expected {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), receiving).await.unwrap();
}

#[tokio::test]
async fn a_killed_primary_is_replaced_and_comes_back_as_a_replica() {
    let servers = SentinelSet::start().await.unwrap();
    let (old, url) = (servers.primary().await.unwrap(), servers.url());
    set(old, "a", "1").await;
    for replica in servers.replicas().await.unwrap() {
        receives(replica, "a", "1").await;
    }
    old.kill_now();
    let new = servers.primary_after(old).await.unwrap();
    assert_ne!(new.port(), old.port());
    assert_eq!(value(new, "a").await, "1");
    set(new, "b", "2").await;
    old.restart().await.unwrap();
    servers.settled().await.unwrap();
    assert_eq!(old.info("replication", "role").await.unwrap(), "slave");
    receives(old, "b", "2").await;
    assert_eq!(servers.url(), url, "clients find the new primary through the same Sentinels");
}

#[tokio::test]
async fn a_frozen_primary_is_replaced_and_gives_way_once_thawed() {
    let servers = SentinelSet::start().await.unwrap();
    let old = servers.primary().await.unwrap();
    old.freeze();
    let new = servers.primary_after(old).await.unwrap();
    set(new, "a", "1").await;
    old.thaw();
    servers.settled().await.unwrap();
    assert_eq!(servers.primary().await.unwrap().port(), new.port());
    receives(old, "a", "1").await;
}

/// A fault may come from a task of its own, beside those that make the load.
fn from_any_task<T: Send>(fault: T) -> T {
    fault
}

#[tokio::test]
async fn a_planned_failover_loses_nothing_and_can_be_repeated_with_a_sentinel_down() {
    let servers = SentinelSet::start().await.unwrap();
    set(servers.primary().await.unwrap(), "a", "1").await;
    for replica in servers.replicas().await.unwrap() {
        receives(replica, "a", "1").await;
    }
    let old = servers.primary().await.unwrap();
    let new = from_any_task(servers.fail_over()).await.unwrap();
    assert_ne!(new.port(), old.port());
    assert_eq!(value(new, "a").await, "1");
    from_any_task(servers.settled()).await.unwrap();
    servers.sentinels()[0].kill_now();
    let third = servers.fail_over().await.unwrap();
    assert_ne!(third.port(), new.port());
    servers.sentinels()[0].restart().await.unwrap();
    servers.settled().await.unwrap();
}

#[tokio::test]
async fn what_was_written_while_replication_was_cut_is_lost_with_its_primary() {
    let data = RedisServer::builder().persistence(Persistence::EverySecond);
    let servers = SentinelSet::builder().data(data).start().await.unwrap();
    let old = servers.primary().await.unwrap();
    set(old, "before", "1").await;
    for replica in servers.replicas().await.unwrap() {
        receives(replica, "before", "1").await;
    }
    from_any_task(servers.cut_replication()).await.unwrap();
    set(old, "during", "1").await;
    old.kill_now();
    let new = servers.primary_after(old).await.unwrap();
    assert_eq!((value(new, "before").await, value(new, "during").await), ("1".into(), "".into()));
    servers.heal_replication().await.unwrap();
    old.restart().await.unwrap();
    servers.settled().await.unwrap();
    receives(old, "during", "").await;
    assert_eq!(value(old, "before").await, "1");
}

#[tokio::test]
async fn a_careful_primary_refuses_writes_while_replication_is_cut() {
    let data = RedisServer::builder().password("our data").setting("min-replicas-to-write", "1");
    let servers = SentinelSet::builder()
        .data(data)
        .sentinels(RedisServer::builder().password("their sentinels"))
        .start()
        .await
        .unwrap();
    let primary = servers.primary().await.unwrap();
    set(primary, "a", "1").await;
    servers.cut_replication().await.unwrap();
    let Reply::Error(refusal) = primary.ask(["SET", "a", "2"]).await.unwrap() else { panic!() };
    assert!(refusal.starts_with("NOREPLICAS"), "{refusal}");
    assert_eq!(value(primary, "a").await, "1");
    servers.heal_replication().await.unwrap();
    servers.settled().await.unwrap();
    set(primary, "a", "3").await;
    let old = primary;
    old.kill_now();
    let new = servers.primary_after(old).await.unwrap();
    assert_eq!(new.password(), Some("our data"));
    assert_eq!(servers.sentinel_password(), Some("their sentinels"));
}

#[tokio::test]
async fn the_url_logs_in_as_the_user_of_the_data_servers() {
    let certificates = Certificates::create().unwrap();
    let data = RedisServer::builder()
        .user("app", "secret", "~* -@all +get")
        .tls(&certificates, ClientCertificate::Required);
    let sentinels = RedisServer::builder().tls(&certificates, ClientCertificate::Required);
    let servers = SentinelSet::builder().data(data).sentinels(sentinels).start().await.unwrap();
    let ports: Vec<_> = servers.sentinels().iter().map(RedisServer::port).collect();
    let hosts = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect::<Vec<_>>().join(",");
    let rest = format!("{hosts}/{}", servers.name());
    assert_eq!(servers.url(), format!("rediss+sentinel://app:secret@{rest}"));
    assert_eq!(servers.plain_url(), format!("rediss+sentinel://{rest}"));
    let old = servers.primary().await.unwrap();
    assert_ne!(servers.fail_over().await.unwrap().port(), old.port());
}

#[tokio::test]
async fn all_servers_end_with_the_set_even_frozen_ones() {
    let servers = SentinelSet::start().await.unwrap();
    let all = servers.data().iter().chain(servers.sentinels());
    let processes: Vec<_> = all.map(|server| server.process_id().unwrap()).collect();
    assert_eq!(processes.len(), 6);
    servers.data()[1].freeze();
    servers.sentinels()[1].freeze();
    assert!(processes.iter().all(|&process| is_alive(process)));
    drop(servers);
    assert!(!processes.iter().any(|&process| is_alive(process)));
}
