//! A start that fails says where and what to do about it, and never the password.

use std::time::Duration;

use cloakroom::{ConfigError, ConfigErrorKind, FingerprintMode};
use cloakroom_redis::{RedisConfig, RedisSessionStorage, RedisSessionStorageBuilder};
use cloakroom_testkit::RedisServer;

use super::support::{everything_shown, start};

const SECRET: &str = "correct-horse";
const TIMEOUT: Duration = Duration::from_secs(2);

async fn refused(builder: RedisSessionStorageBuilder) -> ConfigError {
    let shown = format!("{builder:?}");
    assert!(!shown.contains(SECRET), "{shown}");
    let error = builder.connection_timeout(TIMEOUT).build().await.unwrap_err();
    assert_keeps_the_secret(&error);
    error
}

/// What every constructor that takes a URL says to it.
async fn refused_by_all(url: &str) -> [ConfigError; 3] {
    let (mode, ttl) = (FingerprintMode::Soft, Duration::from_secs(60));
    let from_url = RedisSessionStorage::from_url(url, "app:", 2, mode, ttl, TIMEOUT, TIMEOUT);
    let config = RedisConfig::from_url(url);
    let from_config =
        RedisSessionStorage::from_config(&config, "app:", mode, ttl, TIMEOUT, TIMEOUT);
    let errors =
        [refused(at(url)).await, from_url.await.unwrap_err(), from_config.await.unwrap_err()];
    errors.iter().for_each(assert_keeps_the_secret);
    errors
}

fn assert_keeps_the_secret(error: &ConfigError) {
    let shown = everything_shown(error);
    assert!(!shown.contains(SECRET), "{shown}");
}

fn at(url: impl Into<String>) -> RedisSessionStorageBuilder {
    RedisSessionStorage::builder().url(url)
}

fn assert_tells(error: &ConfigError, kind: ConfigErrorKind, parts: &[&str]) {
    assert_eq!(error.kind(), kind, "{error}");
    for part in parts {
        assert!(error.to_string().contains(part), "`{part}` is missing in: {error}");
    }
}

#[tokio::test]
async fn a_wrong_port_names_the_host_and_says_to_check_it() {
    // Bound and given up again: nobody listens there.
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let host = free.local_addr().unwrap().to_string();
    drop(free);
    let parts = ["url", &host, "connection refused", "check host and port"];
    for error in refused_by_all(&format!("redis://user:{SECRET}@{host}")).await {
        assert_tells(&error, ConfigErrorKind::Unreachable, &parts);
    }
}

#[tokio::test]
async fn an_unknown_host_is_named() {
    let host = "no-such-host.invalid:6379";
    for error in refused_by_all(&format!("redis://user:{SECRET}@{host}?plaintext=allow")).await {
        let kinds = [ConfigErrorKind::Unreachable, ConfigErrorKind::Timeout];
        assert!(kinds.contains(&error.kind()), "{error}");
        assert!(error.to_string().contains(host), "{error}");
    }
}

#[tokio::test]
async fn a_missing_or_wrong_password_is_denied() {
    let server = RedisServer::start_with(&[("requirepass", "something-else")]).await.unwrap();
    let host = format!("127.0.0.1:{}", server.port());
    for credentials in ["", ":correct-horse@", "default:correct-horse@", "nobody:correct-horse@"] {
        for error in refused_by_all(&format!("redis://{credentials}{host}")).await {
            assert_tells(&error, ConfigErrorKind::Denied, &["url", &host, "password"]);
        }
    }
    let right = at(format!("redis://:something-else@{host}")).build().await.unwrap();
    right.ping().await.unwrap();
    let shown = format!("{right:?}");
    assert!(!shown.contains("something-else"), "{shown}");
}

#[tokio::test]
async fn what_is_no_redis_url_is_refused_with_an_example() {
    for url in [
        "localhost:6379".to_owned(),
        String::new(),
        format!("http://user:{SECRET}@localhost:6379"),
        format!("redis://user:{SECRET}@localhost:99999"),
        format!("redis://user:{SECRET}@"),
    ] {
        let error = refused(at(url)).await;
        let parts = ["url", "redis://localhost:6379"];
        assert_tells(&error, ConfigErrorKind::Invalid, &parts);
    }
}

#[tokio::test]
async fn plain_text_to_another_machine_is_refused_by_all_until_it_is_allowed() {
    for error in refused_by_all(&format!("redis://user:{SECRET}@db.internal")).await {
        let parts = ["db.internal:6379", "unencrypted", "rediss://", "?plaintext=allow"];
        assert_tells(&error, ConfigErrorKind::Invalid, &parts);
    }
}

#[cfg(not(feature = "tls"))]
#[tokio::test]
async fn encryption_that_is_not_built_in_is_called_by_its_name() {
    for scheme in ["rediss", "valkeys", "REDISS"] {
        let error = refused(at(format!("{scheme}://user:{SECRET}@localhost:6379"))).await;
        assert_tells(&error, ConfigErrorKind::Invalid, &["no TLS", "feature `tls`"]);
    }
}

#[tokio::test]
async fn a_database_that_is_no_number_is_told_apart_from_a_wrong_url() {
    for url in [format!("redis://user:{SECRET}@localhost/x"), "unix:///socket?db=x".to_owned()] {
        let error = refused(at(url)).await;
        assert_tells(&error, ConfigErrorKind::Invalid, &["url", "database", "not a number"]);
    }
}

#[tokio::test]
async fn a_default_ttl_with_which_nothing_could_be_set_is_refused() {
    let server = start().await;
    let millisecond = Duration::from_millis(1);
    let days = Duration::from_secs(24 * 60 * 60) * 400;
    for ttl in [millisecond / 2, days + millisecond, Duration::MAX] {
        let error = refused(at(server.url()).default_ttl(ttl)).await;
        assert_tells(&error, ConfigErrorKind::Invalid, &["default_ttl"]);
    }
    for ttl in [millisecond, days] {
        at(server.url()).default_ttl(ttl).build().await.unwrap();
    }
}

#[tokio::test]
async fn all_problems_are_told_at_once() {
    let builder = at(format!("http://user:{SECRET}@localhost"))
        .prefix("")
        .pool_size(0)
        .default_ttl(Duration::ZERO)
        .command_timeout(Duration::ZERO)
        .max_session_bytes(1);
    let error = refused(builder).await;
    assert_eq!(error.kind(), ConfigErrorKind::Invalid);
    let mut fields: Vec<_> = error.problems().iter().map(|problem| problem.field).collect();
    fields.sort_unstable();
    let expected =
        ["command_timeout", "default_ttl", "max_session_bytes", "pool_size", "prefix", "url"];
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_an_error_at_start() {
    let server = start().await;
    let error = refused(at(format!("{}/99", server.plain_url()))).await;
    let host = format!("127.0.0.1:{}", server.port());
    assert_tells(&error, ConfigErrorKind::Denied, &["url", &host, "check the number"]);
    at(format!("{}/3", server.plain_url())).build().await.unwrap();
}
