//! How requests end: signed out, with a server error, or not at all.

use std::pin::pin;
use std::time::Duration;

use cloakroom::{Answer, Destroyed, LoadOutcome, OnServerError, Rejection, SessionError};
use cloakroom_testkit::Mood;
use tokio::time::timeout;

use crate::house::{House, key};

#[tokio::test]
async fn a_sign_out_removes_the_record_and_takes_the_ticket_away() {
    let house = House::new();
    let cookie = house.visitor().await;
    let sign_out = |session: &cloakroom::Session| {
        session.destroy().unwrap();
        assert!(session.is_new() && session.public_id().is_none());
        assert_eq!(session.get::<String>("colour").unwrap(), None);
    };
    let taken = house.visit(&cookie, sign_out).await.unwrap();
    assert!(taken.value().ends_with("; Max-Age=0"));
    assert!(house.record(&cookie).await.is_none());
    assert_eq!(house.outcome(&cookie).await, LoadOutcome::Rejected(Rejection::Unknown));
}

#[tokio::test]
async fn a_sign_out_is_final_under_in_flight_writes() {
    let house = House::new();
    let cookie = house.visitor().await;
    let writes = house.begin(&cookie);
    writes.handle().load().await.unwrap().insert("colour", "black").unwrap();
    let rotates = house.begin(&cookie);
    rotates.handle().load().await.unwrap().rotate().unwrap();
    let signs_in = house.begin(&cookie);
    signs_in.handle().load().await.unwrap().set_owner("olga").unwrap();
    house.visit(&cookie, |session| session.destroy().unwrap()).await;
    for in_flight in [writes, rotates, signs_in] {
        let refused = in_flight.finish(Answer::Ordinary).await.unwrap_err();
        assert!(matches!(refused, SessionError::Gone) && refused.is_conflict());
    }
    assert!(house.record(&cookie).await.is_none());
}

#[tokio::test]
async fn a_message_after_a_sign_out_lies_in_a_new_anonymous_session() {
    let house = House::new();
    let cookie = house.visit(None, |session| session.set_owner("olga").unwrap()).await.unwrap();
    let sign_out = |session: &cloakroom::Session| {
        session.destroy().unwrap();
        session.flash(cloakroom::FlashLevel::Success, "goodbye").unwrap();
        assert_eq!(session.owner(), None);
    };
    let fresh = house.visit(&cookie, sign_out).await.unwrap();
    assert_ne!(key(&fresh).public_id(), key(&cookie).public_id());
    assert!(house.record(&cookie).await.is_none());
    house
        .look(&fresh, |session| {
            assert_eq!(session.owner(), None);
            assert_eq!(session.take_flashes().unwrap()[0].text(), "goodbye");
        })
        .await;
}

#[tokio::test]
async fn a_sign_out_after_a_rotation_in_the_same_request_removes_the_record() {
    let house = House::new();
    let cookie = house.visitor().await;
    let handler = |session: &cloakroom::Session| {
        session.rotate().unwrap();
        session.destroy().unwrap();
        session.destroy().unwrap();
    };
    let taken = house.visit(&cookie, handler).await.unwrap();
    assert!(taken.value().ends_with("; Max-Age=0"));
    assert!(house.record(&cookie).await.is_none());
}

#[tokio::test]
async fn a_server_error_discards_the_changes() {
    let house = House::new();
    let cookie = house.visitor().await;
    let scope = house.begin(&cookie);
    let session = scope.handle().load().await.unwrap();
    session.insert("colour", "black").unwrap();
    session.set_owner("olga").unwrap();
    assert!(scope.finish(Answer::from_status(500)).await.unwrap().into_cookie().is_none());
    assert_eq!(house.record(&cookie).await.unwrap().generation().number(), 1);
    assert_eq!(house.outcome(&cookie).await, LoadOutcome::Found, "the ticket still holds");
    assert_eq!(house.journal.count("Discarded"), 1);

    let scope = house.begin(None);
    scope.handle().load().await.unwrap().insert("colour", "black").unwrap();
    assert!(
        scope.finish(Answer::from_status(503)).await.unwrap().into_cookie().is_none(),
        "nothing is created"
    );
}

#[tokio::test]
async fn a_server_error_does_not_stop_a_sign_out() {
    for on_server_error in [OnServerError::Discard, OnServerError::Commit] {
        let house = House::with_policy(|policy| policy.on_server_error = on_server_error);
        let cookie = house.visitor().await;
        let scope = house.begin(&cookie);
        let session = scope.handle().load().await.unwrap();
        session.insert("colour", "black").unwrap();
        session.destroy().unwrap();
        let taken = scope.finish(Answer::ServerError).await.unwrap().into_cookie().unwrap();
        assert!(taken.value().ends_with("; Max-Age=0"));
        assert!(house.record(&cookie).await.is_none());
    }
}

#[tokio::test]
async fn a_server_error_commits_where_the_policy_says_so() {
    let house = House::with_policy(|policy| policy.on_server_error = OnServerError::Commit);
    let cookie = house.visitor().await;
    let scope = house.begin(&cookie);
    scope.handle().load().await.unwrap().insert("colour", "black").unwrap();
    assert!(scope.finish(Answer::ServerError).await.unwrap().into_cookie().is_none());
    let colour = house.look(&cookie, |session| session.get::<String>("colour").unwrap()).await;
    assert_eq!(colour.as_deref(), Some("black"));
}

