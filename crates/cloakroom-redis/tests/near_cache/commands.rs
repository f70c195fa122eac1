//! What reads and writes cost the server with a near-cache, by the server's own counters.

use std::time::Duration;

use cloakroom::{Answer, Engine, Session, SessionKey, SessionStorage, SetCookie};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::{FakeRequest, RedisServer};

use super::support::{builder, change, figures, has_copy, node, put, text, until, warm};

async fn reads(server: &RedisServer) -> u64 {
    server.calls("get").await.unwrap()
}

async fn writes(server: &RedisServer) -> u64 {
    server.calls("evalsha").await.unwrap()
}

async fn request(
    engine: &Engine,
    visitor: &FakeRequest,
    handler: impl AsyncFnOnce(Session),
) -> Option<SetCookie> {
    let scope = engine.begin(visitor);
    handler(scope.handle().load().await.unwrap()).await;
    scope.finish(Answer::Ordinary).await.unwrap().into_cookie()
}

#[tokio::test]
async fn a_second_read_costs_no_command() {
    let server = RedisServer::start().await.unwrap();
    let storage = node(server.url()).await;
    put(&storage, "ann", "1").await;
    warm(&storage, "ann").await;
    let before = reads(&server).await;
    for _ in 0..100 {
        assert_eq!(text(&storage, "ann").await.as_deref(), Some("1"));
    }
    assert_eq!(reads(&server).await, before);
    assert!(figures(&storage).hits >= 100);
}

/// So a storage around this one that knows nothing of copies answers by none.
#[tokio::test]
async fn a_load_is_never_answered_by_a_copy() {
    let server = RedisServer::start().await.unwrap();
    let storage = node(server.url()).await;
    put(&storage, "ann", "1").await;
    warm(&storage, "ann").await;
    let before = reads(&server).await;
    for round in 1..=5 {
        assert!(has_copy(&storage, "ann"));
        assert!(storage.load(&SessionKey::from_name("ann")).await.unwrap().is_some());
        assert!(storage.exists("ann").await.unwrap());
        assert_eq!(reads(&server).await, before + 2 * round);
    }
}

#[tokio::test]
async fn a_write_costs_one_command_and_the_next_read_none() {
    let server = RedisServer::start().await.unwrap();
    for pool_size in [1, 2] {
        let storage = builder(server.url()).pool_size(pool_size).build().await.unwrap();
        let engine = Engine::builder(storage).build().unwrap();
        let nobody = FakeRequest::new();
        let cookie = request(&engine, &nobody, async |s| s.insert("n", 0).unwrap()).await;
        let visitor = FakeRequest::with(&cookie.unwrap());
        request(&engine, &visitor, async |s| s.insert("n", 0).unwrap()).await;
        let (read, written) = (reads(&server).await, writes(&server).await);
        for n in 1..=20 {
            request(&engine, &visitor, async |s| s.insert("n", n).unwrap()).await;
            request(&engine, &visitor, async |s| assert_eq!(s.get("n").unwrap(), Some(n))).await;
        }
        assert_eq!(writes(&server).await - written, 20, "{pool_size}");
        assert_eq!(reads(&server).await - read, 0, "{pool_size}");
    }
}

#[tokio::test]
async fn a_new_session_is_at_hand_for_the_next_request() {
    let server = RedisServer::start().await.unwrap();
    let storage = node(server.url()).await;
    put(&storage, "ann", "1").await;
    assert!(has_copy(&storage, "ann"));
}

#[tokio::test]
async fn a_change_by_another_node_is_seen_and_costs_one_read() {
    let server = RedisServer::start().await.unwrap();
    let (one, other) = (node(server.url()).await, node(server.url()).await);
    put(&one, "ann", "0").await;
    for n in 1..=20 {
        let value = n.to_string();
        warm(&other, "ann").await;
        change(&one, "ann", &value).await;
        assert_eq!(text(&one, "ann").await.as_ref(), Some(&value));
        until("the change is not heard of", || !has_copy(&other, "ann")).await;
        assert_eq!(text(&other, "ann").await.as_ref(), Some(&value));
    }
    assert!(figures(&other).invalidations >= 20);
}

#[tokio::test]
async fn a_cache_never_holds_more_than_it_may() {
    let server = RedisServer::start().await.unwrap();
    let small = super::support::lasting().with_max_entries(16);
    let storage = builder(server.url()).near_cache(small).build().await.unwrap();
    for visitor in 0..200 {
        put(&storage, &format!("visitor {visitor}"), "1").await;
        assert!(figures(&storage).entries <= 16);
    }
    assert!(figures(&storage).evictions >= 184);
    for visitor in 0..200 {
        assert_eq!(text(&storage, &format!("visitor {visitor}")).await.as_deref(), Some("1"));
    }
}

#[tokio::test]
async fn a_server_that_forgets_whom_to_tell_calls_back_what_it_forgets() {
    let settings = [("tracking-table-max-keys", "8")];
    let server = RedisServer::start_with(&settings).await.unwrap();
    let storage = node(server.url()).await;
    for visitor in 0..100 {
        put(&storage, &format!("visitor {visitor}"), "1").await;
        text(&storage, &format!("visitor {visitor}")).await;
    }
    until("the server has called nothing back", || figures(&storage).entries <= 8).await;
}

#[tokio::test]
async fn a_touch_and_a_removal_leave_no_copy() {
    let server = RedisServer::start().await.unwrap();
    let storage: RedisSessionStorage = node(server.url()).await;
    put(&storage, "ann", "1").await;
    warm(&storage, "ann").await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let _ = storage.touch(&cloakroom::SessionKey::from_name("ann")).await.unwrap();
    assert!(!has_copy(&storage, "ann"));
    warm(&storage, "ann").await;
    assert!(storage.delete("ann").await.unwrap());
    assert!(!has_copy(&storage, "ann"));
    assert_eq!(text(&storage, "ann").await, None);
}
