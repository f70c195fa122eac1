//! Whatever happens to a connection takes its copies along.

use cloakroom::SessionStorage;
use cloakroom_testkit::fault_proxy::{Push, Scope};
use cloakroom_testkit::{FaultProxy, RedisServer};

use super::support::{figures, has_copy, node, put, text, until, warm};

#[tokio::test]
async fn a_flush_by_an_operator_drops_every_copy() {
    let server = RedisServer::start().await.unwrap();
    let storage = node(server.url()).await;
    for command in ["FLUSHALL", "FLUSHDB"] {
        for name in ["ann", "bob", "cid"] {
            put(&storage, name, "1").await;
            warm(&storage, name).await;
        }
        server.ask([command]).await.unwrap();
        for name in ["ann", "bob", "cid"] {
            until("the flush is not heard of", || !has_copy(&storage, name)).await;
            assert_eq!(text(&storage, name).await, None);
        }
    }
}

#[tokio::test]
async fn a_killed_connection_takes_its_copies_along() {
    let server = RedisServer::start().await.unwrap();
    let storage = node(server.url()).await;
    put(&storage, "ann", "1").await;
    warm(&storage, "ann").await;
    server.ask(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await.unwrap();
    until("copies outlive their connection", || !has_copy(&storage, "ann")).await;
    warm(&storage, "ann").await;
    // Written while nobody listened, as far as this node knows.
    server.ask(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await.unwrap();
    server.ask(["FLUSHALL"]).await.unwrap();
    until("copies outlive their connection", || !has_copy(&storage, "ann")).await;
    let mut found = storage.get("ann", None).await;
    while found.is_err() {
        found = storage.get("ann", None).await;
    }
    assert!(found.unwrap().is_none());
}

#[tokio::test]
async fn a_restarted_server_starts_with_no_copies() {
    let server = RedisServer::start().await.unwrap();
    let storage = node(server.url()).await;
    put(&storage, "ann", "1").await;
    warm(&storage, "ann").await;
    server.restart_empty().await.unwrap();
    until("copies outlive their server", || !has_copy(&storage, "ann")).await;
    let mut found = storage.get("ann", None).await;
    while found.is_err() {
        found = storage.get("ann", None).await;
    }
    assert!(found.unwrap().is_none());
    put(&storage, "bob", "1").await;
    warm(&storage, "bob").await;
}

#[tokio::test]
async fn a_push_that_nobody_has_asked_for_drops_what_it_may_mean() {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::before(&server).await.unwrap();
    let storage = node(proxy.url()).await;
    put(&storage, "ann", "1").await;
    for push in [
        Push::new("tracking-redir-broken", ["1"]),
        Push::new("something-new", ["1"]),
        Push::invalidate_all(),
    ] {
        warm(&storage, "ann").await;
        assert!(proxy.push(Scope::All, &push) > 0);
        until("an unknown push is ignored", || !has_copy(&storage, "ann")).await;
        assert_eq!(text(&storage, "ann").await.as_deref(), Some("1"));
    }
    assert_eq!(figures(&storage).evictions, 0);
}

#[tokio::test]
async fn a_reset_connection_takes_its_copies_along() {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::before(&server).await.unwrap();
    let storage = node(proxy.url()).await;
    put(&storage, "ann", "1").await;
    for end in [FaultProxy::reset, FaultProxy::close] {
        warm(&storage, "ann").await;
        end(&proxy, Scope::OpenNow);
        until("copies outlive their connection", || !has_copy(&storage, "ann")).await;
    }
}
