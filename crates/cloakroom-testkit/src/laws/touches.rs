//! A touch moves the idle deadline, and does nothing else.

use cloakroom::{Absolute, SessionStorage, Touched};

use super::sample::{apply, creating, found, noise, payload, rewriting, unused_key};
use super::{Fixture, Settings};

/// The deadline moves to now plus the record's own idle timeout, the payload keeps every byte.
pub async fn a_touch_moves_the_idle_deadline_and_nothing_else(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let (key, idle) = (unused_key(), fixture.unit() * 100);
    let create = creating().idle_timeout(idle).owner("ann").field("a", noise(500));
    let stamp = apply(&storage, &key, &create).await;
    let before = found(&storage, &key).await;
    fixture.pass(fixture.unit()).await;

    let Touched::Extended(touched) = storage.touch(&key).await.unwrap() else {
        panic!("a touch after some time extends");
    };
    assert!(touched.touched >= stamp.touched + fixture.unit());
    assert_eq!(touched.idle_deadline, touched.touched + idle);
    assert_eq!(touched.generation, stamp.generation);
    assert_eq!((touched.created, touched.started), (stamp.created, stamp.started));
    assert_eq!(touched.absolute_deadline, stamp.absolute_deadline);
    let after = found(&storage, &key).await;
    assert_eq!(payload(&after), payload(&before));
    assert_eq!(after.as_bytes()[8..56], touched.to_bytes());
}

/// A touch is no commit: whoever read the record before it still commits, and the deadline that the
/// commit sets counts.
pub async fn a_touch_overtakes_no_commit(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let (key, idle) = (unused_key(), fixture.unit() * 100);
    let written = apply(&storage, &key, &creating().idle_timeout(idle).field("a", "1")).await;
    fixture.pass(fixture.unit()).await;
    assert!(matches!(storage.touch(&key).await.unwrap(), Touched::Extended(_)));
    fixture.pass(fixture.unit()).await;

    let commit = rewriting(&written).idle_timeout(idle).field("a", "2");
    let next = apply(&storage, &key, &commit).await;
    assert_eq!((next.generation, next.created), (written.generation.next(), written.created));
    assert_eq!(next.idle_deadline, next.touched + idle);
    let record = found(&storage, &key).await;
    assert_eq!((record.field("a"), record.stamp()), (Some(b"2".as_slice()), *next));
}

/// Touched in time, a session outlives its idle timeout.
pub async fn a_touched_session_outlives_its_idle_timeout(fixture: &impl Fixture) {
    let (storage, unit) = (fixture.open(&Settings::default()).await, fixture.unit());
    let (key, left_alone) = (unused_key(), unused_key());
    apply(&storage, &key, &creating().idle_timeout(unit * 5)).await;
    apply(&storage, &left_alone, &creating().idle_timeout(unit * 5)).await;
    fixture.pass(unit * 3).await;
    assert!(matches!(storage.touch(&key).await.unwrap(), Touched::Extended(_)));
    fixture.pass(unit * 3).await;
    found(&storage, &key).await;
    assert!(storage.load(&left_alone).await.unwrap().is_none());
}

/// At the absolute deadline even a session in constant use ends.
pub async fn a_touch_never_passes_the_absolute_deadline(fixture: &impl Fixture) {
    let (storage, unit) = (fixture.open(&Settings::default()).await, fixture.unit());
    let key = unused_key();
    let create = creating().absolute(Absolute::Start(unit * 6)).idle_timeout(unit * 5);
    let stamp = apply(&storage, &key, &create).await;
    fixture.pass(unit * 3).await;
    let Touched::Extended(touched) = storage.touch(&key).await.unwrap() else {
        panic!("the absolute deadline is not reached yet");
    };
    assert_eq!(touched.idle_deadline, stamp.absolute_deadline);
    assert_eq!(storage.touch(&key).await.unwrap(), Touched::Unchanged);
    assert_eq!(found(&storage, &key).await.idle_deadline(), stamp.absolute_deadline);
    fixture.pass(unit * 4).await;
    assert!(storage.load(&key).await.unwrap().is_none());
    assert_eq!(storage.touch(&key).await.unwrap(), Touched::Gone);
}

/// However many touches come at once, the deadline never moves back.
pub async fn a_touch_never_shortens_a_lifetime(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let key = unused_key();
    let mut deadline =
        apply(&storage, &key, &creating().idle_timeout(fixture.unit() * 100)).await.idle_deadline;
    for round in 0..50 {
        if let Touched::Extended(stamp) = storage.touch(&key).await.unwrap() {
            assert!(stamp.idle_deadline > deadline, "round {round}");
            deadline = stamp.idle_deadline;
        }
        assert_eq!(found(&storage, &key).await.idle_deadline(), deadline, "round {round}");
    }
}

/// Touching nothing leaves nothing behind.
pub async fn a_touch_never_creates(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let key = unused_key();
    assert_eq!(storage.touch(&key).await.unwrap(), Touched::Gone);
    assert!(storage.load(&key).await.unwrap().is_none());
    assert_eq!(storage.stats().await.unwrap().total_sessions, 0);
}
