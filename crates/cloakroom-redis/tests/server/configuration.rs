//! The configuration's shape in files, and what is said to one that contradicts itself.

use cloakroom::{ConfigError, ConfigErrorKind};
use cloakroom_redis::{
    ClusterConfig, Password, Plaintext, RedisConfig, RedisSessionStorage, RedisStorageConfig,
    SentinelConfig, StorageConfig, TlsConfig,
};
use cloakroom_testkit::RedisServer;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tempfile::TempDir;

use super::support::everything_shown;

const SECRET: &str = "correct-horse";

fn assert_survives<T>(config: &T)
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let json = serde_json::to_string(config).unwrap();
    assert_eq!(serde_json::from_str::<T>(&json).unwrap(), *config, "{json}");
    let written = toml::to_string(config).unwrap();
    assert_eq!(toml::from_str::<T>(&written).unwrap(), *config, "{written}");
    let shown = format!("{config:?}");
    assert!(!shown.contains(SECRET), "{shown}");
}

async fn refused(config: RedisConfig) -> ConfigError {
    let error = RedisSessionStorage::builder().server(config).build().await.unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::Invalid, "{error}");
    assert!(!everything_shown(&error).contains(SECRET), "{error}");
    error
}

fn sentinel() -> SentinelConfig {
    SentinelConfig::new(["s1.internal", "s2.internal:26380"], "sessions")
        .with_sentinel_credentials("bob", SECRET)
}

#[test]
fn every_shape_survives_its_text_form_and_hides_its_secrets() {
    let tls = TlsConfig::new().with_authority("/ca.pem").with_certificate("/c.pem", "/k.pem");
    for config in [
        RedisConfig::default(),
        RedisConfig::from_url(format!("redis://ann:{SECRET}@localhost/3")),
        RedisConfig::from_url("rediss://db.internal").with_tls(tls.clone()),
        RedisConfig::from_url("redis://db.internal").with_plaintext(Plaintext::Allow),
        RedisConfig::from_sentinel(sentinel()).with_credentials("ann", SECRET).with_tls(tls),
        RedisConfig::from_cluster(ClusterConfig::new(["n1", "n2:7000"]))
            .with_credentials("ann", Password::file("/run/secrets/redis")),
    ] {
        assert_survives(&config);
        let mut storage = RedisStorageConfig::default();
        storage.url.clone_from(&config.url);
        storage.username.clone_from(&config.username);
        storage.password.clone_from(&config.password);
        storage.sentinel.clone_from(&config.sentinel);
        storage.cluster.clone_from(&config.cluster);
        storage.tls.clone_from(&config.tls);
        storage.plaintext = config.plaintext;
        assert_survives(&storage);
        assert_survives(&StorageConfig::Redis(storage.clone()));
        assert_eq!(storage.server().sentinel, config.sentinel);
    }
}

#[test]
fn a_file_of_an_application_is_read_as_it_is_written() {
    let config: StorageConfig = toml::from_str(
        r#"
        backend = "redis"
        prefix = "shop:"
        pool_size = 4
        command_timeout = "500ms"
        username = "app"
        password = { env = "REDIS_PASSWORD" }
        sentinel = { sentinels = ["s1", "s2"], master = "main", sentinel_password = "x" }
        tls = { ca_file = "/ca.pem" }
        "#,
    )
    .unwrap();
    let StorageConfig::Redis(config) = config else { panic!("{config:?}") };
    assert_eq!(config.password, Some(Password::env("REDIS_PASSWORD")));
    assert_eq!(config.sentinel.unwrap().sentinel_password, Some(Password::from("x")));
    assert_eq!(config.tls, Some(TlsConfig::new().with_authority("/ca.pem")));
}

