//! A session that was loaded from a near-cache's copy while the storage then cannot say whether it is
//! still true: what the request has asked for is done or is an error, and never silently dropped.

use cloakroom::{
    Answer, Destroyed, LoadOutcome, OnServerError, Rejection, SessionError, SessionState, SignOut,
};
use cloakroom_testkit::{Mood, Room};

use crate::near::{Pair, count};

const UNKNOWN: LoadOutcome = LoadOutcome::Rejected(Rejection::Unknown);

/// The server is cut off: it takes neither reads nor writes.
fn cut_off(pair: &Pair) {
    pair.server.reads(Mood::Down);
    pair.server.writes(Mood::Down);
}

#[tokio::test]
async fn a_sign_out_after_a_fresh_look_in_vain_is_carried_out_or_pending() {
    for (writes, outcome) in [(Mood::Well, SignOut::Done), (Mood::Down, SignOut::Pending)] {
        let pair = Pair::new();
        let cookie = pair.visitor(5).await;
        let (scope, session) = pair.begin(&cookie).await;
        pair.server.reads(Mood::Down);
        pair.server.writes(writes);
        assert!(scope.handle().load_fresh().await.unwrap_err().is_transient());
        session.destroy().unwrap();
        let finished = scope.finish(Answer::Ordinary).await.unwrap();
        assert_eq!(finished.sign_out(), Some(outcome));
        assert!(finished.cookie().unwrap().value().ends_with("; Max-Age=0"));
        pair.server.recover().await;
        assert_eq!(pair.other.outcome(&cookie).await, UNKNOWN);
    }
}

/// A middleware signs out, then the handler's extractor wants to be sure and answers 503.
#[tokio::test]
async fn a_sign_out_before_a_fresh_look_in_vain_is_carried_out_all_the_same() {
    for answer in [Answer::Ordinary, Answer::ServerError] {
        let pair = Pair::new();
        let cookie = pair.visitor(5).await;
        let (scope, session) = pair.begin(&cookie).await;
        session.destroy().unwrap();
        cut_off(&pair);
        assert!(scope.handle().load_fresh().await.unwrap_err().is_transient());
        let finished = scope.finish(answer).await.unwrap();
        assert_eq!(finished.sign_out(), Some(SignOut::Pending));
        assert!(pair.near.record(&cookie).await.is_none(), "refused from now on");
        pair.server.recover().await;
        assert_eq!(pair.other.outcome(&cookie).await, UNKNOWN);
    }
}

#[tokio::test]
async fn a_sign_out_that_nobody_takes_after_a_fresh_look_in_vain_is_an_error() {
    let pair = Pair::new();
    let cookie = pair.visitor(5).await;
    let (scope, session) = pair.begin(&cookie).await;
    cut_off(&pair);
    pair.server.journal(Room::Full);
    assert!(scope.handle().refresh().await.is_err());
    session.destroy().unwrap();
    assert!(scope.finish(Answer::Ordinary).await.unwrap_err().is_transient());
}

#[tokio::test]
async fn changes_before_or_after_a_fresh_look_in_vain_are_an_error_and_not_silence() {
    for is_before in [true, false] {
        let pair = Pair::new();
        let cookie = pair.visitor(5).await;
        let (scope, session) = pair.begin(&cookie).await;
        if is_before {
            session.insert("count", 6).unwrap();
        }
        cut_off(&pair);
        let _ = scope.handle().refresh().await.unwrap_err();
        if !is_before {
            session.insert("count", 6).unwrap();
        }
        assert!(scope.finish(Answer::Ordinary).await.unwrap_err().is_transient());
        assert_eq!(pair.near.journal.count("NotCommitted"), 1);
        pair.server.recover().await;
        assert_eq!(pair.stored(&cookie).await, Some(5));
    }
}

/// Only the look was in vain. The commit itself compares, so it needs no look.
#[tokio::test]
async fn changes_are_saved_where_the_storage_is_well_again_at_the_end() {
    let pair = Pair::new();
    let cookie = pair.visitor(5).await;
    pair.other.visit(&cookie, |session| session.insert("count", 10).unwrap()).await;
    let (scope, session) = pair.begin(&cookie).await;
    session.update("count", |count: Option<u32>| count.unwrap_or(0) + 1).unwrap();
    cut_off(&pair);
    let _ = scope.handle().refresh().await.unwrap_err();
    pair.server.recover().await;
    let _ = scope.finish(Answer::Ordinary).await.unwrap();
    assert_eq!(pair.stored(&cookie).await, Some(11));
}

