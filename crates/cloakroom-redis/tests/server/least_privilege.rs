//! The user that the README names may do everything that a storage does, and nothing else.

use std::time::Duration;

use cloakroom::{SessionKey, SessionStorage, Touched};
use cloakroom_redis::RedisSessionStorage;

use super::support::{holding, start, text};

#[tokio::test]
async fn the_user_that_the_readme_names_has_every_right_that_is_needed() {
    let readme = include_str!("../../../../README.md");
    let rule = readme.lines().find(|line| line.starts_with("ACL SETUSER app ")).unwrap();
    let server = start().await;
    let words: Vec<&str> = rule.split(' ').collect();
    server.ask(words).await.unwrap();

    let url = format!("redis://app:password@127.0.0.1:{}", server.port());
    let storage = RedisSessionStorage::builder().url(url).pool_size(2).build().await.unwrap();
    server.ask(["SCRIPT", "FLUSH"]).await.unwrap();
    let ttl = Duration::from_secs(60);
    storage.set("ann", &holding("a", "1"), ttl).await.unwrap();
    storage.set("ann", &holding("a", "2"), ttl).await.unwrap();
    let mut found = storage.get("ann", None).await.unwrap().unwrap();
    found.insert("a", "3").unwrap();
    storage.set("ann", &found, ttl).await.unwrap();
    assert_eq!(text(&storage, "ann").await.unwrap().as_deref(), Some("3"));
    tokio::time::sleep(Duration::from_millis(5)).await;
    let touched = storage.touch(&SessionKey::from_name("ann")).await.unwrap();
    assert!(matches!(touched, Touched::Extended(_)), "{touched:?}");
    assert_eq!(storage.stats().await.unwrap().total_sessions, 1);
    storage.ping().await.unwrap();
    assert!(storage.delete("ann").await.unwrap());
    let refused: Vec<_> = server.ask(["ACL", "LOG"]).await.unwrap().many();
    // redis-rs introduces itself when it connects, and does without where it may not.
    assert!(refused.is_empty() || format!("{refused:?}").contains("setinfo"), "{refused:?}");
}
