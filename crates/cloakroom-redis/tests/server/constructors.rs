//! Every parameter of every constructor takes effect.

use std::time::Duration;

use cloakroom::{
    ConfigErrorKind, DEFAULT_MAX_SESSION_BYTES, DEFAULT_TTL, FingerprintMode, SessionError,
    SessionKey, SessionStorage,
};
use cloakroom_redis::{
    DEFAULT_COMMAND_TIMEOUT, DEFAULT_CONNECTION_TIMEOUT, DEFAULT_POOL_SIZE, DEFAULT_PREFIX,
    DEFAULT_URL, PoolConfig, RedisConfig, RedisSessionStorage,
};
use cloakroom_testkit::RedisServer;

use super::support::{holding, settled_connections, start};

const SECOND: Duration = Duration::from_secs(1);

/// All parameters of `from_url`, of which a test changes one.
struct Parameters {
    prefix: &'static str,
    pool_size: usize,
    mode: FingerprintMode,
    default_ttl: Duration,
}

impl Default for Parameters {
    fn default() -> Self {
        let mode = FingerprintMode::Soft;
        Self { prefix: "app:", pool_size: 2, mode, default_ttl: SECOND * 100 }
    }
}

impl Parameters {
    async fn connect(self, server: &RedisServer) -> RedisSessionStorage {
        let Self { prefix, pool_size, mode, default_ttl } = self;
        let url = server.url();
        RedisSessionStorage::from_url(&url, prefix, pool_size, mode, default_ttl, SECOND, SECOND)
            .await
            .unwrap()
    }
}

async fn only_key(server: &RedisServer) -> String {
    let keys = server.ask(["KEYS", "*"]).await.unwrap().many();
    assert_eq!(keys.len(), 1, "{keys:?}");
    keys[0].text()
}

async fn milliseconds_left(server: &RedisServer) -> i64 {
    let key = only_key(server).await;
    server.ask(["PTTL", &key]).await.unwrap().number()
}

#[tokio::test]
async fn the_pool_size_is_the_number_of_connections_that_the_server_sees() {
    let server = start().await;
    for pool_size in [1, 3, 17] {
        let storage = Parameters { pool_size, ..Parameters::default() }.connect(&server).await;
        assert_eq!(settled_connections(&server, pool_size).await, pool_size);
        let clone = storage.clone();
        clone.set("ann", &holding("a", "1"), None).await.unwrap();
        assert_eq!(settled_connections(&server, pool_size).await, pool_size);
        drop((storage, clone));
        assert_eq!(settled_connections(&server, 0).await, 0);
    }
}

#[tokio::test]
async fn the_prefix_begins_every_key_and_the_rest_is_of_a_fixed_alphabet() {
    let server = start().await;
    let prefix = r"shop:{1}:a*[b]?\";
    let storage = Parameters { prefix, ..Parameters::default() }.connect(&server).await;
    for name in ["ann", "a\r\nSET b c", "*", "\u{1f9e5}", ""] {
        storage.set(name, &holding("a", "1"), None).await.unwrap();
        let key = only_key(&server).await;
        let digits = key.strip_prefix(prefix).unwrap();
        assert_eq!(digits.as_bytes(), SessionKey::from_name(name).to_hex());
        assert!(storage.delete(name).await.unwrap());
    }
}

#[tokio::test]
async fn the_fingerprint_mode_is_the_one_that_was_given() {
    let server = start().await;
    for mode in [FingerprintMode::Disabled, FingerprintMode::Soft, FingerprintMode::Strict] {
        let storage = Parameters { mode, ..Parameters::default() }.connect(&server).await;
        assert_eq!(storage.fingerprint_mode(), mode);
    }
}

#[tokio::test]
async fn the_default_ttl_is_what_the_server_is_told() {
    let server = start().await;
    let default_ttl = SECOND * 4321;
    let storage = Parameters { default_ttl, ..Parameters::default() }.connect(&server).await;
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    let left = milliseconds_left(&server).await;
    assert!((4_311_000..=4_321_000).contains(&left), "{left}");

    storage.set("ann", &holding("a", "1"), SECOND * 50).await.unwrap();
    let left = milliseconds_left(&server).await;
    assert!((40_000..=50_000).contains(&left), "{left}");
}

#[tokio::test]
async fn a_config_without_a_pool_opens_the_default_one() {
    let server = start().await;
    for (config, expected) in [
        (RedisConfig::from_url(server.url()), DEFAULT_POOL_SIZE),
        (RedisConfig::from_url(server.url()).with_pool(PoolConfig::new(5)), 5),
    ] {
        let mode = FingerprintMode::Strict;
        let storage =
            RedisSessionStorage::from_config(&config, "conf:", mode, SECOND * 60, SECOND, SECOND)
                .await
                .unwrap();
        assert_eq!(settled_connections(&server, expected).await, expected);
        assert_eq!(storage.fingerprint_mode(), mode);
        storage.set("ann", &holding("a", "1"), None).await.unwrap();
        assert!(only_key(&server).await.starts_with("conf:"));
        assert!((50_000..=60_000).contains(&milliseconds_left(&server).await));
        drop(storage);
        assert_eq!(settled_connections(&server, 0).await, 0);
    }
}

#[tokio::test]
async fn a_builder_takes_the_size_limit_too() {
    let server = start().await;
    let builder = RedisSessionStorage::builder().url(server.url()).max_session_bytes(300);
    let storage = builder.build().await.unwrap();
    assert_eq!(storage.max_session_bytes(), 300);
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    let error = storage.set("ann", &holding("a", &"x".repeat(300)), None).await.unwrap_err();
    assert!(matches!(error, SessionError::TooLarge { limit: 300, .. }), "{error}");
}

#[tokio::test]
async fn the_defaults_are_the_documented_ones() {
    assert_eq!(DEFAULT_URL, "redis://localhost:6379");
    assert_eq!(DEFAULT_PREFIX, "cloakroom:session:");
    assert_eq!(DEFAULT_POOL_SIZE, 10);
    assert_eq!(DEFAULT_CONNECTION_TIMEOUT, SECOND * 5);
    assert_eq!(DEFAULT_COMMAND_TIMEOUT, SECOND * 3);
    let server = start().await;
    let storage = RedisSessionStorage::builder().url(server.url()).build().await.unwrap();
    assert_eq!(settled_connections(&server, 10).await, 10);
    assert_eq!(storage.default_ttl(), DEFAULT_TTL);
    assert_eq!(DEFAULT_TTL, SECOND * 1800);
    assert_eq!(storage.fingerprint_mode(), FingerprintMode::Soft);
    assert_eq!(storage.max_session_bytes(), DEFAULT_MAX_SESSION_BYTES);
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    assert!(only_key(&server).await.starts_with(DEFAULT_PREFIX));
}

#[tokio::test]
async fn new_asks_at_the_default_url() {
    assert_eq!(RedisConfig::default().url, DEFAULT_URL);
    let host = DEFAULT_URL.strip_prefix("redis://").unwrap();
    assert_eq!(host, "localhost:6379");
    // A server that others have put there is none of our business.
    if std::net::TcpListener::bind(("127.0.0.1", 6379)).is_ok() {
        let error = RedisSessionStorage::new().await.unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Unreachable);
        assert!(error.to_string().contains(host), "{error}");
    }
}
