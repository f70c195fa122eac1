//! Signing out while the storage's server takes nothing: refused here at once, told as it is, never
//! called done before it is.

use std::time::Duration;

use cloakroom::{
    Answer, Destroyed, FlashLevel, LoadOutcome, PendingSignOut, Rejection, SessionError, SignOut,
};
use cloakroom_testkit::{Mood, Room};

use crate::ailing;
use crate::house::House;

const UNKNOWN: LoadOutcome = LoadOutcome::Rejected(Rejection::Unknown);

#[tokio::test]
async fn a_pending_sign_out_takes_the_cookie_away_and_is_not_called_done() {
    for wanted in [PendingSignOut::Accepted, PendingSignOut::Unavailable] {
        let (house, ailing) = ailing::house(|policy| policy.outage.pending_sign_out = wanted);
        let cookie = house.visitor().await;
        let scope = house.begin(&cookie);
        scope.handle().load().await.unwrap().destroy().unwrap();
        ailing.writes(Mood::Down);
        let finished = scope.finish(Answer::Ordinary).await.unwrap();
        assert!(finished.cookie().unwrap().value().ends_with("; Max-Age=0"));
        assert_eq!(finished.sign_out(), Some(SignOut::Pending));
        assert_eq!(finished.replacement(), Some(wanted));
        assert_eq!(house.journal.count("DestroyPending"), 1);
        assert_eq!(house.journal.count("Destroyed"), 0);

        assert_eq!(house.outcome(&cookie).await, UNKNOWN, "refused at once");
        assert_eq!(house.engine.health().pending_removals, 1);
        ailing.recover().await;
        assert_eq!(house.outcome(&cookie).await, UNKNOWN, "and for good");
    }
}

#[tokio::test]
async fn a_pending_sign_out_is_final_under_in_flight_writes() {
    let (house, ailing) = ailing::house(|_| {});
    let cookie = house.visitor().await;
    let writes = house.begin(&cookie);
    writes.handle().load().await.unwrap().insert("colour", "black").unwrap();
    let scope = house.begin(&cookie);
    let session = scope.handle().load().await.unwrap();
    ailing.writes(Mood::Down);
    assert_eq!(session.destroy_now().await.unwrap(), Destroyed::Pending);
    ailing.writes(Mood::Well);
    let refused = writes.finish(Answer::Ordinary).await.unwrap_err();
    assert!(matches!(refused, SessionError::Gone), "{refused}");
}

#[tokio::test]
async fn a_handler_that_knows_words_its_own_answer() {
    for (mood, outcome) in [(Mood::Well, SignOut::Done), (Mood::Down, SignOut::Pending)] {
        let (house, ailing) = ailing::house(|_| {});
        let cookie = house.visitor().await;
        house.journal.clear();
        let scope = house.begin(&cookie);
        let session = scope.handle().load().await.unwrap();
        ailing.writes(mood);
        let told = session.destroy_now().await.unwrap();
        assert_eq!(told == Destroyed::Pending, outcome == SignOut::Pending);
        assert_eq!(session.get::<String>("colour").unwrap(), None);
        session.destroy().unwrap();
        assert_eq!(session.destroy_now().await.unwrap(), told);
        let finished = scope.finish(Answer::Ordinary).await.unwrap();
        assert_eq!((finished.sign_out(), finished.replacement()), (Some(outcome), None));
        assert!(finished.cookie().unwrap().value().ends_with("; Max-Age=0"));
        assert_eq!(house.journal.asked(), ["load", "destroy"], "the storage is asked once");
        assert!(matches!(session.destroy_now().await, Err(SessionError::Finished)));
    }
}

#[tokio::test]
async fn a_server_error_claims_no_sign_out_and_is_kept() {
    let (house, ailing) = ailing::house(|_| {});
    let cookie = house.visitor().await;
    let scope = house.begin(&cookie);
    scope.handle().load().await.unwrap().destroy().unwrap();
    ailing.writes(Mood::Down);
    let finished = scope.finish(Answer::ServerError).await.unwrap();
    assert_eq!((finished.sign_out(), finished.replacement()), (Some(SignOut::Pending), None));
    assert!(finished.cookie().unwrap().value().ends_with("; Max-Age=0"));
}

