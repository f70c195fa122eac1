//! What a start through Sentinels needs, and what it says when something is wrong.

use std::error::Error;
use std::time::{Duration, Instant};

use cloakroom::{ConfigError, ConfigErrorKind, SessionData, SessionStorage};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::{RedisServer, SentinelSet};

const TIMEOUT: Duration = Duration::from_secs(2);

/// No text may hold any of these.
const SECRETS: [&str; 4] = ["watch-secret", "data-secret", "app-secret", "wrong-secret"];

async fn refused(url: &str) -> ConfigError {
    let begin = Instant::now();
    let builder = RedisSessionStorage::builder().url(url).pool_size(2).connection_timeout(TIMEOUT);
    let error = builder.build().await.unwrap_err();
    // The grace is for a busy machine: what would be wrong takes a multiple of the timeout.
    assert!(begin.elapsed() < TIMEOUT + TIMEOUT / 4, "{:?}", begin.elapsed());
    let mut next: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(shown) = next {
        let text = format!("{shown} {shown:?}");
        assert!(!SECRETS.iter().any(|secret| text.contains(secret)), "{text}");
        next = shown.source();
    }
    error
}

fn assert_tells(error: &ConfigError, kind: ConfigErrorKind, part: &str) {
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(part), "`{part}` is missing in: {error}");
}

#[tokio::test]
async fn sentinels_and_data_have_users_and_passwords_of_their_own() {
    let data = RedisServer::builder().password("data-secret").user(
        "app",
        "app-secret",
        "~cloakroom:session:* +@all",
    );
    let sentinels = RedisServer::builder().password("watch-secret");
    let set = SentinelSet::builder().data(data).sentinels(sentinels).start().await.unwrap();
    let with = |url: &str, rest: &str| format!("{url}{rest}");
    let url = set.url();

    let right = with(&url, "/3?sentinel_password=watch-secret");
    let storage = RedisSessionStorage::builder().url(&right).build().await.unwrap();
    let mut ann = SessionData::new();
    ann.insert("a", 1).unwrap();
    storage.set("ann", &ann, None).await.unwrap();
    let primary = set.primary().await.unwrap();
    assert!(primary.info("keyspace", "db3").await.unwrap().contains("keys=1"));

    for wrong in ["", "?sentinel_password=wrong-secret"] {
        let error = refused(&with(&url, wrong)).await;
        assert_tells(&error, ConfigErrorKind::Denied, "password for the Sentinels");
    }
    let login = url.replace("app-secret", "wrong-secret");
    let error = refused(&with(&login, "?sentinel_password=watch-secret")).await;
    assert_tells(&error, ConfigErrorKind::Denied, "check user name, password");
    let other = url.replace(set.name(), "another-name");
    let error = refused(&with(&other, "?sentinel_password=watch-secret")).await;
    assert_tells(&error, ConfigErrorKind::Invalid, "check the name");
}

#[tokio::test]
async fn sentinels_without_a_password_refuse_one() {
    let set = SentinelSet::start().await.unwrap();
    let error = refused(&format!("{}?sentinel_password=wrong-secret", set.url())).await;
    assert_tells(&error, ConfigErrorKind::Denied, "password for the Sentinels");
    // One that is gone hides nothing of what the others say.
    set.sentinels()[2].kill_now();
    let error = refused(&format!("{}?sentinel_password=wrong-secret", set.url())).await;
    assert_tells(&error, ConfigErrorKind::Denied, "password for the Sentinels");
    let error = refused(&set.url().replace(set.name(), "another-name")).await;
    assert_tells(&error, ConfigErrorKind::Invalid, "check the name");
}

#[tokio::test]
async fn sentinels_that_cannot_be_reached_are_named_as_such() {
    let set = SentinelSet::start().await.unwrap();
    set.sentinels().iter().for_each(RedisServer::freeze);
    let error = refused(&set.url()).await;
    assert_tells(&error, ConfigErrorKind::Unreachable, "no Sentinel of");
    set.sentinels().iter().for_each(RedisServer::kill_now);
    let error = refused(&set.url()).await;
    assert_tells(&error, ConfigErrorKind::Unreachable, "no Sentinel of");
}

#[tokio::test]
async fn a_server_that_is_no_sentinel_is_named() {
    let server = RedisServer::start().await.unwrap();
    let address = format!("127.0.0.1:{}", server.port());
    let error = refused(&format!("redis+sentinel://{address}/primary")).await;
    assert_tells(&error, ConfigErrorKind::Invalid, &format!("{address} is no Sentinel"));
}

#[tokio::test]
async fn a_user_who_may_not_ask_for_the_role_follows_the_sentinels() {
    let data = RedisServer::builder().password("data-secret").user(
        "app",
        "app-secret",
        "~cloakroom:session:* +@all -role -info",
    );
    let set = SentinelSet::builder().data(data).start().await.unwrap();
    let storage = RedisSessionStorage::builder().url(set.url()).build().await.unwrap();
    set.primary().await.unwrap().kill_now();
    super::support::until_writable(&storage).await;
}
