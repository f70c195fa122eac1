//! How long sessions live that an application sets under names of its own.

use std::time::Duration;

use cloakroom::{SessionData, SessionError, SessionKey, SessionStorage};

use super::direct::{holding, text};
use super::sample::{LONG, found, payload};
use super::{Fixture, Settings};

/// After its TTL a session is gone.
pub async fn a_session_ends_with_its_ttl(fixture: &impl Fixture) {
    let (storage, unit) = (fixture.open(&Settings::default()).await, fixture.unit());
    storage.set("short", &holding("a", "1"), unit).await.unwrap();
    storage.set("long", &holding("a", "1"), LONG).await.unwrap();
    assert!(storage.get("short", None).await.unwrap().is_some());
    fixture.pass(unit * 2).await;
    assert!(storage.get("short", None).await.unwrap().is_none());
    assert!(!storage.exists("short").await.unwrap());
    assert!(!storage.delete("short").await.unwrap());
    assert!(storage.exists("long").await.unwrap());
    assert_eq!(storage.stats().await.unwrap().total_sessions, 1);
}

/// Without a TTL it is the storage's default.
pub async fn a_set_without_a_ttl_uses_the_default(fixture: &impl Fixture) {
    let default_ttl = Duration::from_secs(1234);
    let storage = fixture.open(&Settings { default_ttl, ..Settings::default() }).await;
    assert_eq!(storage.default_ttl(), default_ttl);
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    let record = found(&storage, &SessionKey::from_name("ann")).await;
    assert_eq!(record.idle_timeout(), default_ttl);
    assert_eq!(record.touched().until(record.idle_deadline()), default_ttl);

    let other = Duration::from_secs(77);
    storage.set("ann", &holding("a", "1"), other).await.unwrap();
    let record = found(&storage, &SessionKey::from_name("ann")).await;
    assert_eq!(record.touched().until(record.idle_deadline()), other);
}

/// A TTL longer than any absolute timeout holds all the same.
pub async fn a_long_ttl_holds(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let month = Duration::from_secs(30 * 24 * 60 * 60);
    storage.set("ann", &holding("a", "1"), month).await.unwrap();
    let record = found(&storage, &SessionKey::from_name("ann")).await;
    assert_eq!(record.touched().until(record.idle_deadline()), month);
}

/// A TTL that no session can have is refused, and nothing is stored.
pub async fn a_ttl_of_nothing_or_of_years_is_refused(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    for ttl in [Duration::ZERO, Duration::from_secs(401 * 24 * 60 * 60), Duration::MAX] {
        let error = storage.set("ann", &holding("a", "1"), ttl).await.unwrap_err();
        assert!(matches!(error, SessionError::Lifetime { .. }), "{ttl:?}: {error}");
    }
    assert!(!storage.exists("ann").await.unwrap());
}

/// A read renews the TTL when less than half of it is left, by a touch: the payload stays.
pub async fn a_read_renews_the_ttl_only_when_less_than_half_is_left(fixture: &impl Fixture) {
    let (storage, unit) = (fixture.open(&Settings::default()).await, fixture.unit());
    let key = SessionKey::from_name("ann");
    storage.set("ann", &holding("a", "1"), unit * 6).await.unwrap();
    let fresh = found(&storage, &key).await;

    fixture.pass(unit).await;
    storage.get("ann", None).await.unwrap().unwrap();
    assert_eq!(found(&storage, &key).await.as_bytes(), fresh.as_bytes());

    fixture.pass(unit * 3).await;
    storage.get("ann", None).await.unwrap().unwrap();
    let renewed = found(&storage, &key).await;
    assert!(renewed.idle_deadline() >= fresh.idle_deadline() + unit * 4);
    assert_eq!(renewed.idle_deadline(), renewed.touched() + unit * 6);
    assert_eq!(renewed.generation(), fresh.generation());
    assert_eq!(payload(&renewed), payload(&fresh));

    fixture.pass(unit * 4).await;
    assert_eq!(text(&storage, "ann", "a").await.as_deref(), Some("1"));
}

/// Asking whether a session exists is not using it.
pub async fn exists_does_not_count_as_activity(fixture: &impl Fixture) {
    let (storage, unit) = (fixture.open(&Settings::default()).await, fixture.unit());
    let key = SessionKey::from_name("ann");
    storage.set("ann", &holding("a", "1"), unit * 6).await.unwrap();
    let fresh = found(&storage, &key).await;
    fixture.pass(unit * 4).await;
    assert!(storage.exists("ann").await.unwrap());
    assert_eq!(found(&storage, &key).await.as_bytes(), fresh.as_bytes());
    fixture.pass(unit * 3).await;
    assert!(!storage.exists("ann").await.unwrap());
}

/// What was got before the session was deleted cannot be set any more; new data can.
pub async fn a_delete_is_final_against_a_stale_set(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    let mut stale = storage.get("ann", None).await.unwrap().unwrap();
    stale.insert("a", "2").unwrap();
    assert!(storage.delete("ann").await.unwrap());
    let error = storage.set("ann", &stale, None).await.unwrap_err();
    assert!(matches!(error, SessionError::Gone), "{error}");
    assert!(!storage.exists("ann").await.unwrap());

    storage.set("ann", &holding("b", "3"), None).await.unwrap();
    assert_eq!(text(&storage, "ann", "b").await.as_deref(), Some("3"));
}

/// What was got before the session expired cannot be set any more.
pub async fn an_expiry_is_final_against_a_stale_set(fixture: &impl Fixture) {
    let (storage, unit) = (fixture.open(&Settings::default()).await, fixture.unit());
    storage.set("ann", &holding("a", "1"), unit).await.unwrap();
    let stale: SessionData = storage.get("ann", None).await.unwrap().unwrap();
    fixture.pass(unit * 2).await;
    let error = storage.set("ann", &stale, None).await.unwrap_err();
    assert!(matches!(error, SessionError::Gone), "{error}");
    assert!(!storage.exists("ann").await.unwrap());
}
