//! Counting: only what is ours, however much else lies in the database.

use std::time::{Duration, Instant};

use cloakroom::{SessionKey, SessionStorage};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::RedisServer;

use super::support::{connect, holding, key_of, start};

const FOREIGN: usize = 100_000;

async fn with_prefix(server: &RedisServer, prefix: &str) -> RedisSessionStorage {
    RedisSessionStorage::builder().url(server.url()).prefix(prefix).build().await.unwrap()
}

/// Puts many keys of others into the database, some of which look nearly like ours.
async fn put_foreign_keys(server: &RedisServer, count: usize) {
    let script = "for i = 1, tonumber(ARGV[1]) do \
                    local name = i % 2 == 0 and 'cache:' or 'cloakroom:session' \
                    redis.call('SET', name .. i, 'x') \
                  end";
    server.ask(["EVAL", script, "0", &count.to_string()]).await.unwrap();
    let keys = server.ask(["DBSIZE"]).await.unwrap().number();
    assert_eq!(keys, count as i64);
}

#[tokio::test]
async fn a_hundred_thousand_foreign_keys_are_walked_over_in_bounded_steps() {
    let server = start().await;
    put_foreign_keys(&server, FOREIGN).await;
    let storage = connect(&server).await;
    let mut bytes = 0;
    for at in 0..30 {
        let id = format!("visitor-{at}");
        storage.set(&id, &holding("a", "1"), None).await.unwrap();
        bytes += storage.load(&SessionKey::from_name(&id)).await.unwrap().unwrap().size() as u64;
    }
    server.ask(["CONFIG", "SET", "slowlog-log-slower-than", "0"]).await.unwrap();
    server.ask(["CONFIG", "SET", "slowlog-max-len", "1000"]).await.unwrap();
    let stats = storage.stats().await.unwrap();
    assert_eq!((stats.total_sessions, stats.total_bytes), (30, bytes));

    let scans = server.calls("scan").await.unwrap();
    assert!((90..=220).contains(&scans), "{scans} rounds of 1,000 keys");
    assert_eq!(server.calls("keys").await.unwrap(), 0);
    let log = server.ask(["SLOWLOG", "GET", "1000"]).await.unwrap().many();
    let scan = log.iter().map(|entry| entry.text()).find(|entry| entry.contains("SCAN\n"));
    let scan = scan.expect("the walk is in the log");
    let pattern = format!("MATCH\ncloakroom:session:{}\nCOUNT\n1000", "?".repeat(32));
    assert!(scan.contains(&pattern), "{scan}");
}

#[tokio::test]
async fn the_servers_memory_figures_are_passed_on() {
    let server = start().await;
    let stats = connect(&server).await.stats().await.unwrap();
    assert_eq!(stats.backend, "redis");
    for figure in ["used_memory", "used_memory_peak", "used_memory_rss", "maxmemory"] {
        assert!(stats.backend_metrics[figure].parse::<u64>().is_ok(), "{figure}");
    }
    assert_eq!(stats.backend_metrics["maxmemory_policy"], "noeviction");
}

#[tokio::test]
async fn the_backends_figures_come_without_a_walk() {
    let server = start().await;
    let storage = connect(&server).await;
    let metrics = storage.backend_metrics().await.unwrap();
    assert_eq!(server.calls("scan").await.unwrap(), 0);
    assert!(metrics["used_memory"].parse::<u64>().is_ok());
    let stats = storage.stats().await.unwrap();
    assert!(metrics.keys().eq(stats.backend_metrics.keys()), "{metrics:?} {stats:?}");
}

#[tokio::test]
async fn a_prefix_of_glob_characters_counts_its_own_sessions_only() {
    let server = start().await;
    let prefixes = [r"a*[b]?\", "axb?", "a", "aXXb", "[a-z]", "^a-", r"\", "a*[b]?"];
    for (at, prefix) in prefixes.iter().enumerate() {
        let storage = with_prefix(&server, prefix).await;
        for session in 0..=at {
            storage.set(&format!("visitor-{session}"), &holding("a", "1"), None).await.unwrap();
        }
    }
    for (at, prefix) in prefixes.iter().enumerate() {
        let stats = with_prefix(&server, prefix).await.stats().await.unwrap();
        assert_eq!(stats.total_sessions, at as u64 + 1, "{prefix}");
    }
}

#[tokio::test]
async fn an_application_whose_prefix_begins_with_ours_is_not_counted() {
    let server = start().await;
    let ours = with_prefix(&server, "shop:").await;
    let theirs = with_prefix(&server, "shop:admin:").await;
    ours.set("ann", &holding("a", "1"), None).await.unwrap();
    for id in ["bob", "eve"] {
        theirs.set(id, &holding("a", "1"), None).await.unwrap();
    }
    // As long as one of our names, but not of our alphabet.
    server.ask(["SET", &format!("shop:{}", "z".repeat(32)), "x"]).await.unwrap();
    server.ask(["SET", &format!("shop:{}", "A".repeat(32)), "x"]).await.unwrap();
    assert_eq!(ours.stats().await.unwrap().total_sessions, 1);
    assert_eq!(theirs.stats().await.unwrap().total_sessions, 2);
}

#[tokio::test]
async fn what_cannot_be_a_record_is_not_counted() {
    let server = start().await;
    let storage = connect(&server).await;
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    let size = storage.load(&SessionKey::from_name("ann")).await.unwrap().unwrap().size() as u64;
    let hash = key_of("bob");
    server.ask([b"HSET".as_slice(), &hash, b"field", b"value"]).await.unwrap();
    // One byte less than a record's head.
    server.ask([b"SET".as_slice(), &key_of("eve"), &[b'x'; 115]]).await.unwrap();
    let stats = storage.stats().await.unwrap();
    assert_eq!((stats.total_sessions, stats.total_bytes), (1, size));
    let kind = server.ask([b"TYPE".as_slice(), &hash]).await.unwrap();
    assert_eq!(kind.text(), "hash");
}

#[tokio::test]
async fn expired_sessions_are_not_counted() {
    let server = start().await;
    let storage = connect(&server).await;
    storage.set("short", &holding("a", "1"), Duration::from_millis(50)).await.unwrap();
    storage.set("long", &holding("a", "1"), None).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(storage.stats().await.unwrap().total_sessions, 1);
}

#[tokio::test]
async fn the_command_timeout_bounds_each_step_of_a_walk_and_not_the_whole() {
    let server = start().await;
    put_foreign_keys(&server, 4 * FOREIGN).await;
    let limit = Duration::from_millis(40);
    let builder = RedisSessionStorage::builder().url(server.url()).command_timeout(limit);
    let storage = builder.build().await.unwrap();
    let mut tries = Vec::new();
    // A busy machine may hold up one step of a walk for so long, but not one in each of them.
    for _ in 0..10 {
        let begin = Instant::now();
        let stats = storage.stats().await;
        if stats.is_ok() && begin.elapsed() > limit {
            return;
        }
        tries.push((stats, begin.elapsed()));
    }
    panic!("no walk took longer than {limit:?} and succeeded: {tries:?}");
}
