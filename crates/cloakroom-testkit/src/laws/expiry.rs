//! Time is up: what has expired is not there, for nobody.

use cloakroom::{
    Absolute, CommitBuilder, Committed, Destroyed, Durability, Expect, Generation, SessionFacts,
    SessionStorage, Timestamp, Touched,
};

use super::sample::{LONG, apply, creating, found, rewriting, send, unused_key};
use super::{Fixture, Settings};

/// An expired record is not returned, not counted, not changed and not prolonged.
pub async fn an_expired_record_is_gone_for_everybody(fixture: &impl Fixture) {
    let (storage, unit) = (fixture.open(&Settings::default()).await, fixture.unit());
    let key = unused_key();
    let stamp = apply(&storage, &key, &creating().idle_timeout(unit)).await;
    assert_eq!(stamp.idle_deadline, stamp.touched + unit);
    fixture.pass(unit * 2).await;

    assert!(storage.load(&key).await.unwrap().is_none());
    assert_eq!(storage.touch(&key).await.unwrap(), Touched::Gone);
    for commit in [rewriting(&stamp), CommitBuilder::new(Expect::Present)] {
        let outcome = send(&storage, &key, &commit).await;
        assert!(matches!(outcome, Committed::Gone), "{commit:?}: {outcome:?}");
    }
    assert_eq!(storage.stats().await.unwrap().total_sessions, 0);
    assert_eq!(storage.destroy(&key).await.unwrap(), Destroyed::Absent(Durability::LOCAL));
}

/// A new session under an expired one's key owes nothing to it.
pub async fn a_session_after_an_expired_one_begins_anew(fixture: &impl Fixture) {
    let (storage, unit) = (fixture.open(&Settings::default()).await, fixture.unit());
    let key = unused_key();
    let old = apply(&storage, &key, &creating().idle_timeout(unit).field("old", "1")).await;
    fixture.pass(unit * 2).await;
    let new = apply(&storage, &key, &creating().field("new", "1")).await;
    assert_eq!(new.generation, Generation::new(1));
    assert!(new.created > old.idle_deadline);
    let record = found(&storage, &key).await;
    assert_eq!(record.field_names().collect::<Vec<_>>(), ["new"]);
}

/// Each session has its own timeout, and a commit gives it a new one.
pub async fn every_session_keeps_its_own_timeout(fixture: &impl Fixture) {
    let (storage, unit) = (fixture.open(&Settings::default()).await, fixture.unit());
    let [short, long, prolonged, shortened] = [(); 4].map(|()| unused_key());
    apply(&storage, &short, &creating().idle_timeout(unit)).await;
    apply(&storage, &long, &creating().idle_timeout(LONG)).await;
    let stamp = apply(&storage, &prolonged, &creating().idle_timeout(unit)).await;
    apply(&storage, &prolonged, &rewriting(&stamp).idle_timeout(LONG)).await;
    let stamp = apply(&storage, &shortened, &creating().idle_timeout(LONG)).await;
    apply(&storage, &shortened, &rewriting(&stamp).idle_timeout(unit)).await;
    fixture.pass(unit * 2).await;
    for (key, lives) in [(short, false), (long, true), (prolonged, true), (shortened, false)] {
        assert_eq!(storage.load(&key).await.unwrap().is_some(), lives);
    }
}

/// Commits do not carry a session past its absolute deadline; only a new start does.
pub async fn a_commit_keeps_the_absolute_deadline_unless_it_starts_a_new_one(
    fixture: &impl Fixture,
) {
    let (storage, unit) = (fixture.open(&Settings::default()).await, fixture.unit());
    let (kept, restarted) = (unused_key(), unused_key());
    let create = creating().absolute(Absolute::Start(unit * 4)).idle_timeout(LONG);
    let first = apply(&storage, &kept, &create).await;
    assert_eq!(first.idle_deadline, first.absolute_deadline);
    let other = apply(&storage, &restarted, &create).await;
    fixture.pass(unit).await;
    let second = apply(&storage, &kept, &rewriting(&first)).await;
    assert_eq!(second.idle_deadline, first.absolute_deadline);
    let sign_in = rewriting(&other).absolute(Absolute::Start(LONG));
    let started = apply(&storage, &restarted, &sign_in).await;
    assert_eq!(started.created, other.created);
    assert!(started.started > other.started);
    assert_eq!(started.absolute_deadline, started.started + LONG);
    fixture.pass(unit * 4).await;
    assert!(storage.load(&kept).await.unwrap().is_none());
    found(&storage, &restarted).await;
}

/// A session that was imported is as old as it was, and as if nobody had signed in to it until
/// somebody does.
pub async fn a_session_from_elsewhere_keeps_its_age(fixture: &impl Fixture) {
    let (storage, unit) = (fixture.open(&Settings::default()).await, fixture.unit());
    let new = apply(&storage, &unused_key(), &creating()).await;
    let long_ago = Timestamp::from_millis(new.created.as_millis() / 2);
    for (told, kept) in [
        (long_ago, long_ago),
        (Timestamp::UNKNOWN, Timestamp::UNKNOWN),
        // A clock that was ahead.
        (new.created + LONG, new.created),
    ] {
        let key = unused_key();
        let create = creating().absolute(Absolute::Start(LONG)).created_elsewhere(told);
        let first = apply(&storage, &key, &create).await;
        let created = if told > new.created { first.touched } else { kept };
        assert_eq!((first.created, first.started), (created, Timestamp::UNKNOWN));
        assert_eq!(first.absolute_deadline, first.touched + LONG);
        fixture.pass(unit).await;
        let prolonging = rewriting(&first).absolute(Absolute::Prolong(LONG));
        let second = apply(&storage, &key, &prolonging).await;
        assert_eq!((second.created, second.started), (created, Timestamp::UNKNOWN));
        let _ = storage.touch(&key).await.unwrap();
        assert_eq!(found(&storage, &key).await.started(), Timestamp::UNKNOWN);
        let sign_in = rewriting(&second).absolute(Absolute::Start(LONG));
        let third = apply(&storage, &key, &sign_in).await;
        assert_eq!((third.created, third.started), (created, third.touched));
        let record = found(&storage, &key).await;
        let facts = SessionFacts::of(&key, &record).session().unwrap();
        assert_eq!(facts.created(), created.known());
        assert_eq!(facts.is_created_before(new.created), created < new.created);
    }
}
