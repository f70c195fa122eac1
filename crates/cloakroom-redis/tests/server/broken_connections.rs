//! Connections break: what is asked next succeeds, and all of them come back.

use std::time::{Duration, Instant};

use cloakroom::SessionStorage;
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::{FaultProxy, RedisServer};

use super::support::{connect, holding, settled_connections, start, text};

async fn kill_connections(server: &RedisServer) {
    let killed = server.ask(["CLIENT", "KILL", "TYPE", "normal"]).await.unwrap().number();
    assert!(killed > 0);
}

#[tokio::test]
async fn the_very_next_request_after_all_connections_were_killed_succeeds() {
    let server = start().await;
    let storage = connect(&server).await;
    for round in 0..10 {
        let value = round.to_string();
        kill_connections(&server).await;
        storage.set("ann", &holding("a", &value), None).await.unwrap();
        kill_connections(&server).await;
        assert_eq!(text(&storage, "ann").await.unwrap(), Some(value));
        kill_connections(&server).await;
        assert!(storage.delete("ann").await.unwrap());
    }
}

#[tokio::test]
async fn all_connections_come_back_after_they_were_killed() {
    let server = start().await;
    let storage = connect(&server).await;
    assert_eq!(settled_connections(&server, 4).await, 4);
    kill_connections(&server).await;
    storage.ping().await.unwrap();
    assert_eq!(settled_connections(&server, 4).await, 4);
}

#[tokio::test]
async fn parallel_requests_survive_that_all_connections_are_killed() {
    let server = start().await;
    let storage = connect(&server).await;
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let storage = storage.clone();
        readers.spawn(async move {
            for _ in 0..20 {
                assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("1"));
                tokio::task::yield_now().await;
            }
        });
    }
    tokio::task::yield_now().await;
    kill_connections(&server).await;
    while let Some(reader) = readers.join_next().await {
        reader.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_was_killed_and_started_again_is_used_again() {
    let server = start().await;
    let storage = connect(&server).await;
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    let port = server.port();
    server.kill();
    storage.get("ann", None).await.unwrap_err();

    let server = RedisServer::start_on(port).await.unwrap();
    // It has lost its data, not the storage its mind: that is "no session", and no error.
    assert_eq!(text(&storage, "ann").await.unwrap(), None);
    storage.set("ann", &holding("a", "2"), None).await.unwrap();
    assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("2"));
    let start = Instant::now();
    while settled_connections(&server, 4).await != 4 {
        assert!(start.elapsed() < Duration::from_secs(10), "connections are missing");
        storage.ping().await.unwrap();
    }
}

#[tokio::test]
async fn connections_come_back_by_themselves_after_an_outage() {
    let server = start().await;
    let storage = connect(&server).await;
    let port = server.port();
    server.kill();
    storage.get("ann", None).await.unwrap_err();
    let server = RedisServer::start_on(port).await.unwrap();
    // Nobody asks for anything meanwhile.
    assert_eq!(settled_connections(&server, 4).await, 4);
}

#[test]
fn connections_come_back_on_another_runtime() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap()
    };
    let first = runtime();
    let (server, storage) = first.block_on(async {
        let server = start().await;
        let storage = connect(&server).await;
        kill_connections(&server).await;
        // This begins the renewal, which has no time to end.
        storage.ping().await.unwrap();
        (server, storage)
    });
    drop(first);
    runtime().block_on(async {
        storage.ping().await.unwrap();
        assert_eq!(settled_connections(&server, 4).await, 4);
    });
}

#[tokio::test]
async fn a_forgotten_script_is_taught_again_and_nobody_notices() {
    let server = start().await;
    let storage = connect(&server).await;
    for round in 0..5 {
        let value = round.to_string();
        server.ask(["SCRIPT", "FLUSH"]).await.unwrap();
        storage.set("ann", &holding("a", &value), Duration::from_millis(400)).await.unwrap();
        assert_eq!(text(&storage, "ann").await.unwrap(), Some(value));
    }
    server.ask(["SCRIPT", "FLUSH"]).await.unwrap();
    let key = cloakroom::SessionKey::from_name("ann");
    tokio::time::sleep(Duration::from_millis(5)).await;
    let touched = storage.touch(&key).await.unwrap();
    assert!(matches!(touched, cloakroom::Touched::Extended(_)), "{touched:?}");
}

#[tokio::test]
async fn connections_follow_an_address_that_leads_to_another_server() {
    let (before, after) = (start().await, start().await);
    let proxy = FaultProxy::before(&before).await.unwrap();
    let builder = RedisSessionStorage::builder().pool_size(4);
    let builder = builder.heartbeat_interval(Duration::from_millis(20));
    // Those that wait for replicas are connections of their own.
    let builder = builder.replicas(1, Duration::from_millis(1));
    let storage = builder.url(proxy.url()).build().await.unwrap();
    storage.set("ann", &holding("a", "before"), None).await.unwrap();
    let other = connect(&after).await;
    other.set("ann", &holding("a", "after"), None).await.unwrap();
    // The server that was there is well, and half of the connections to it stay.
    proxy.forward_to(("127.0.0.1", after.port())).await.unwrap();
    let clients = before.ask(["CLIENT", "LIST", "TYPE", "normal"]).await.unwrap().text();
    // Two wait for replicas, so one of three at least is another one.
    for ours in clients.lines().filter(|line| !line.contains("cmd=client")).take(3) {
        let id = ours.split(' ').next().unwrap().trim_start_matches("id=");
        before.ask(["CLIENT", "KILL", "ID", id]).await.unwrap();
    }
    let start = Instant::now();
    let mut in_a_row = 0;
    while in_a_row < 100 {
        let seen = text(&storage, "ann").await.unwrap();
        in_a_row = if seen.as_deref() == Some("after") { in_a_row + 1 } else { 0 };
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", storage.health());
    }
    assert_eq!(settled_connections(&before, 0).await, 0);
}
