//! The servers that tests start are real, belong to them alone, and leave nothing behind.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::time::Duration;

use cloakroom_testkit::{RedisServer, Reply};

#[tokio::test]
async fn two_servers_at_once_know_nothing_of_each_other() {
    let (one, two) = (RedisServer::start().await.unwrap(), RedisServer::start().await.unwrap());
    assert_ne!(one.port(), two.port());
    one.ask(["SET", "a", "1"]).await.unwrap();
    assert_eq!(one.ask(["GET", "a"]).await.unwrap(), Reply::Bytes(b"1".to_vec()));
    assert_eq!(two.ask(["GET", "a"]).await.unwrap(), Reply::Nil);
}

#[tokio::test]
async fn a_server_ends_with_its_value_and_its_port_can_be_used_again() {
    let server = RedisServer::start().await.unwrap();
    let port = server.port();
    server.ask(["SET", "a", "1"]).await.unwrap();
    drop(server);
    assert!(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err());
    let again = RedisServer::start_on(port).await.unwrap();
    assert_eq!(again.ask(["DBSIZE"]).await.unwrap(), Reply::Number(0));
}

#[tokio::test]
async fn a_frozen_server_answers_nothing_until_it_is_thawed() {
    let server = RedisServer::start().await.unwrap();
    server.freeze();
    let asked = tokio::time::timeout(Duration::from_millis(50), server.ask(["PING"])).await;
    assert!(asked.is_err(), "{asked:?}");
    server.thaw();
    assert_eq!(server.ask(["PING"]).await.unwrap(), Reply::Status("PONG".to_owned()));
}

#[tokio::test]
async fn calls_are_counted_by_the_server_itself() {
    let server = RedisServer::start().await.unwrap();
    assert_eq!(server.calls("get").await.unwrap(), 0);
    for _ in 0..3 {
        server.ask(["GET", "a"]).await.unwrap();
    }
    assert_eq!(server.calls("get").await.unwrap(), 3);
}

#[tokio::test]
async fn settings_are_passed_on_and_refusals_are_shown() {
    let server = RedisServer::start_with(&[("requirepass", "secret")]).await.unwrap();
    let Reply::Error(refusal) = server.ask(["GET", "a"]).await.unwrap() else { panic!() };
    assert!(refusal.starts_with("NOAUTH"), "{refusal}");
}
