//! What a test does to a server's process really happens to it.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod process;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use cloakroom_testkit::{Persistence, RedisServer, Reply};

use process::is_alive;

async fn value(server: &RedisServer) -> Reply {
    server.ask(["GET", "a"]).await.unwrap()
}

async fn set(server: &RedisServer, value: &str) {
    assert_eq!(server.ask(["SET", "a", value]).await.unwrap(), Reply::Status("OK".to_owned()));
}

fn stored(value: &str) -> Reply {
    Reply::Bytes(value.as_bytes().to_vec())
}

#[tokio::test]
async fn a_killed_server_comes_back_on_its_port_with_what_it_has_written() {
    for persistence in [Persistence::EverySecond, Persistence::EveryWrite] {
        let server = RedisServer::builder().persistence(persistence).start().await.unwrap();
        let (url, first) = (server.url(), server.process_id().unwrap());
        set(&server, "1").await;
        server.kill_now();
        assert!(!server.is_running() && !is_alive(first));
        assert!(server.ask(["PING"]).await.is_err());
        server.restart().await.unwrap();
        assert_eq!(value(&server).await, stored("1"), "{persistence:?}");
        assert_eq!(server.url(), url);
        assert_ne!(server.process_id().unwrap(), first);
        server.restart_empty().await.unwrap();
        assert_eq!(value(&server).await, Reply::Nil, "{persistence:?}");
    }
}

#[tokio::test]
async fn a_server_without_persistence_forgets_what_it_was_not_told_to_save() {
    let server = RedisServer::start().await.unwrap();
    set(&server, "1").await;
    server.restart().await.unwrap();
    assert_eq!(value(&server).await, Reply::Nil);
    set(&server, "2").await;
    server.ask(["SAVE"]).await.unwrap();
    server.restart().await.unwrap();
    assert_eq!(value(&server).await, stored("2"));
}

#[tokio::test]
async fn old_data_come_back_and_stay() {
    for persistence in [Persistence::Off, Persistence::EveryWrite] {
        let server = RedisServer::builder().persistence(persistence).start().await.unwrap();
        set(&server, "old").await;
        let snapshot = server.snapshot().await.unwrap();
        set(&server, "new").await;
        server.restart_from(&snapshot).await.unwrap();
        assert_eq!(value(&server).await, stored("old"), "{persistence:?}");
        server.restart().await.unwrap();
        assert_eq!(value(&server).await, stored("old"), "{persistence:?}, once more");
    }
}

#[tokio::test]
async fn a_server_that_is_asked_to_end_ends() {
    let server =
        RedisServer::builder().persistence(Persistence::EverySecond).start().await.unwrap();
    set(&server, "1").await;
    server.shut_down().await.unwrap();
    assert!(!server.is_running());
    server.restart().await.unwrap();
    assert_eq!(value(&server).await, stored("1"));
}

#[tokio::test]
async fn a_frozen_server_ends_with_its_value() {
    let server = RedisServer::builder().password("secret").start().await.unwrap();
    let process = server.process_id().unwrap();
    server.freeze();
    let asked = tokio::time::timeout(Duration::from_millis(50), server.ask(["PING"])).await;
    assert!(asked.is_err(), "{asked:?}");
    assert!(is_alive(process));
    drop(server);
    assert!(!is_alive(process));
}

#[tokio::test]
async fn a_server_that_refuses_its_settings_says_why() {
    let start = std::time::Instant::now();
    let error = RedisServer::start_with(&[("no-such-setting", "1")]).await.unwrap_err();
    assert!(error.to_string().contains("Bad directive"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(8), "nobody waits for a dead process");
}

#[tokio::test]
async fn a_port_of_somebody_else_is_never_mistaken_for_ones_own_server() {
    let one = RedisServer::start().await.unwrap();
    assert!(RedisServer::start_on(one.port()).await.is_err());
    assert!(one.is_running());
}

/// Runs in a process of its own, for the next test.
#[tokio::test]
#[ignore = "waits to be killed"]
async fn a_process_with_a_server() {
    let server = RedisServer::start().await.unwrap();
    server.freeze();
    println!("server={} socket={}", server.process_id().unwrap(), server.socket().display());
    tokio::time::sleep(Duration::from_secs(60)).await;
}

#[tokio::test]
async fn a_frozen_server_ends_with_a_killed_test_process_and_leaves_nothing_behind() {
    use std::io::{BufRead, BufReader};

    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "a_process_with_a_server", "--ignored", "--nocapture"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let told = lines.map_while(Result::ok).find_map(|line| {
        let (_, told) = line.split_once("server=")?;
        let (process, socket) = told.split_once(" socket=")?;
        Some((process.parse().ok()?, PathBuf::from(socket)))
    });
    let (process, socket) = told.unwrap();
    let folder = socket.parent().unwrap();
    assert!(folder.exists());
    assert!(is_alive(process));
    child.kill().unwrap();
    child.wait().unwrap();
    let mut waited = Duration::ZERO;
    while is_alive(process) || folder.exists() {
        assert!(waited < Duration::from_secs(5), "the server outlives its test process");
        tokio::time::sleep(Duration::from_millis(10)).await;
        waited += Duration::from_millis(10);
    }
}
