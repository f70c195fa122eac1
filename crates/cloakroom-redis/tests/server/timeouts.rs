//! Every operation ends within its limit, whatever the server does, and says which limit that was.

use std::time::{Duration, Instant};

use cloakroom::{
    CommitBuilder, ConfigErrorKind, Expect, FingerprintMode, Operation, SessionError, SessionKey,
    SessionStorage, StorageError, StorageErrorKind,
};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::FaultProxy;
use cloakroom_testkit::fault_proxy::{Direction, Latency, Scope};

use super::support::{GRACE, connect, ends_at, ends_within, holding, never_open, start, text};

const LIMIT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(20);

async fn open(
    url: &str,
    connection_timeout: Duration,
    command_timeout: Duration,
) -> Result<RedisSessionStorage, cloakroom::ConfigError> {
    let mode = FingerprintMode::Soft;
    RedisSessionStorage::from_url(url, "app:", 3, mode, LONG, connection_timeout, command_timeout)
        .await
}

/// A storage whose operations all have one limit, and which goes on asking however often it passes.
async fn open_patiently(url: &str, limit: Duration) -> RedisSessionStorage {
    let builder = RedisSessionStorage::builder().url(url).pool_size(3).default_ttl(LONG);
    let builder = builder.command_timeout(limit).load_timeout(limit).commit_timeout(limit);
    builder.breaker(never_open()).build().await.unwrap()
}

fn assert_names_the_limit(error: &StorageError, operation: Operation) {
    assert_eq!(error.operation(), operation);
    let StorageErrorKind::Timeout { limit, elapsed } = error.kind() else { panic!("{error:?}") };
    assert_eq!(*limit, LIMIT);
    assert!(*elapsed >= LIMIT, "{elapsed:?}");
    let shown = error.to_string();
    for part in ["command timeout", "200ms", "elapsed", operation.name()] {
        assert!(shown.contains(part), "`{part}` is missing in: {shown}");
    }
    assert!(error.is_transient());
}