#[tokio::test]
async fn a_sign_out_that_nobody_keeps_is_an_error_and_the_cookie_stays() {
    let (house, ailing) = ailing::house(|_| {});
    let cookie = house.visitor().await;
    let scope = house.begin(&cookie);
    scope.handle().load().await.unwrap().destroy().unwrap();
    ailing.writes(Mood::Down);
    ailing.journal(Room::Full);
    assert!(scope.finish(Answer::Ordinary).await.unwrap_err().is_transient());
    ailing.recover().await;
    assert_eq!(house.outcome(&cookie).await, LoadOutcome::Found, "nothing has happened");
    assert_eq!(house.journal.count("Destroy"), 0);
}

/// The handler knows, but an answer below 500 would still claim a success.
#[tokio::test]
async fn a_sign_out_that_failed_in_the_handler_is_tried_once_more() {
    let (house, ailing) = ailing::house(|_| {});
    for (recovers, answer) in [
        (true, Answer::Ordinary),
        (true, Answer::ServerError),
        (false, Answer::Ordinary),
        (false, Answer::ServerError),
    ] {
        ailing.recover().await;
        ailing.journal(Room::Full);
        let cookie = house.visitor().await;
        let scope = house.begin(&cookie);
        let session = scope.handle().load().await.unwrap();
        ailing.writes(Mood::Down);
        assert!(session.destroy_now().await.unwrap_err().is_transient());
        if recovers {
            ailing.recover().await;
        }
        let finished = scope.finish(answer).await;
        if recovers {
            let finished = finished.unwrap();
            assert_eq!(finished.sign_out(), Some(SignOut::Done));
            assert!(finished.cookie().unwrap().value().ends_with("; Max-Age=0"));
            assert_eq!(house.outcome(&cookie).await, UNKNOWN);
        } else if answer == Answer::Ordinary {
            assert!(finished.unwrap_err().is_transient());
        } else {
            let finished = finished.unwrap();
            assert!(finished.cookie().is_none() && finished.sign_out().is_none());
            assert_eq!(finished.replacement(), None, "the handler has said it itself");
        }
    }
}

/// It was told of an error; that the second try is pending, it does not know.
#[tokio::test]
async fn a_second_try_that_is_pending_is_told_as_well() {
    let (house, ailing) = ailing::house(|_| {});
    let cookie = house.visitor().await;
    let scope = house.begin(&cookie);
    let session = scope.handle().load().await.unwrap();
    ailing.writes(Mood::Down);
    ailing.journal(Room::Full);
    assert!(session.destroy_now().await.is_err());
    ailing.journal(Room::Free);
    let finished = scope.finish(Answer::Ordinary).await.unwrap();
    assert_eq!(finished.replacement(), Some(PendingSignOut::Accepted));
}

/// A farewell, or somebody else's sign-in, after a sign-out that is pending: the answer may not
/// count on it, and the old cookie has to go all the same.
#[tokio::test]
async fn what_is_put_in_after_a_pending_sign_out_and_cannot_be_saved_is_not_claimed() {
    type Handler = fn(&cloakroom::Session);
    let farewell: Handler = |session| session.flash(FlashLevel::Info, "goodbye").unwrap();
    let other: Handler = |session| session.set_owner("eve").unwrap();
    for handler in [farewell, other] {
        let (house, ailing) = ailing::house(|_| {});
        let cookie = house.visitor().await;
        let scope = house.begin(&cookie);
        let session = scope.handle().load().await.unwrap();
        ailing.writes(Mood::Down);
        assert_eq!(session.destroy_now().await.unwrap(), Destroyed::Pending);
        session.best_effort();
        handler(&session);
        let finished = scope.finish(Answer::Ordinary).await.unwrap();
        assert_eq!(finished.replacement(), Some(PendingSignOut::Unavailable));
        assert!(finished.cookie().unwrap().value().ends_with("; Max-Age=0"));
        assert_eq!(house.journal.count("NotCommitted"), 1);
    }
}

