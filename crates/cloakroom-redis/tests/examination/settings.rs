//! Servers that are set up well, badly, or not at all.

use std::time::Duration;

use cloakroom_redis::{Diagnosis, Severity, Topic, Verdict};
use cloakroom_testkit::{Persistence, RedisServer};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::support::{assert_found, assert_helps, examine, on, sound};

#[tokio::test]
async fn a_sound_server_is_sound_and_stays_as_it_was() {
    let server = sound().start().await.unwrap();
    let before = server.ask(["CONFIG", "GET", "*"]).await.unwrap().text();
    let diagnosis = examine(server.plain_url()).await;
    assert_helps(&diagnosis, Verdict::Sound);
    assert_eq!(diagnosis.servers, [format!("127.0.0.1:{}", server.port())]);
    for topic in [
        Topic::Reachability,
        Topic::Role,
        Topic::Encryption,
        Topic::Rights,
        Topic::Scripts,
        Topic::NearCache,
        Topic::Clock,
        Topic::Persistence,
        Topic::Eviction,
        Topic::Memory,
        Topic::Forks,
        Topic::Connections,
    ] {
        assert_found(&diagnosis, topic, Severity::Ok, &[]);
    }
    assert_eq!(on(&diagnosis, Topic::Latency).len(), 1);
    assert_eq!(diagnosis.count(Severity::Hidden), 0, "{diagnosis:#?}");
    // The session that was tried is gone, and no setting is another one.
    assert_eq!(server.ask(["DBSIZE"]).await.unwrap().number(), 0);
    assert_eq!(server.ask(["CONFIG", "GET", "*"]).await.unwrap().text(), before);
}

#[tokio::test]
async fn a_policy_that_evicts_is_an_error_as_soon_as_there_is_a_bound() {
    for policy in ["allkeys-lru", "volatile-ttl"] {
        let server = sound().setting("maxmemory-policy", policy).start().await.unwrap();
        let diagnosis = examine(server.plain_url()).await;
        assert_helps(&diagnosis, Verdict::Errors);
        let words = [policy, "given up", "maxmemory-policy noeviction"];
        assert_found(&diagnosis, Topic::Eviction, Severity::Error, &words);
        server.ask(["CONFIG", "SET", "maxmemory", "0"]).await.unwrap();
        let diagnosis = examine(server.plain_url()).await;
        assert_helps(&diagnosis, Verdict::Warnings);
        assert_found(&diagnosis, Topic::Eviction, Severity::Warning, &[policy, "takes effect"]);
    }
}

#[tokio::test]
async fn keys_that_were_evicted_are_told() {
    let server = sound().setting("maxmemory-policy", "allkeys-lru").start().await.unwrap();
    let used: u64 = server.info("memory", "used_memory").await.unwrap().parse().unwrap();
    let limit = (used + 200_000).to_string();
    server.ask(["CONFIG", "SET", "maxmemory", &limit]).await.unwrap();
    for number in 0..200 {
        server.ask(["SET", &number.to_string(), &"x".repeat(4096)]).await.unwrap();
    }
    server.ask(["CONFIG", "SET", "maxmemory", "1gb"]).await.unwrap();
    server.ask(["CONFIG", "SET", "maxmemory-policy", "noeviction"]).await.unwrap();
    let diagnosis = examine(server.plain_url()).await;
    assert_found(&diagnosis, Topic::Eviction, Severity::Warning, &["keys were evicted"]);
}

#[tokio::test]
async fn what_a_crash_loses_is_told() {
    let nothing = RedisServer::builder().password("correct-horse").start().await.unwrap();
    let diagnosis = examine(nothing.plain_url()).await;
    assert_helps(&diagnosis, Verdict::Warnings);
    let words = ["nothing is saved", "every session", "appendonly yes"];
    assert_found(&diagnosis, Topic::Persistence, Severity::Warning, &words);

    let dumps = sound().persistence(Persistence::Off).setting("save", "3600 1");
    let diagnosis = examine(dumps.start().await.unwrap().plain_url()).await;
    let found = assert_found(&diagnosis, Topic::Persistence, Severity::Warning, &["dumps"]);
    assert!(found.why.contains("sign-outs"), "{found:?}");

    let always = sound().persistence(Persistence::EveryWrite).start().await.unwrap();
    let diagnosis = examine(always.plain_url()).await;
    assert_found(&diagnosis, Topic::Persistence, Severity::Ok, &["before it is answered"]);
}

#[tokio::test]
async fn a_full_server_is_an_error_and_refuses_the_trial_session() {
    let server = sound().start().await.unwrap();
    server.ask(["CONFIG", "SET", "maxmemory", "1"]).await.unwrap();
    let diagnosis = examine(server.plain_url()).await;
    assert_helps(&diagnosis, Verdict::Errors);
    assert_found(&diagnosis, Topic::Memory, Severity::Error, &["are taken"]);
    assert_found(&diagnosis, Topic::Scripts, Severity::Error, &["out of memory", "maxmemory"]);
}

