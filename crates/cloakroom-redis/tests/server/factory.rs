//! A storage from configuration: every value is passed through, and nothing is replaced.

use std::time::Duration;

use cloakroom::{
    AnyStorage, ConfigErrorKind, FingerprintMode, SessionError, SessionStorage, StorageErrorKind,
};
use cloakroom_redis::{SessionStorageFactory, StorageConfig};

use super::support::{ends_at, holding, settled_connections, start};

async fn create(config: &str, mode: FingerprintMode) -> AnyStorage {
    let config: StorageConfig = serde_json::from_str(config).unwrap();
    SessionStorageFactory::create_storage(&config, mode).await.unwrap()
}

#[tokio::test]
async fn a_redis_configuration_is_passed_through() {
    let server = start().await;
    let config = format!(
        r#"{{ "backend": "redis", "url": "{}", "prefix": "conf:", "pool_size": 3,
              "connection_timeout": "2s", "command_timeout": "150ms", "default_ttl": "77s",
              "max_session_bytes": 400 }}"#,
        server.url()
    );
    let storage = create(&config, FingerprintMode::Strict).await;
    assert_eq!(storage.backend_name(), "redis");
    assert_eq!(storage.fingerprint_mode(), FingerprintMode::Strict);
    assert_eq!(storage.default_ttl(), Duration::from_secs(77));
    assert_eq!(storage.max_session_bytes(), 400);
    assert_eq!(settled_connections(&server, 3).await, 3);

    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    let keys = server.ask(["KEYS", "*"]).await.unwrap().text();
    assert!(keys.starts_with("conf:") && keys.lines().count() == 1, "{keys}");
    let left = server.ask(["PTTL", &keys]).await.unwrap().number();
    assert!((67_000..=77_000).contains(&left), "{left}");
    let error = storage.set("ann", &holding("a", &"x".repeat(400)), None).await.unwrap_err();
    assert!(matches!(error, SessionError::TooLarge { limit: 400, .. }), "{error}");

    server.freeze();
    ends_at(Duration::from_millis(150), async || {
        let error = storage.exists("ann").await.unwrap_err();
        assert!(matches!(error.kind(), StorageErrorKind::Timeout { .. }), "{error}");
    })
    .await;
}

#[tokio::test]
async fn the_connection_timeout_of_a_configuration_is_passed_through() {
    let server = start().await;
    server.freeze();
    let config = format!(
        r#"{{ "backend": "redis", "url": "{}", "connection_timeout": "150ms" }}"#,
        server.url()
    );
    let config: StorageConfig = serde_json::from_str(&config).unwrap();
    ends_at(Duration::from_millis(150), async || {
        let storage = SessionStorageFactory::create_storage(&config, FingerprintMode::Soft).await;
        assert_eq!(storage.unwrap_err().kind(), ConfigErrorKind::Timeout);
    })
    .await;
}

#[tokio::test]
async fn a_memory_configuration_is_passed_through() {
    let config = r#"{ "backend": "memory", "max_sessions": 2, "max_bytes": 700,
                      "max_session_bytes": 400, "default_ttl": "77s" }"#;
    let storage = create(config, FingerprintMode::Disabled).await;
    assert_eq!(storage.backend_name(), "memory");
    assert_eq!(storage.fingerprint_mode(), FingerprintMode::Disabled);
    assert_eq!(storage.default_ttl(), Duration::from_secs(77));
    assert_eq!(storage.max_session_bytes(), 400);
    let metrics = storage.stats().await.unwrap().backend_metrics;
    assert_eq!(metrics["max_sessions"], "2");
    assert_eq!(metrics["max_bytes"], "700");

    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    storage.set("bob", &holding("a", "1"), None).await.unwrap();
    match storage.set("eve", &holding("a", "1"), None).await.unwrap_err() {
        SessionError::Storage(error) => assert_eq!(*error.kind(), StorageErrorKind::Full),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_redis_that_cannot_be_reached_is_an_error_and_never_the_embedded_storage() {
    let server = start().await;
    let config = format!(r#"{{ "backend": "redis", "url": "{}" }}"#, server.url());
    let config: StorageConfig = serde_json::from_str(&config).unwrap();
    server.kill();
    let storage = SessionStorageFactory::create_storage(&config, FingerprintMode::Soft).await;
    assert_eq!(storage.unwrap_err().kind(), ConfigErrorKind::Unreachable);
}

#[test]
fn a_configuration_survives_its_text_form_and_refuses_what_it_does_not_know() {
    for text in [r#"{"backend":"memory"}"#, r#"{"backend":"redis"}"#] {
        let config: StorageConfig = serde_json::from_str(text).unwrap();
        let written = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<StorageConfig>(&written).unwrap(), config);
    }
    for text in [
        r#"{"backend":"file"}"#,
        r#"{"backend":"redis","poolsize":3}"#,
        r#"{"backend":"redis","default_ttl":"soon"}"#,
    ] {
        assert!(serde_json::from_str::<StorageConfig>(text).is_err(), "{text}");
    }
    let config = r#"{"backend":"redis","url":"redis://user:correct-horse@localhost"}"#;
    let config: StorageConfig = serde_json::from_str(config).unwrap();
    assert!(!format!("{config:?}").contains("correct-horse"));
}