#[tokio::test]
async fn client_errors_and_redirects_commit() {
    for status in [200, 204, 302, 404, 422, 499] {
        let house = House::new();
        let scope = house.begin(None);
        scope.handle().load().await.unwrap().insert("colour", "green").unwrap();
        assert!(
            scope.finish(Answer::from_status(status)).await.unwrap().into_cookie().is_some(),
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_dropped_request_discards_its_changes() {
    let house = House::new();
    let cookie = house.visitor().await;
    let scope = house.begin(&cookie);
    let session = scope.handle().load().await.unwrap();
    session.insert("colour", "black").unwrap();
    drop(scope);
    house.drain().await;
    assert_eq!(house.record(&cookie).await.unwrap().generation().number(), 1);
    assert_eq!(house.journal.count("Discarded"), 1);
    assert!(matches!(session.insert("colour", "red"), Err(SessionError::Finished)));
}

#[tokio::test]
async fn a_dropped_request_carries_out_its_sign_out() {
    let house = House::new();
    let cookie = house.visitor().await;
    let scope = house.begin(&cookie);
    scope.handle().load().await.unwrap().destroy().unwrap();
    drop(scope);
    house.drain().await;
    assert!(house.record(&cookie).await.is_none());
    assert_eq!(house.journal.count("Destroyed"), 1);
}

#[tokio::test]
async fn a_panicking_handler_carries_out_its_sign_out() {
    let house = House::new();
    let cookie = house.visitor().await;
    let scope = house.begin(&cookie);
    let handler = tokio::spawn(async move {
        scope.handle().load().await.unwrap().destroy().unwrap();
        panic!("the handler panics on purpose");
    });
    assert!(handler.await.unwrap_err().is_panic());
    house.drain().await;
    assert!(house.record(&cookie).await.is_none());
}

#[tokio::test]
async fn after_the_end_writes_are_refused_and_reads_still_work() {
    let house = House::new();
    let cookie = house.visitor().await;
    let scope = house.begin(&cookie);
    let session = scope.handle().load().await.unwrap();
    session.insert("size", 7).unwrap();
    assert!(scope.finish(Answer::Ordinary).await.unwrap().into_cookie().is_none());
    let writes = [
        session.insert("size", 8),
        session.update("size", |_: Option<u8>| 8).map(drop),
        session.remove("size"),
        session.clear(),
        session.rotate(),
        session.destroy(),
        session.set_owner("olga"),
        session.set_idle_timeout(std::time::Duration::from_secs(60)),
        session.remember_for(std::time::Duration::from_secs(60)),
        session.flash(cloakroom::FlashLevel::Info, "late"),
    ];
    for write in writes {
        assert!(matches!(write, Err(SessionError::Finished)), "{write:?}");
    }
    assert_eq!(session.get::<u8>("size").unwrap(), Some(7));
    assert_eq!(session.get::<String>("colour").unwrap().as_deref(), Some("green"));
    assert!(session.contains("size") && session.public_id().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_leaves_the_cookie_of_whoever_may_have_signed_in_meanwhile() {
    let house = House::new();
    let cookie = house.visitor().await;
    house.visit(&cookie, |session| session.destroy().unwrap()).await;
    for (seconds, is_taken) in [(0, true), (1, true), (2, false), (60, false)] {
        let scope = house.begin(&cookie);
        scope.handle().load().await.unwrap();
        tokio::time::advance(Duration::from_secs(seconds)).await;
        let finished = scope.finish(Answer::Ordinary).await.unwrap();
        assert_eq!(finished.cookie().is_some(), is_taken, "{seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_sign_out_takes_the_cookie_away_although_its_session_is_gone() {
    let house = House::new();
    let cookie = house.visitor().await;
    house.visit(&cookie, |session| session.destroy().unwrap()).await;
    let scope = house.begin(&cookie);
    scope.handle().load().await.unwrap();
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(matches!(scope.handle().sign_out().await.unwrap(), Destroyed::Absent(_)));
    let finished = scope.finish(Answer::Ordinary).await.unwrap();
    assert!(finished.cookie().unwrap().value().ends_with("; Max-Age=0"));
}

#[tokio::test(start_paused = true)]
async fn whoever_drains_waits_for_commits_that_their_requests_still_wait_for() {
    let (house, ailing) = crate::ailing::house(|_| {});
    let cookie = house.visitor().await;
    let scope = house.begin(&cookie);
    let session = scope.handle().load().await.unwrap();
    session.insert("colour", "black").unwrap();
    ailing.writes(Mood::Silent);
    let mut commit = pin!(scope.finish(Answer::Ordinary));
    let moment = Duration::from_millis(1);
    assert!(timeout(moment, &mut commit).await.is_err());
    assert!(!house.engine.drain(moment).await);
    assert!(commit.await.is_err());
    assert!(house.engine.drain(moment).await);
}