#[tokio::test]
async fn the_connection_timeout_fires_when_the_server_is_frozen() {
    let server = start().await;
    server.freeze();
    ends_at(LIMIT, async || {
        let error = open(&server.url(), LIMIT, LONG).await.unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Timeout);
        assert_eq!(error.problems()[0].field, "connection_timeout");
        let shown = error.to_string();
        let host = format!("127.0.0.1:{}", server.port());
        for part in [host.as_str(), "connection timeout", "200ms", "elapsed", "check that"] {
            assert!(shown.contains(part), "`{part}` is missing in: {shown}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_connection_timeout_fires_when_somebody_listens_and_never_answers() {
    let silent = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    ends_at(LIMIT, async || {
        let error = open(&url, LIMIT, LONG).await.unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Timeout, "{error}");
    })
    .await;
}

#[tokio::test]
async fn the_connection_timeout_fires_and_names_itself_on_a_reconnect() {
    let server = start().await;
    ends_within(LIMIT, async || {
        server.thaw();
        let storage = open(&server.url(), LIMIT, LONG).await.unwrap();
        server.ask(["CLIENT", "KILL", "TYPE", "normal"]).await.unwrap();
        server.freeze();
        let start = Instant::now();
        let error = storage.load(&SessionKey::from_name("ann")).await.unwrap_err();
        let took = start.elapsed();
        assert_eq!(error.operation(), Operation::Load);
        let StorageErrorKind::Timeout { limit, elapsed } = error.kind() else {
            panic!("{error:?}")
        };
        assert!(*limit == LIMIT && *elapsed >= LIMIT, "{error:?}");
        let shown = error.to_string();
        assert!(shown.contains("connection timeout of 200ms"), "{shown}");
        took
    })
    .await;
    server.thaw();
}

#[tokio::test]
async fn the_command_timeout_does_not_bound_the_connecting() {
    let server = start().await;
    server.freeze();
    let thawing = async {
        tokio::time::sleep(LIMIT).await;
        server.thaw();
    };
    let url = server.url();
    let (storage, ()) = tokio::join!(open(&url, LONG, Duration::from_millis(5)), thawing);
    assert!(storage.is_ok(), "{storage:?}");
}

#[tokio::test]
async fn the_command_timeout_fires_for_every_operation_and_names_itself() {
    let server = start().await;
    let storage = open(&server.url(), LONG, LIMIT).await.unwrap();
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    let key = SessionKey::from_name("ann");
    server.freeze();
    ends_at(LIMIT, async || {
        let error = storage.load(&key).await.unwrap_err();
        assert_names_the_limit(&error, Operation::Load);
    })
    .await;
    ends_at(LIMIT, async || {
        match storage.set("ann", &holding("a", "2"), None).await.unwrap_err() {
            SessionError::Storage(error) => assert_names_the_limit(&error, Operation::Commit),
            other => panic!("{other}"),
        }
    })
    .await;
    ends_at(LIMIT, async || {
        let error = storage.touch(&key).await.unwrap_err();
        assert_names_the_limit(&error, Operation::Touch);
    })
    .await;
    ends_at(LIMIT, async || {
        // Not carried out, and not given up either.
        let error = storage.delete("bob").await.unwrap_err();
        assert_eq!(
            (error.kind(), error.operation()),
            (&StorageErrorKind::Pending, Operation::Destroy)
        );
    })
    .await;
    ends_at(LIMIT, async || {
        assert_names_the_limit(&storage.stats().await.unwrap_err(), Operation::Stats);
    })
    .await;
    ends_at(LIMIT, async || {
        assert_names_the_limit(&storage.ping().await.unwrap_err(), Operation::Ping);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_goes_on_answers_right_away_and_nothing_is_mixed_up() {
    let server = start().await;
    let storage = open_patiently(&server.url(), LIMIT).await;
    for at in 0..20 {
        let data = holding("a", &at.to_string());
        storage.set(&format!("visitor-{at}"), &data, None).await.unwrap();
    }
    server.freeze();
    for at in 0..20 {
        let (id, storage) = (format!("visitor-{at}"), storage.clone());
        tokio::spawn(async move { storage.get(&id, None).await.map(drop) });
    }
    let error = storage.get("visitor-0", None).await.unwrap_err();
    assert!(matches!(error.kind(), StorageErrorKind::Timeout { .. }), "{error}");
    server.thaw();
    for at in (0..20).rev() {
        let got = text(&storage, &format!("visitor-{at}")).await.unwrap();
        assert_eq!(got, Some(at.to_string()));
    }
}

#[tokio::test]
async fn a_killed_server_is_unavailable_at_once() {
    let server = start().await;
    let storage = connect(&server).await;
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    let host = format!("127.0.0.1:{}", server.port());
    server.kill();
    for _ in 0..5 {
        let start = Instant::now();
        let error = storage.get("ann", None).await.unwrap_err();
        assert_eq!(*error.kind(), StorageErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains(&host), "{error}");
        assert!(error.is_transient());
        assert!(start.elapsed() < Duration::from_millis(400) + GRACE, "{:?}", start.elapsed());
    }
    let error = storage.set("ann", &holding("a", "1"), None).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
}

/// A storage's session "ann" of which less than half of its lifetime is left.
async fn set_and_let_half_of_its_life_pass(storage: &RedisSessionStorage) {
    storage.set("ann", &holding("a", "1"), Duration::from_secs(3)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1600)).await;
}

#[tokio::test]
async fn every_operation_ends_within_one_limit_on_a_slow_server() {
    const LIMIT: Duration = Duration::from_millis(500);
    let server = start().await;
    let proxy = FaultProxy::before(&server).await.unwrap();
    let storage = open_patiently(&proxy.url(), LIMIT).await;
    let slow = Latency::of(Duration::from_millis(400));
    ends_within(LIMIT, async || {
        proxy.delay(Scope::All, Direction::Replies, Latency::NONE);
        set_and_let_half_of_its_life_pass(&storage).await;
        proxy.delay(Scope::All, Direction::Replies, slow);
        let start = Instant::now();
        assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("1"));
        start.elapsed()
    })
    .await;
    ends_within(LIMIT, async || {
        let start = Instant::now();
        let set = storage.set("ann", &holding("a", "2"), None).await;
        assert!(set.as_ref().err().is_none_or(is_timeout), "{set:?}");
        start.elapsed()
    })
    .await;
    ends_within(LIMIT, async || {
        let commit = CommitBuilder::new(Expect::Present).build().unwrap();
        let start = Instant::now();
        let committed = storage.commit(&SessionKey::from_name("ann"), &commit).await;
        let error = committed.map(drop).map_err(SessionError::Storage);
        assert!(error.as_ref().err().is_none_or(is_timeout), "{error:?}");
        start.elapsed()
    })
    .await;
}

fn is_timeout(error: &SessionError) -> bool {
    let SessionError::Storage(error) = error else { return false };
    matches!(error.kind(), StorageErrorKind::Timeout { .. })
}

#[tokio::test]
async fn a_read_does_not_wait_for_paused_writes() {
    let server = start().await;
    let storage = connect(&server).await;
    set_and_let_half_of_its_life_pass(&storage).await;
    server.ask(["CLIENT", "PAUSE", "2000", "WRITE"]).await.unwrap();
    // The touch that the first read gives up stays on its connection; it must not be the readers'.
    for _ in 0..5 {
        let start = Instant::now();
        assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("1"));
        assert!(start.elapsed() < Duration::from_millis(200), "{:?}", start.elapsed());
    }
}
