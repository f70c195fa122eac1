//! What the server refuses, or what is not even sent: each its own clear error, the stored data
//! untouched.

use std::time::{Duration, Instant};

use cloakroom::{BreakerState, SessionError, SessionStorage, StorageErrorKind};
use cloakroom_redis::{BreakerPolicy, RedisSessionStorage};
use cloakroom_testkit::fault_proxy::{ErrorReply, On, Times};
use cloakroom_testkit::{FaultProxy, RedisServer};

use super::support::{connect, dump, holding, key_of, start, text};

fn storage_kind(error: SessionError) -> StorageErrorKind {
    match error {
        SessionError::Storage(error) => error.kind().clone(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_server_out_of_memory_is_full_and_still_serves_reads() {
    let server = start().await;
    let storage = connect(&server).await;
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    let before = dump(&server, &key_of("ann")).await;
    server.ask(["CONFIG", "SET", "maxmemory", "1"]).await.unwrap();

    let mut changed = storage.get("ann", None).await.unwrap().unwrap();
    changed.insert("a", "2").unwrap();
    for (id, data) in [("ann", &changed), ("ann", &holding("a", "2")), ("bob", &changed)] {
        let error = storage.set(id, data, None).await.unwrap_err();
        assert!(error.to_string().contains("out of memory"), "{error}");
        assert!(error.is_transient());
        assert_eq!(storage_kind(error), StorageErrorKind::Full);
    }
    assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("1"));
    assert_eq!(dump(&server, &key_of("ann")).await, before);
    assert!(!storage.exists("bob").await.unwrap());

    server.ask(["CONFIG", "SET", "maxmemory", "0"]).await.unwrap();
    storage.set("ann", &changed, None).await.unwrap();
    assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("2"));
}

#[tokio::test]
async fn a_server_that_was_loading_is_asked_again_as_soon_as_it_is_ready() {
    let server = start().await;
    let proxy = FaultProxy::before(&server).await.unwrap();
    let mut breaker = BreakerPolicy::default();
    (breaker.open_for, breaker.open_for_at_most) =
        (Duration::from_secs(60), Duration::from_secs(60));
    let builder = RedisSessionStorage::builder().url(proxy.url()).pool_size(1).breaker(breaker);
    let builder = builder.heartbeat_interval(Duration::from_millis(20));
    let storage = builder.build().await.unwrap();
    storage.set("ann", &holding("a", "1"), None).await.unwrap();

    let loading = proxy.refuse_commands(
        On::all_but_the_handshake(),
        ErrorReply::Loading,
        Times::UntilCleared,
    );
    let is_open = || storage.health().nodes.iter().any(|node| node.reads == BreakerState::Open);
    while !is_open() {
        assert!(text(&storage, "ann").await.is_err());
    }
    // A few heartbeats that are refused.
    let pings = proxy.commands("PING");
    proxy.until_commands("PING", pings + 3).await;
    loading.clear();
    let begin = Instant::now();
    while text(&storage, "ann").await.ok().flatten().as_deref() != Some("1") {
        assert!(begin.elapsed() < Duration::from_secs(10), "the breaker did not see it");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_sign_out_works_on_a_full_server() {
    let server = start().await;
    let storage = connect(&server).await;
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    server.ask(["CONFIG", "SET", "maxmemory", "1"]).await.unwrap();
    assert!(storage.delete("ann").await.unwrap());
    assert!(!storage.exists("ann").await.unwrap());
}

#[tokio::test]
async fn a_read_only_replica_serves_reads_and_refuses_writes() {
    let primary = RedisServer::start_with(&[("repl-diskless-sync-delay", "0")]).await.unwrap();
    let storage = connect(&primary).await;
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    let replica = start().await;
    let of = ["REPLICAOF", "127.0.0.1", &primary.port().to_string()];
    replica.ask(of).await.unwrap();
    let begin = Instant::now();
    while dump(&replica, &key_of("ann")).await.bytes().is_none() {
        assert!(begin.elapsed() < Duration::from_secs(10), "the replica does not follow");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let storage = connect(&replica).await;
    assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("1"));
    let before = dump(&replica, &key_of("ann")).await;
    let error = storage.set("ann", &holding("a", "2"), None).await.unwrap_err();
    assert!(error.to_string().contains("read-only replica"), "{error}");
    assert_eq!(storage_kind(error), StorageErrorKind::ReadOnly);
    let error = storage.delete("ann").await.unwrap_err();
    assert_eq!(*error.kind(), StorageErrorKind::Pending);
    assert_eq!(text(&storage, "ann").await.unwrap(), None, "a sign-out counts here at once");
    assert_eq!(dump(&replica, &key_of("ann")).await, before);
    assert_eq!(storage.stats().await.unwrap().total_sessions, 1);
}

#[tokio::test]
async fn a_user_who_may_not_run_scripts_reads_and_is_denied_writes() {
    let server = start().await;
    connect(&server).await.set("ann", &holding("a", "1"), None).await.unwrap();
    let user = ["ACL", "SETUSER", "reader", "on", ">hunter2", "~*", "+@all", "-evalsha", "-eval"];
    server.ask(user).await.unwrap();
    let url = format!("redis://reader:hunter2@127.0.0.1:{}", server.port());
    let storage = RedisSessionStorage::builder().url(url).build().await.unwrap();
    assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("1"));
    let error = storage.set("ann", &holding("a", "2"), None).await.unwrap_err();
    assert!(!error.is_transient());
    let shown = super::support::everything_shown(&error);
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_eq!(storage_kind(error), StorageErrorKind::Denied);
    assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("1"));
}

#[tokio::test]
async fn an_oversized_session_names_its_largest_field_and_nothing_is_sent() {
    let server = start().await;
    let storage = connect(&server).await;
    let mut data = holding("a", "1");
    data.insert("cart", "x".repeat(64 * 1024)).unwrap();
    data.insert("note", "x".repeat(1024)).unwrap();
    let error = storage.set("ann", &data, None).await.unwrap_err();
    let SessionError::TooLarge { size, limit, field } = &error else { panic!("{error}") };
    assert_eq!((*limit, field.as_str()), (64 * 1024, "cart"));
    assert!(*size > 65 * 1024);
    assert!(error.to_string().contains("`cart`"), "{error}");
    for command in ["eval", "evalsha", "set"] {
        assert_eq!(server.calls(command).await.unwrap(), 0, "{command}");
    }
}
