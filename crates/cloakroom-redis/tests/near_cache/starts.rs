//! What a near-cache needs of its server, and what is said where that is missing.

use std::time::{Duration, Instant};

use cloakroom::{ConfigErrorKind, FingerprintMode, SessionStorage};
use cloakroom_redis::{
    AclRule, DEFAULT_PREFIX, NearCache, SessionStorageFactory, Start, StorageConfig,
};
use cloakroom_testkit::fault_proxy::{ErrorReply, On, Times};
use cloakroom_testkit::{FaultProxy, RedisServer};

use super::support::{PATIENCE, builder, has_copy, holding, node, put, text, warm};

#[tokio::test]
async fn the_older_protocol_is_an_error_at_start_that_names_the_remedy() {
    let server = RedisServer::start().await.unwrap();
    let url = format!("{}?protocol=resp2", server.url());
    let error = builder(url).build().await.unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::Invalid);
    assert!(error.to_string().contains("protocol=resp2"), "{error}");
}

#[tokio::test]
async fn a_user_who_may_not_ask_for_it_is_an_error_at_start_that_names_the_right() {
    let rules = "~cloakroom:session:* +@all -client";
    let server = RedisServer::builder().user("app", "app-secret", rules).start().await.unwrap();
    let error = builder(server.url()).build().await.unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::Denied);
    assert!(error.to_string().contains("+client|tracking"), "{error}");
    assert!(!format!("{error:?}").contains("app-secret"));
}

#[tokio::test]
async fn a_server_that_loses_the_ability_has_sessions_all_the_same_and_a_warning() {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::before(&server).await.unwrap();
    for (command, start) in [("CLIENT", Start::Lazy), ("HELLO", Start::Lazy)] {
        let refusal = ErrorReply::Other(format!("ERR unknown command '{command}'"));
        let _rule = proxy.refuse_commands(On::commands([command]), refusal, Times::UntilCleared);
        let storage = builder(proxy.url()).start(start).build().await.unwrap();
        put(&storage, "ann", "1").await;
        for _ in 0..3 {
            assert_eq!(text(&storage, "ann").await.as_deref(), Some("1"));
            assert!(!has_copy(&storage, "ann"));
        }
        let warnings = storage.health().warnings;
        assert!(warnings.iter().any(|it| it.contains("near-cache")), "{warnings:?}");
    }
}

#[tokio::test]
async fn a_server_that_was_not_heard_at_first_is_heard_by_the_next_connection() {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::before(&server).await.unwrap();
    for refusal in ["ERR max number of clients reached", "ERR unknown command 'HELLO'"] {
        let asked = proxy.commands("HELLO");
        let error = ErrorReply::Other(refusal.to_owned());
        let rule = proxy.refuse_commands(On::commands(["HELLO"]), error, Times::UntilCleared);
        let storage = builder(proxy.url()).start(Start::Lazy).build().await.unwrap();
        // Only who does not know the command is not asked again.
        let times = if refusal.contains("unknown") { 1 } else { 8 };
        proxy.until_commands("HELLO", asked + times).await;
        drop(rule);
        let other = node(server.url()).await;
        put(&other, "ann", "1").await;
        // One that was opened in the older protocol works, and stays.
        server.ask(["CLIENT", "KILL", "TYPE", "normal"]).await.unwrap();
        let start = Instant::now();
        while !has_copy(&storage, "ann") {
            // The breaker may be open for a while.
            let _ = storage.get("ann", None).await;
            assert!(start.elapsed() < PATIENCE, "{:?}", storage.health());
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn the_user_that_the_readme_names_may_have_a_near_cache() {
    let server = RedisServer::start().await.unwrap();
    let rule = AclRule::for_sessions("app", DEFAULT_PREFIX).unwrap().to_string();
    assert_eq!(server.ask(rule.split(' ')).await.unwrap().text(), "OK");
    let storage = builder(server.url_as("app", "PASSWORD")).build().await.unwrap();
    put(&storage, "ann", "1").await;
    warm(&storage, "ann").await;
    assert!(storage.health().warnings.is_empty());
    let refused = server.ask(["ACL", "LOG"]).await.unwrap().many();
    assert!(refused.is_empty(), "{refused:?}");
}

#[tokio::test]
async fn a_configuration_may_ask_for_it_and_the_statistics_show_it() {
    let server = RedisServer::start().await.unwrap();
    let config = format!(
        r#"{{ "backend": "redis", "url": "{}", "near_cache": {{ "max_entries": 7, "lease": "30s" }} }}"#,
        server.url()
    );
    let config: StorageConfig = serde_json::from_str(&config).unwrap();
    let mode = FingerprintMode::Disabled;
    let storage = SessionStorageFactory::create_storage(&config, mode).await.unwrap();
    for visitor in 0..20 {
        storage.set(&format!("visitor {visitor}"), &holding("1"), None).await.unwrap();
    }
    let stats = storage.stats().await.unwrap();
    let figure = |name: &str| stats.backend_metrics[&format!("near_cache_{name}")].clone();
    assert_eq!((figure("entries"), figure("evictions")), ("7".to_owned(), "13".to_owned()));
    assert_eq!(storage.health().near_cache.unwrap().entries, 7);
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused_before_anything_is_opened() {
    let near = NearCache::default;
    let second = Duration::from_secs(1);
    for (settings, field) in [
        (near().with_max_entries(0), "near_cache.max_entries"),
        (near().with_max_bytes(1000), "near_cache.max_bytes"),
        (near().with_max_age(Duration::ZERO), "near_cache.max_age"),
        (near().with_max_age(second * 61), "near_cache.max_age"),
        (near().with_lease(second - Duration::from_millis(1)), "near_cache.lease"),
        (near().with_lease(second * 61), "near_cache.lease"),
    ] {
        let error = builder("redis://127.0.0.1:1").near_cache(settings).build().await.unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Invalid);
        assert!(error.to_string().contains(field), "{error}");
    }
}
