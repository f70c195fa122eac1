//! Deadlines are the server's: what it is told, what it writes, and what it has not removed yet.

use std::time::Duration;

use cloakroom::{SessionError, SessionKey, SessionStorage, Timestamp, Touched};
use cloakroom_testkit::RedisServer;

use super::support::{connect, holding, key_of, start, text};

/// The server's time in milliseconds.
async fn server_time(server: &RedisServer) -> u64 {
    let time = server.ask(["TIME"]).await.unwrap().many();
    (time[0].number() * 1000 + time[1].number() / 1000) as u64
}

/// When the key expires, by the server's clock. (`PEXPIRETIME` is there from Redis 7.0 on only.)
async fn expires_at(server: &RedisServer, key: &[u8]) -> u64 {
    // Time stands still within a script, so the two answers fit together.
    let script = "local t = redis.call('TIME') \
                  return t[1] * 1000 + math.floor(t[2] / 1000) + redis.call('PTTL', KEYS[1])";
    server.ask([b"EVAL".as_slice(), script.as_bytes(), b"1", key]).await.unwrap().number() as u64
}

/// How long an answer of the server may take on a busy machine, in milliseconds.
const ANSWER: u64 = 1000;

#[tokio::test]
async fn the_stamp_and_the_expiry_of_the_key_are_the_servers_time() {
    let server = start().await;
    let storage = connect(&server).await;
    let (key, ttl) = (SessionKey::from_name("ann"), Duration::from_secs(100));
    let before = server_time(&server).await;
    storage.set("ann", &holding("a", "1"), ttl).await.unwrap();
    let after = server_time(&server).await;
    let record = storage.load(&key).await.unwrap().unwrap();
    // Behind by the time that an answer takes, and ahead by nothing but the rounding.
    let touched = record.touched().as_millis();
    assert!((before - ANSWER..=after + 1).contains(&touched), "{before} {touched} {after}");
    assert_eq!(record.created(), record.touched());
    assert_eq!(record.idle_deadline(), record.touched() + ttl);
    let (deadline, expires) =
        (record.idle_deadline().as_millis(), expires_at(&server, &key_of("ann")).await);
    assert!((deadline - 1..=deadline + ANSWER).contains(&expires), "{deadline} {expires}");

    tokio::time::sleep(Duration::from_millis(5)).await;
    let Touched::Extended(stamp) = storage.touch(&key).await.unwrap() else { panic!("it lives") };
    assert!(stamp.touched > record.touched());
    assert_eq!(expires_at(&server, &key_of("ann")).await, stamp.idle_deadline.as_millis());
}

#[tokio::test]
async fn a_record_is_read_as_of_the_servers_time() {
    let server = start().await;
    let storage = connect(&server).await;
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let record = storage.load(&SessionKey::from_name("ann")).await.unwrap().unwrap();
    let now = Timestamp::from_millis(server_time(&server).await);
    // Behind by the time that an answer takes, and ahead by nothing but the rounding.
    let millisecond = Duration::from_millis(1);
    assert!(record.as_of() <= now + millisecond);
    assert!(record.touched().until(record.as_of()) + millisecond >= Duration::from_millis(100));
}

#[tokio::test]
async fn an_expired_record_that_the_server_keeps_is_not_returned() {
    let server = start().await;
    let storage = connect(&server).await;
    storage.set("ann", &holding("a", "1"), Duration::from_millis(50)).await.unwrap();
    let mut seen = storage.get("ann", None).await.unwrap().unwrap();
    // Somebody took the key's expiry away, as a restore from a backup may.
    let persisted = server.ask([b"PERSIST".as_slice(), &key_of("ann")]).await.unwrap();
    assert_eq!(persisted.number(), 1);
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert!(storage.load(&SessionKey::from_name("ann")).await.unwrap().is_none());
    assert!(storage.get("ann", None).await.unwrap().is_none());
    assert!(!storage.exists("ann").await.unwrap());
    // Nor does anything prolong it; new data takes its place as if it were not there.
    assert_eq!(storage.touch(&SessionKey::from_name("ann")).await.unwrap(), Touched::Gone);
    seen.insert("a", "2").unwrap();
    assert!(matches!(storage.set("ann", &seen, None).await, Err(SessionError::Gone)));
    storage.set("ann", &holding("a", "new"), None).await.unwrap();
    assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("new"));
}
