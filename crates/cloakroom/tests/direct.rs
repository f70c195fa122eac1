//! Sessions without a web framework: what data stands for before and after it was stored.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::time::Duration;

use cloakroom::{
    CommitBuilder, Expect, MemorySessionStorage, SessionData, SessionError, SessionStorage,
};
use cloakroom_testkit::ManualClock;

const MINUTE: Duration = Duration::from_secs(60);

async fn count(storage: &MemorySessionStorage, id: &str) -> Option<u32> {
    let data = storage.get(id, None).await.unwrap()?;
    data.get("count").unwrap()
}

fn add_one(data: &mut SessionData) {
    data.update("count", |count: Option<u32>| count.unwrap_or(0) + 1).unwrap();
}

#[tokio::test]
async fn updates_of_data_that_is_stored_again_and_again_count_once() {
    let storage = MemorySessionStorage::new();
    let mut fresh = SessionData::new();
    add_one(&mut fresh);
    storage.set("ann", &fresh, MINUTE).await.unwrap();

    let mut data = storage.get("ann", None).await.unwrap().unwrap();
    for expected in 2..6 {
        add_one(&mut data);
        storage.set("ann", &data, MINUTE).await.unwrap();
        storage.set("ann", &data, MINUTE).await.unwrap();
        assert!(!data.is_dirty());
        assert_eq!(data.get::<u32>("count").unwrap(), Some(expected));
        assert_eq!(count(&storage, "ann").await, Some(expected));
    }
}

#[tokio::test]
async fn a_session_that_was_deleted_and_made_again_is_not_changed_by_an_old_copy() {
    let clock = ManualClock::new();
    let storage = MemorySessionStorage::builder().clock(clock.clone()).build().unwrap();
    let mut first = SessionData::new();
    first.insert("who", "first").unwrap();
    storage.set("ann", &first, MINUTE).await.unwrap();
    let mut stale = storage.get("ann", None).await.unwrap().unwrap();
    storage.delete("ann").await.unwrap();
    clock.advance(Duration::from_millis(1));
    let mut second = SessionData::new();
    second.insert("who", "second").unwrap();
    storage.set("ann", &second, MINUTE).await.unwrap();

    stale.insert("more", 1).unwrap();
    assert!(matches!(storage.set("ann", &stale, MINUTE).await, Err(SessionError::Gone)));
    let found = storage.get("ann", None).await.unwrap().unwrap();
    assert_eq!(found.get::<String>("who").unwrap().as_deref(), Some("second"));
    assert!(!found.contains("more"));
}

#[tokio::test]
async fn data_that_is_stored_under_another_name_is_a_copy() {
    let storage = MemorySessionStorage::new();
    let mut data = SessionData::new();
    add_one(&mut data);
    storage.set("ann", &data, MINUTE).await.unwrap();
    let mut found = storage.get("ann", None).await.unwrap().unwrap();
    add_one(&mut found);
    storage.set("bob", &found, MINUTE).await.unwrap();
    assert_eq!((count(&storage, "ann").await, count(&storage, "bob").await), (Some(1), Some(2)));
}

#[tokio::test]
async fn data_that_was_not_changed_is_touched_and_not_written() {
    let storage = MemorySessionStorage::new();
    let mut data = SessionData::new();
    add_one(&mut data);
    storage.set("ann", &data, MINUTE).await.unwrap();
    let key = cloakroom::SessionKey::from_name("ann");
    let before = storage.load(&key).await.unwrap().unwrap();
    let found = storage.get("ann", None).await.unwrap().unwrap();
    storage.set("ann", &found, MINUTE).await.unwrap();
    let after = storage.load(&key).await.unwrap().unwrap();
    assert_eq!(after.version(), before.version());
    storage.delete("ann").await.unwrap();
    assert!(matches!(storage.set("ann", &found, MINUTE).await, Err(SessionError::Gone)));
}

#[tokio::test]
async fn debug_shows_neither_values_nor_owners() {
    let commit = CommitBuilder::new(Expect::Absent).owner("olga").field("a", r#""secret""#);
    let commit = commit.build().unwrap();
    let mut data = SessionData::new();
    data.insert("a", "secret").unwrap();
    for shown in [format!("{commit:?}"), format!("{data:?}")] {
        assert!(!shown.contains("secret") && !shown.contains("olga"), "{shown}");
        assert!(!shown.contains("115, 101, 99"), "{shown}");
    }
}