#[tokio::test]
async fn a_server_error_after_a_fresh_look_in_vain_follows_the_policy() {
    for on_server_error in [OnServerError::Discard, OnServerError::Commit] {
        let pair = Pair::with_policy(|policy| policy.on_server_error = on_server_error);
        let cookie = pair.visitor(5).await;
        let (scope, session) = pair.begin(&cookie).await;
        session.insert("count", 6).unwrap();
        pair.server.reads(Mood::Down);
        let _ = scope.handle().refresh().await.unwrap_err();
        let _ = scope.finish(Answer::ServerError).await.unwrap();
        pair.server.recover().await;
        let discards = on_server_error == OnServerError::Discard;
        assert_eq!(pair.stored(&cookie).await, Some(if discards { 5 } else { 6 }));
        assert_eq!(pair.near.journal.count("Discarded"), usize::from(discards));
    }
}

#[tokio::test]
async fn a_request_without_changes_ends_quietly_after_a_fresh_look_in_vain() {
    let pair = Pair::new();
    let cookie = pair.visitor(5).await;
    let (scope, _session) = pair.begin(&cookie).await;
    cut_off(&pair);
    let _ = scope.handle().refresh().await.unwrap_err();
    assert!(matches!(scope.handle().state().await, SessionState::Unavailable(_)));
    let finished = scope.finish(Answer::Ordinary).await.unwrap();
    assert!(finished.cookie().is_none() && finished.sign_out().is_none());
}

/// The handle signs out by the ticket then. What was changed before goes, what is put in afterwards
/// belongs to a new session.
#[tokio::test]
async fn a_sign_out_through_the_handle_after_a_fresh_look_in_vain_is_told_and_final() {
    let pair = Pair::new();
    let cookie = pair.visitor(5).await;
    let (scope, session) = pair.begin(&cookie).await;
    session.insert("count", 6).unwrap();
    pair.server.reads(Mood::Down);
    let _ = scope.handle().refresh().await.unwrap_err();
    pair.server.writes(Mood::Down);
    assert_eq!(scope.handle().sign_out().await.unwrap(), Destroyed::Pending);
    assert!(session.is_new() && count(&session).is_none());
    pair.server.writes(Mood::Well);
    session.insert("count", 1).unwrap();
    let finished = scope.finish(Answer::Ordinary).await.unwrap();
    assert_eq!((finished.sign_out(), finished.replacement()), (Some(SignOut::Pending), None));
    let newer = finished.into_cookie().unwrap();
    pair.server.recover().await;
    assert_eq!(pair.other.outcome(&cookie).await, UNKNOWN);
    assert_eq!(pair.stored(&newer).await, Some(1));
}

/// A fresh look finds what the request has done itself: that is no conflict.
#[tokio::test]
async fn a_fresh_look_after_the_requests_own_sign_out_finds_no_session_and_no_error() {
    for is_now in [true, false] {
        let pair = Pair::new();
        let cookie = pair.visitor(5).await;
        let (scope, session) = pair.begin(&cookie).await;
        if is_now {
            assert!(matches!(session.destroy_now().await.unwrap(), Destroyed::Removed(_)));
        } else {
            session.destroy().unwrap();
        }
        session.insert("count", 1).unwrap();
        let fresh = scope.handle().load_fresh().await.unwrap();
        assert!(fresh.is_new());
        let finished = scope.finish(Answer::Ordinary).await.unwrap();
        assert_eq!(finished.sign_out(), Some(SignOut::Done));
        let newer = finished.into_cookie().unwrap();
        assert_eq!(pair.other.outcome(&cookie).await, UNKNOWN);
        assert_eq!(pair.stored(&newer).await, Some(1));
    }
}

/// Refused changes are refused at the end as well, whoever has ignored the first error.
#[tokio::test]
async fn changes_of_a_refused_ticket_ask_the_storage_nothing_more() {
    let pair = Pair::new();
    let cookie = pair.visitor(5).await;
    pair.other.visit(&cookie, |session| session.destroy().unwrap()).await;
    let (scope, session) = pair.begin(&cookie).await;
    session.insert("count", 6).unwrap();
    session.best_effort();
    let error = scope.handle().refresh().await.unwrap_err();
    assert!(matches!(error, SessionError::Gone), "{error}");
    let error = scope.finish(Answer::Ordinary).await.unwrap_err();
    assert!(matches!(error, SessionError::Gone), "{error}");
    assert_eq!(pair.near.journal.asked(), ["load"]);
    assert_eq!(pair.near.journal.count("NotCommitted"), 1);
}

/// What it allows does not end with a look that brings the session anew.
#[tokio::test]
async fn a_loss_that_was_allowed_before_a_fresh_look_is_still_allowed_after_it() {
    let pair = Pair::new();
    let cookie = pair.visitor(5).await;
    let (scope, session) = pair.begin(&cookie).await;
    session.best_effort();
    let fresh = scope.handle().load_fresh().await.unwrap();
    fresh.insert("count", 6).unwrap();
    pair.server.writes(Mood::Down);
    let _ = scope.finish(Answer::Ordinary).await.unwrap();
    assert_eq!(pair.near.journal.count("ChangesLost"), 1);
}
