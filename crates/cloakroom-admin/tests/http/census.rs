//! The count of sessions, on a Redis with many.

use std::time::Duration;

use cloakroom::Engine;
use cloakroom_admin::AdminPage;
use cloakroom_redis::{DEFAULT_PREFIX, RedisSessionStorage};
use cloakroom_testkit::RedisServer;
use serde_json::Value;

use crate::site::{Browser, PASSWORD, operators, visit};

const MANY: u64 = 50_000;

/// A page over a Redis with 50,000 keys of sessions, for a user with these rules.
async fn page(rules: &str) -> (RedisServer, Browser) {
    let redis = RedisServer::start().await.unwrap();
    let storage = RedisSessionStorage::builder().url(redis.url()).build().await.unwrap();
    let engine = Engine::builder(storage).build().unwrap();
    let id = visit(&engine, Some("eve"), "Browser/1").await;
    let key = [DEFAULT_PREFIX.as_bytes(), &id.key().to_hex()].concat();
    let copies = format!(
        "local record = redis.call('GET', KEYS[1]) for at = 2, {MANY} do \
         redis.call('SET', '{DEFAULT_PREFIX}' .. redis.sha1hex(at):sub(1, 32), record, 'EX', 600) end"
    );
    redis.ask([b"EVAL".as_slice(), copies.as_bytes(), b"1", &key]).await.unwrap();
    let rules = rules.split_whitespace().map(str::as_bytes);
    let user = [b"ACL".as_slice(), b"SETUSER", b"page", b"on", b">a password", b"~*", b"+@all"];
    redis.ask(user.into_iter().chain(rules).collect::<Vec<_>>()).await.unwrap();
    let url = redis.url_as("page", "a password");
    let storage = RedisSessionStorage::builder().url(url).build().await.unwrap();
    let engine = Engine::builder(storage).build().unwrap();
    let page = AdminPage::for_operators(engine, operators()).router().unwrap();
    let mut ada = Browser::of(&axum::Router::new().nest("/admin", page));
    ada.sign_in("ada", PASSWORD).await;
    (redis, ada)
}

async fn counted(browser: &mut Browser) -> Value {
    loop {
        let figures = browser.get("/admin/api/overview").await.json();
        if figures["count"] != Value::Null {
            return figures;
        }
        assert_eq!(figures["count_error"], Value::Null);
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// How long the server was busy with a command, in microseconds.
async fn busy(redis: &RedisServer, command: &str) -> u64 {
    let stats = redis.ask([b"INFO".as_slice(), b"commandstats"]).await.unwrap().bytes().unwrap();
    let stats = String::from_utf8(stats).unwrap();
    let line = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:")));
    let usec = line.and_then(|line| line.split(',').find_map(|it| it.strip_prefix("usec=")));
    usec.map_or(0, |usec| usec.parse().unwrap())
}

#[tokio::test]
async fn a_count_of_many_sessions_leaves_the_server_alone_most_of_the_time() {
    let (redis, mut ada) = page("").await;
    let (scans, lengths) =
        (redis.calls("scan").await.unwrap(), redis.calls("strlen").await.unwrap());
    let busy_before = busy(&redis, "scan").await;
    let figures = counted(&mut ada).await;
    let count = &figures["count"];
    // Some keys were met twice where the server's table was growing.
    let sessions = count["sessions"].as_u64().unwrap();
    assert!((MANY..MANY + MANY / 50).contains(&sessions), "{count}");
    assert!(redis.calls("scan").await.unwrap() - scans >= 50);
    // Only a part was looked at; copies are no records of their keys.
    let looked_at = redis.calls("strlen").await.unwrap() - lengths;
    assert!((2000..2500).contains(&looked_at), "{looked_at}");
    let took = count["took_ms"].as_u64().unwrap() * 1000;
    let spent = busy(&redis, "scan").await - busy_before;
    assert!(took > 5 * spent, "{took} µs for {spent} µs of the server's time");
    // Figures of the server, which nobody has counted.
    assert!(count["memory"].as_u64().unwrap() > 1_000_000, "{count}");
    assert_eq!(count["problem"], Value::Null);
}

#[tokio::test]
async fn a_user_who_may_not_look_at_sessions_is_told_so_and_how_many_there_are() {
    let (redis, mut ada) = page("-getrange").await;
    let figures = counted(&mut ada).await;
    let count = &figures["count"];
    assert!(count["sessions"].as_u64().unwrap() >= MANY, "{count}");
    assert_eq!((&count["signed_in"], &count["is_exact"]), (&Value::Null, &Value::Bool(false)));
    assert!(count["problem"].as_str().unwrap().contains("does not let the user"), "{count}");
    assert_eq!(
        (&figures["is_refused"], &figures["count_error"]),
        (&Value::Bool(true), &Value::Null)
    );
    // And it does not begin again at once.
    let scans = redis.calls("scan").await.unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    ada.get("/admin/api/overview").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(redis.calls("scan").await.unwrap(), scans);
}