#[tokio::test]
async fn a_server_that_cannot_save_is_an_error() {
    let server = sound().setting("save", "3600 1").start().await.unwrap();
    server.ask(["SET", "a", "1"]).await.unwrap();
    let missing = "/proc/no-such-folder";
    // Older servers refuse the folder; they take a name that is no file's.
    let moved = server.ask(["CONFIG", "SET", "dir", missing]).await.unwrap();
    assert!(moved.text().starts_with("ERR") || moved.text().is_empty(), "{moved:?}");
    let folder = server.socket().parent().unwrap().join("dump.rdb");
    let _ = std::fs::remove_file(&folder);
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("in-the-way"), "").unwrap();
    server.ask(["BGSAVE"]).await.unwrap();
    let failed = async {
        while server.info("persistence", "rdb_last_bgsave_status").await.unwrap() != "err" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), failed).await.unwrap();
    let diagnosis = examine(server.plain_url()).await;
    assert_helps(&diagnosis, Verdict::Errors);
    assert_found(&diagnosis, Topic::Persistence, Severity::Error, &["dump failed"]);
    assert_found(&diagnosis, Topic::Reachability, Severity::Error, &["MISCONF"]);
    assert_found(&diagnosis, Topic::Scripts, Severity::Error, &["MISCONF"]);
}

#[tokio::test]
async fn connections_that_were_turned_away_are_told() {
    let server = sound().setting("maxclients", "10").start().await.unwrap();
    let mut open = Vec::new();
    for _ in 0..11 {
        open.push(TcpStream::connect(("127.0.0.1", server.port())).await.unwrap());
    }
    let mut refusal = String::new();
    open[10].read_to_string(&mut refusal).await.unwrap();
    assert!(refusal.contains("max number of clients"), "{refusal}");
    drop(open);
    let room = async { while server.ask(["PING"]).await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(10), room).await.unwrap();
    let diagnosis = examine(server.plain_url()).await;
    assert_found(&diagnosis, Topic::Connections, Severity::Warning, &["turned away", "maxclients"]);
}

#[tokio::test]
async fn huge_pages_and_connections_that_never_end_are_told() {
    let server = sound().setting("disable-thp", "no").setting("tcp-keepalive", "0");
    let server = server.start().await.unwrap();
    let diagnosis = examine(server.plain_url()).await;
    assert_found(&diagnosis, Topic::Settings, Severity::Warning, &["huge pages", "disable-thp"]);
    assert_found(&diagnosis, Topic::Settings, Severity::Info, &["tcp-keepalive"]);
}

/// The commands between backticks that are for the server.
fn to_be_typed(diagnosis: &Diagnosis) -> Vec<String> {
    let remedies = diagnosis.findings.iter().filter_map(|finding| finding.remedy.as_deref());
    let quoted = remedies.flat_map(|remedy| remedy.split('`').skip(1).step_by(2));
    let orders = quoted.filter(|it| it.starts_with("CONFIG ") || it.starts_with("ACL "));
    orders.map(str::to_owned).collect()
}

#[tokio::test]
async fn what_is_to_be_typed_helps_and_lasts() {
    let server = sound()
        .persistence(Persistence::Off)
        .setting("save", "3600 1")
        .setting("maxmemory-policy", "allkeys-lru")
        .setting("tcp-keepalive", "0");
    let server = server.start().await.unwrap();
    server.ask(["SET", "a-session", "1"]).await.unwrap();
    let diagnosis = examine(server.plain_url()).await;
    assert_helps(&diagnosis, Verdict::Errors);
    let orders = to_be_typed(&diagnosis);
    for name in ["maxmemory-policy", "appendonly", "appendfsync", "tcp-keepalive"] {
        assert!(orders.iter().any(|order| order.contains(name)), "{name}: {orders:?}");
    }
    for order in orders {
        assert_eq!(server.ask(order.split(' ')).await.unwrap().text(), "OK", "{order}");
    }
    // The append-only file is whole as soon as the data that were there are in it.
    let whole = async {
        while server.info("persistence", "aof_rewrite_in_progress").await.unwrap() != "0"
            || server.info("persistence", "aof_rewrite_scheduled").await.unwrap() != "0"
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), whole).await.unwrap();
    for _ in 0..2 {
        let diagnosis = examine(server.plain_url()).await;
        assert_helps(&diagnosis, Verdict::Sound);
        for topic in [Topic::Eviction, Topic::Persistence, Topic::Settings] {
            assert_found(&diagnosis, topic, Severity::Ok, &[]);
        }
        // Nothing was lost on the way.
        assert_eq!(server.ask(["DBSIZE"]).await.unwrap().number(), 1);
        server.restart().await.unwrap();
    }
}