#[tokio::test]
async fn ending_a_session_that_is_not_stored_asks_the_storage_nothing() {
    let (house, ailing) = ailing::house(|_| {});
    ailing.writes(Mood::Down);
    let scope = house.begin(None);
    let session = scope.handle().load().await.unwrap();
    session.insert("colour", "green").unwrap();
    assert!(matches!(session.destroy_now().await, Ok(Destroyed::Absent(_))));
    let finished = scope.finish(Answer::Ordinary).await.unwrap();
    assert!(finished.cookie().is_none() && finished.sign_out().is_none());
    assert_eq!(house.journal.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_request_dropped_after_its_sign_out_is_pending_too() {
    let (house, ailing) = ailing::house(|_| {});
    let cookie = house.visitor().await;
    let scope = house.begin(&cookie);
    scope.handle().load().await.unwrap().destroy().unwrap();
    ailing.writes(Mood::Down);
    drop(scope);
    house.settle().await;
    assert_eq!(house.journal.count("DestroyPending"), 1);
    assert_eq!(house.outcome(&cookie).await, UNKNOWN);
}

/// What is pending ends with the process, so its end waits for it and says whether it was worth it.
#[tokio::test(start_paused = true)]
async fn the_end_of_the_process_waits_for_sign_outs_that_are_pending() {
    let (house, ailing) = ailing::house(|_| {});
    let cookie = house.visitor().await;
    ailing.writes(Mood::Down);
    let _ = house.visit(&cookie, |session| session.destroy().unwrap()).await;
    let second = Duration::from_secs(1);
    let start = tokio::time::Instant::now();
    assert!(!house.engine.drain(second).await, "it is not done");
    assert_eq!(start.elapsed(), second);
    let recovers = async {
        tokio::time::sleep(second).await;
        ailing.recover().await;
    };
    let (drained, ()) = tokio::join!(house.engine.drain(5 * second), recovers);
    assert!(drained);
    assert!(house.record(&cookie).await.is_none());
}

/// A handler that is dropped while it waits: the sign-out takes place, and only once.
#[tokio::test(start_paused = true)]
async fn a_sign_out_that_was_begun_outlives_its_handler_and_its_request() {
    let (house, slow) = slow_house().await;
    let cookie = house.visitor().await;
    let scope = house.begin(&cookie);
    let session = scope.handle().load().await.unwrap();
    let gives_up = tokio::time::timeout(slow / 2, session.destroy_now()).await;
    assert!(gives_up.is_err());
    drop(scope);
    house.drain().await;
    assert_eq!(house.outcome(&cookie).await, UNKNOWN);
    assert_eq!(house.journal.count("Destroyed"), 1);
}

/// A handler that gave up waiting knows nothing; the end of its request waits for the same answer.
#[tokio::test(start_paused = true)]
async fn the_end_of_a_request_hears_what_its_handler_did_not_wait_for() {
    let (house, slow) = slow_house().await;
    let cookie = house.visitor().await;
    let scope = house.begin(&cookie);
    let session = scope.handle().load().await.unwrap();
    assert!(tokio::time::timeout(slow / 2, session.destroy_now()).await.is_err());
    let start = tokio::time::Instant::now();
    let finished = scope.finish(Answer::Ordinary).await.unwrap();
    assert_eq!(finished.sign_out(), Some(SignOut::Done));
    assert_eq!(start.elapsed(), slow / 2, "it did not begin anew");
    assert_eq!(house.journal.count("Destroyed"), 1);
}

/// A house whose removals take a while.
async fn slow_house() -> (House, Duration) {
    let slow = Duration::from_millis(200);
    let clock = cloakroom_testkit::ManualClock::new();
    let memory = cloakroom::MemorySessionStorage::builder().clock(clock.clone()).build().unwrap();
    (House::on(crate::storages::SlowToRemove { memory, takes: slow }, clock, |_| {}), slow)
}
