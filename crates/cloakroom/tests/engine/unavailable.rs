//! A storage that cannot say: never "no session", never a cleared cookie, never a second question.

use std::time::Duration;

use cloakroom::{Answer, LoadOutcome, MemorySessionStorage, SessionError, StorageErrorKind};
use cloakroom_testkit::ManualClock;

use crate::house::House;
use crate::storages::Moody;

fn moody_house() -> (House, Moody) {
    let clock = ManualClock::new();
    let memory = MemorySessionStorage::builder().clock(clock.clone()).build().unwrap();
    let moody = Moody::new(memory);
    (House::on(moody.clone(), clock, |_| {}), moody)
}

#[tokio::test]
async fn unavailable_never_becomes_anonymous_and_never_clears_the_cookie() {
    let (house, moody) = moody_house();
    let cookie = house.visitor().await;
    moody.fail(true);
    let scope = house.begin(&cookie);
    let handle = scope.handle();
    let error = handle.load().await.unwrap_err();
    assert!(error.is_transient());
    assert!(handle.load_existing().await.is_err() && handle.outcome().await.is_err());
    assert!(scope.finish(Answer::ServerError).await.unwrap().into_cookie().is_none());
    moody.fail(false);
    assert_eq!(house.outcome(&cookie).await, LoadOutcome::Found);
}

#[tokio::test]
async fn the_storage_is_asked_once_per_request_even_when_it_recovers_meanwhile() {
    let (house, moody) = moody_house();
    let cookie = house.visitor().await;
    house.journal.clear();
    moody.fail(true);
    let scope = house.begin(&cookie);
    assert!(scope.handle().load().await.is_err());
    moody.fail(false);
    assert!(scope.handle().load().await.is_err());
    assert!(scope.finish(Answer::Ordinary).await.unwrap().into_cookie().is_none());
    assert_eq!(house.journal.asked(), ["load in vain"]);
}

#[tokio::test]
async fn a_visitor_without_a_ticket_is_anonymous_even_then() {
    let (house, moody) = moody_house();
    moody.fail(true);
    let scope = house.begin(None);
    let session = scope.handle().load().await.unwrap();
    session.insert("colour", "green").unwrap();
    let error = scope.finish(Answer::Ordinary).await.unwrap_err();
    assert!(error.is_transient(), "what could not be stored is not handed out");
}

#[tokio::test]
async fn a_sign_out_that_could_not_be_carried_out_is_an_error() {
    let (house, moody) = moody_house();
    let cookie = house.visitor().await;
    let scope = house.begin(&cookie);
    scope.handle().load().await.unwrap().destroy().unwrap();
    moody.fail(true);
    let error = scope.finish(Answer::Ordinary).await.unwrap_err();
    assert!(matches!(error, SessionError::Storage(_)), "the cookie must not be cleared: {error}");
}

#[tokio::test(start_paused = true)]
async fn a_commit_ends_within_its_deadline_when_the_storage_hangs() {
    let clock = ManualClock::new();
    let moody = Moody::new(MemorySessionStorage::new());
    let limit = Duration::from_millis(700);
    let house = House::on(moody.clone(), clock, |policy| policy.commit_timeout = limit);
    let cookie = house.visitor().await;
    let waits = house.begin(&cookie);
    waits.handle().load().await.unwrap().insert("size", 1).unwrap();
    let leads = house.begin(&cookie);
    leads.handle().load().await.unwrap().insert("colour", "black").unwrap();
    moody.close_gate();

    let start = tokio::time::Instant::now();
    let (led, waited) =
        tokio::join!(leads.finish(Answer::Ordinary), waits.finish(Answer::Ordinary));
    let elapsed = start.elapsed();
    assert!(elapsed >= limit && elapsed <= limit + Duration::from_millis(50), "{elapsed:?}");
    for answer in [led, waited] {
        match answer.unwrap_err() {
            SessionError::Storage(error) => {
                assert!(matches!(error.kind(), StorageErrorKind::Timeout { .. }), "{error}");
                assert!(error.to_string().contains("commit timeout"), "{error}");
            }
            SessionError::Conflict { limit: told, .. } => assert_eq!(told, limit),
            other => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn a_client_that_disconnects_during_the_commit_does_not_stop_it() {
    let (house, moody) = moody_house();
    let cookie = house.visitor().await;
    let scope = house.begin(&cookie);
    scope.handle().load().await.unwrap().insert("colour", "black").unwrap();
    moody.close_gate();
    let finishing = tokio::spawn(scope.finish(Answer::Ordinary));
    moody.arrivals(2).await;
    finishing.abort();
    assert!(finishing.await.unwrap_err().is_cancelled());
    moody.open_gate();
    house.drain().await;
    let colour = house.look(&cookie, |session| session.get::<String>("colour").unwrap()).await;
    assert_eq!(colour.as_deref(), Some("black"));
}