#[test]
fn the_example_of_the_documentation_is_a_configuration() {
    let page = include_str!("../../../../docs/connecting.md");
    let example = page.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let config: RedisConfig = toml::from_str(example).unwrap();
    assert_eq!(config.password, Some(Password::file("/run/secrets/redis")));
    assert_eq!(config.sentinel.unwrap().sentinels.len(), 3);
    assert!(config.tls.unwrap().key_file.is_some());
}

#[test]
fn what_is_not_known_is_refused_at_every_depth() {
    for text in [
        "hosts = []",
        "sentinel = { sentinels = [], name = \"main\" }",
        "cluster = { node = [] }",
        "tls = { insecure = true }",
        "plaintext = \"yes\"",
        "password = { path = \"/x\" }",
        "password = 7",
        "pool = { size = 1 }",
    ] {
        assert!(toml::from_str::<RedisConfig>(text).is_err(), "{text}");
    }
}

#[tokio::test]
async fn a_password_may_stand_in_a_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("password");
    let server = RedisServer::builder().password(SECRET).start().await.unwrap();
    let url = format!("redis://127.0.0.1:{}", server.port());
    let mut config = RedisConfig::from_url(&url);
    config.password = Some(Password::file(&path));
    let error = refused(config.clone()).await;
    assert!(error.to_string().contains("cannot be read"), "{error}");
    std::fs::write(&path, "\n").unwrap();
    let error = refused(config.clone()).await;
    assert!(error.to_string().contains("is empty"), "{error}");
    for text in [SECRET.to_owned(), format!("{SECRET}\n"), format!("{SECRET}\r\n")] {
        std::fs::write(&path, text).unwrap();
        let builder = RedisSessionStorage::builder().server(config.clone()).pool_size(1);
        builder.build().await.unwrap().ping().await.unwrap();
    }
}

#[tokio::test]
async fn a_missing_variable_is_named() {
    let config = RedisConfig::default()
        .with_credentials("ann", Password::env("CLOAKROOM_TEST_NO_SUCH_VARIABLE"));
    let error = refused(config).await;
    assert!(error.to_string().contains("CLOAKROOM_TEST_NO_SUCH_VARIABLE"), "{error}");
}

#[tokio::test]
async fn settings_that_contradict_each_other_are_refused() {
    let with = |config: &RedisConfig, change: fn(&mut RedisConfig)| {
        let mut config = config.clone();
        change(&mut config);
        config
    };
    let url = RedisConfig::from_url(format!("redis://ann:{SECRET}@localhost/3"));
    let group = RedisConfig::from_sentinel(sentinel());
    let table = [
        (with(&group, |it| it.cluster = Some(ClusterConfig::new(["n"]))), "sentinel", "exclude"),
        (with(&group, |it| it.url = "redis://db".into()), "url", "exclude"),
        (with(&group, |it| it.username = Some("ann".into())), "username", "password"),
        (with(&group, |_| ()), "plaintext", "tls = {}"),
        (RedisConfig::from_sentinel(SentinelConfig::new(["s:x"], "m")), "sentinel", "entry 1"),
        (RedisConfig::from_sentinel(SentinelConfig::new(["localhost"], "")), "master", "missing"),
        (
            RedisConfig::from_sentinel(SentinelConfig::new(Vec::<String>::new(), "m")),
            "sentinel",
            "at least one",
        ),
        (RedisConfig::from_cluster(ClusterConfig::default()), "cluster", "at least one"),
        (
            with(&RedisConfig::from_cluster(ClusterConfig::new(["localhost"])), |it| {
                it.database = Some(1);
            }),
            "database",
            "number 0",
        ),
        (with(&url, |it| it.password = Some(SECRET.into())), "password", "keep one"),
        (with(&url, |it| it.database = Some(4)), "database", "keep one"),
        (with(&url, |it| it.tls = Some(TlsConfig::new())), "tls", "rediss://"),
    ];
    for (config, field, part) in table {
        let error = refused(config).await;
        assert_eq!(error.problems()[0].field, field, "{error}");
        assert!(error.to_string().contains(part), "`{part}` is missing in: {error}");
    }
}
