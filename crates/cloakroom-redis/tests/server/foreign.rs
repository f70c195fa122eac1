//! Reading the keys of another library, for a migration.

use std::collections::BTreeSet;
use std::time::Duration;

use cloakroom::StorageErrorKind;
use cloakroom_redis::{
    FOREIGN_RIGHTS, FOREIGN_VALUE_LIMIT, ForeignCursor, ForeignKeys, ForeignValue, RedisConfig,
};
use cloakroom_testkit::RedisServer;

use super::support::start;

async fn walk(server: &RedisServer, prefix: &str, behind: Option<usize>) -> ForeignKeys {
    let config = RedisConfig::from_url(server.plain_url());
    ForeignKeys::connect(config, prefix, behind).await.unwrap()
}

async fn all(keys: &ForeignKeys) -> BTreeSet<Vec<u8>> {
    let (mut cursor, mut names) = (Some(ForeignCursor::start()), BTreeSet::new());
    while let Some(at) = cursor {
        // A cursor survives its form as text.
        let page = keys.page(&at.to_string().parse().unwrap()).await.unwrap();
        names.extend(page.names);
        cursor = page.next;
    }
    names
}

#[tokio::test]
async fn a_walk_finds_every_key_of_its_pattern_and_no_other() {
    let server = start().await;
    let script = "for i = 1, 5000 do redis.call('SET', 'se[ss]:' .. i, 'x') \
                  redis.call('SET', 'sess:' .. i, 'x') end";
    server.ask(["EVAL", script, "0"]).await.unwrap();
    assert_eq!(all(&walk(&server, "se[ss]:", None).await).await.len(), 5000);
    assert_eq!(all(&walk(&server, "sess:", Some(3)).await).await.len(), 900);
    assert_eq!(server.calls("keys").await.unwrap(), 0);
}

#[tokio::test]
async fn values_come_with_their_type_their_length_and_their_time() {
    let server = start().await;
    let long = "x".repeat(FOREIGN_VALUE_LIMIT + 5);
    server.ask(["SET", "text", "a\0b", "PX", "60000"]).await.unwrap();
    server.ask(["SET", "long", &long]).await.unwrap();
    server.ask(["HSET", "hash", "f", "v"]).await.unwrap();
    server.ask(["SADD", "set", "m"]).await.unwrap();
    let keys = walk(&server, "", None).await;
    let text = keys.text(b"text").await.unwrap();
    assert_eq!(text.value, ForeignValue::Text("a\0b".into()));
    let minute = Duration::from_secs(60);
    assert!(text.time_left.is_some_and(|left| left <= minute && left > minute / 2));
    assert_eq!(keys.text(b"long").await.unwrap().value, ForeignValue::TooLong);
    assert_eq!(keys.text(b"long").await.unwrap().time_left, None);
    assert_eq!(keys.text(b"none").await.unwrap().value, ForeignValue::Gone);
    assert_eq!(keys.hash(b"none").await.unwrap().value, ForeignValue::Gone);
    for name in ["hash", "set"] {
        let value = keys.text(name.as_bytes()).await.unwrap().value;
        assert_eq!(value, ForeignValue::OtherType, "{name}");
    }
    let hash = ForeignValue::Hash(vec![("f".into(), "v".into())]);
    assert_eq!(keys.hash(b"hash").await.unwrap().value, hash);
    assert_eq!(keys.hash(b"text").await.unwrap().value, ForeignValue::OtherType);
}

#[tokio::test]
async fn a_hash_that_is_too_large_is_not_fetched() {
    let server = start().await;
    let long = "x".repeat(FOREIGN_VALUE_LIMIT);
    server.ask(["HSET", "hash", "a", "1", "b", &long]).await.unwrap();
    server.ask(["EXPIRE", "hash", "60"]).await.unwrap();
    let entry = walk(&server, "", None).await.hash(b"hash").await.unwrap();
    assert_eq!(entry.value, ForeignValue::TooLong);
    assert!(entry.time_left.is_some());
    assert_eq!(server.calls("hgetall").await.unwrap(), 0);
}

#[tokio::test]
async fn an_entry_tells_the_servers_time() {
    let server = start().await;
    server.ask(["SET", "text", "a"]).await.unwrap();
    let as_of = walk(&server, "", None).await.text(b"text").await.unwrap().as_of;
    let time = server.ask(["TIME"]).await.unwrap().many()[0].text().parse::<u64>().unwrap();
    assert!(as_of.as_millis().abs_diff(time * 1000) < 5_000, "{as_of}");
}

#[tokio::test]
async fn a_walk_on_another_run_of_its_server_begins_anew() {
    let server = start().await;
    let script = "for i = 1, 5000 do redis.call('SET', 'sess:' .. i, 'x') end";
    server.ask(["EVAL", script, "0"]).await.unwrap();
    let keys = walk(&server, "", None).await;
    let first = keys.page(&ForeignCursor::start()).await.unwrap();
    let next = first.next.unwrap();
    assert!(!first.began_anew && !keys.page(&next).await.unwrap().began_anew);
    let text = next.to_string();
    let (place, _) = text.rsplit_once('#').unwrap();
    for text in [format!("{place}#00000000"), "5@elsewhere:1#00000000".to_owned()] {
        let page = keys.page(&text.parse().unwrap()).await.unwrap();
        assert_eq!((page.began_anew, &page.names), (true, &first.names), "{text}");
        assert_eq!(page.next.unwrap(), next);
    }
    for text in ["", "5", "5@localhost:1", "x@localhost:1#0", "-1@localhost:1#0"] {
        assert!(text.parse::<ForeignCursor>().is_err(), "{text}");
    }
}

#[tokio::test]
async fn the_user_that_the_documentation_names_can_walk_and_the_applications_user_cannot() {
    let server = start().await;
    server.ask(["SET", "sess:a", "x"]).await.unwrap();
    server.ask(["HSET", "sess:b", "f", "v"]).await.unwrap();
    let page = include_str!("../../../../docs/moving/README.md");
    let rule = page.lines().find(|line| line.starts_with("ACL SETUSER mover ")).unwrap();
    assert!(FOREIGN_RIGHTS.iter().all(|right| rule.contains(&format!(" +{right}"))));
    assert_eq!(server.ask(rule.split(' ')).await.unwrap().text(), "OK");
    let config = RedisConfig::from_url(server.url_as("mover", "PASSWORD"));
    let keys = ForeignKeys::connect(config, "sess:", None).await.unwrap();
    assert_eq!(all(&keys).await.len(), 2);
    assert_eq!(keys.text(b"sess:a").await.unwrap().value, ForeignValue::Text("x".into()));
    keys.hash(b"sess:b").await.unwrap();
    assert!(server.ask(["ACL", "LOG"]).await.unwrap().many().is_empty());

    let rule = cloakroom_redis::AclRule::for_sessions("app", "cloakroom:session:").unwrap();
    server.ask(rule.to_string().split(' ')).await.unwrap();
    let config = RedisConfig::from_url(server.url_as("app", "PASSWORD"));
    let keys = ForeignKeys::connect(config, "sess:", None).await.unwrap();
    assert_eq!(*keys.text(b"sess:a").await.unwrap_err().kind(), StorageErrorKind::Denied);
}
