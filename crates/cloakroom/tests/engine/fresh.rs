//! A session that was loaded from a near-cache's copy, changed, and then looked up for certain.

use std::time::Duration;

use cloakroom::{Answer, Rejection, Session, SessionError};
use cloakroom_testkit::Mood;

use crate::near::{Pair, count};

fn add(session: &Session, step: u32) {
    session.update("count", move |count: Option<u32>| count.unwrap_or(0) + step).unwrap();
}

#[tokio::test]
async fn an_update_made_on_a_copy_counts_on_from_the_fresh_value() {
    let pair = Pair::new();
    let cookie = pair.visitor(5).await;
    pair.other.visit(&cookie, |session| session.insert("count", 10).unwrap()).await;
    let (scope, session) = pair.begin(&cookie).await;
    add(&session, 1);
    add(&session, 2);
    assert_eq!(count(&session), Some(8), "by the copy");
    let fresh = scope.handle().load_fresh().await.unwrap();
    assert_eq!((count(&fresh), count(&session)), (Some(13), Some(13)));
    let _ = scope.finish(Answer::Ordinary).await.unwrap();
    assert_eq!(pair.stored(&cookie).await, Some(13));
}

/// The one that has looked is overtaken once more before it commits.
#[tokio::test]
async fn an_update_that_was_renewed_is_replayed_again_after_a_lost_race() {
    let pair = Pair::new();
    let cookie = pair.visitor(5).await;
    pair.other.visit(&cookie, |session| add(session, 10)).await;
    let (scope, session) = pair.begin(&cookie).await;
    add(&session, 1);
    assert_eq!(count(&scope.handle().load_fresh().await.unwrap()), Some(16));
    pair.other.visit(&cookie, |session| add(session, 100)).await;
    let _ = scope.finish(Answer::Ordinary).await.unwrap();
    assert_eq!(pair.stored(&cookie).await, Some(116));
}

/// As in a commit, it may look at the session that it belongs to.
#[tokio::test]
async fn an_update_may_look_at_its_session_when_it_runs_on_the_fresh_value() {
    let pair = Pair::new();
    let cookie = pair.visitor(5).await;
    pair.other.visit(&cookie, |session| session.insert("count", 10).unwrap()).await;
    let (scope, session) = pair.begin(&cookie).await;
    session.insert("step", 3).unwrap();
    let looks = session.clone();
    let step = move || looks.get::<u32>("step").unwrap().unwrap();
    session.update("count", move |count: Option<u32>| count.unwrap_or(0) + step()).unwrap();
    assert_eq!(count(&scope.handle().load_fresh().await.unwrap()), Some(13));
}

#[tokio::test]
async fn an_update_that_cannot_run_on_the_fresh_value_is_an_error_and_nothing_is_stored() {
    let pair = Pair::new();
    let cookie = pair.visitor(5).await;
    pair.other.visit(&cookie, |session| session.insert("count", "many").unwrap()).await;
    let (scope, session) = pair.begin(&cookie).await;
    add(&session, 1);
    session.insert("other", 1).unwrap();
    for _ in 0..2 {
        let error = scope.handle().refresh().await.unwrap_err();
        assert!(matches!(error, SessionError::Decode { .. }), "{error}");
    }
    let error = scope.finish(Answer::Ordinary).await.unwrap_err();
    assert!(matches!(error, SessionError::Decode { .. }), "{error}");
    pair.other
        .look(&cookie, |session| {
            assert_eq!(session.get("count").unwrap(), Some("many".to_owned()));
            assert!(!session.contains("other"));
        })
        .await;
}

#[tokio::test]
async fn a_panic_of_an_update_on_the_fresh_value_fails_the_look_and_not_the_process() {
    let pair = Pair::new();
    let cookie = pair.visitor(5).await;
    pair.other.visit(&cookie, |session| session.insert("count", 10).unwrap()).await;
    let (scope, session) = pair.begin(&cookie).await;
    let picky = |count: Option<u32>| if count == Some(5) { 6 } else { panic!("not five") };
    session.update("count", picky).unwrap();
    let error = scope.handle().refresh().await.unwrap_err();
    assert!(matches!(error, SessionError::UpdatePanicked { .. }), "{error}");
    session.destroy().unwrap();
    assert!(scope.handle().refresh().await.is_ok(), "nothing is left to be replayed");
}

/// An update must have no effect but its result; one that has is not run for ever.
#[tokio::test]
async fn an_update_that_changes_its_own_session_ends_as_a_conflict() {
    let pair = Pair::new();
    let cookie = pair.visitor(5).await;
    pair.other.visit(&cookie, |session| session.insert("count", 10).unwrap()).await;
    let (scope, session) = pair.begin(&cookie).await;
    let changes = session.clone();
    let update = move |count: Option<u32>| {
        let runs = changes.get::<u32>("runs").unwrap().unwrap_or(0);
        // Refused where the request is over.
        let _ = changes.insert("runs", runs + 1);
        count.unwrap_or(0) + 1
    };
    session.update("count", update).unwrap();
    let error = scope.handle().refresh().await.unwrap_err();
    assert!(matches!(error, SessionError::Conflict { attempts: 16, .. }), "{error}");
    let _ = scope.finish(Answer::Ordinary).await.unwrap();
    assert_eq!(pair.stored(&cookie).await, Some(11), "the commit has replayed it");
}

#[tokio::test]
async fn changes_of_a_session_that_has_ended_or_has_a_new_ticket_are_refused() {
    type Deed = fn(&Session);
    let ends: Deed = |session| session.destroy().unwrap();
    let rotates: Deed = |session| session.rotate().unwrap();
    for (deed, wanted) in [(ends, Rejection::Unknown), (rotates, Rejection::Superseded)] {
        let is_wanted = |error: &SessionError| match wanted {
            Rejection::Superseded => matches!(error, SessionError::Superseded),
            _ => matches!(error, SessionError::Gone),
        };
        let pair = Pair::new();
        let cookie = pair.visitor(5).await;
        let newer = pair.other.visit(&cookie, deed).await.unwrap();
        let (scope, session) = pair.begin(&cookie).await;
        add(&session, 1);
        let error = scope.handle().refresh().await.unwrap_err();
        assert!(is_wanted(&error), "{error}");
        let error = scope.finish(Answer::Ordinary).await.unwrap_err();
        assert!(is_wanted(&error), "{error}");
        if wanted == Rejection::Superseded {
            assert_eq!(pair.stored(&newer).await, Some(5));
        } else {
            assert!(pair.other.record(&cookie).await.is_none());
        }
    }
}

#[tokio::test]
async fn no_copy_is_fresh_enough_for_what_needs_a_recent_sign_in() {
    let pair = Pair::new();
    let cookie = pair.other.visit(None, |session| session.set_owner("ada").unwrap()).await.unwrap();
    pair.copy(&cookie).await;
    let recently = Duration::from_secs(60);
    let (_scope, session) = pair.begin(&cookie).await;
    session.require_fresh_auth(recently).await.unwrap();
    assert_eq!(pair.near.journal.asked(), ["load"], "the copy was not believed");

    let (_scope, session) = pair.begin(&cookie).await;
    pair.other.visit(&cookie, |session| session.destroy().unwrap()).await;
    assert_eq!(session.owner().as_deref(), Some("ada"), "by the copy");
    let error = session.require_fresh_auth(recently).await.unwrap_err();
    assert!(matches!(error, SessionError::SignInRequired), "{error}");
}

#[tokio::test]
async fn a_copy_is_not_fresh_where_the_storage_cannot_say() {
    let pair = Pair::new();
    let cookie = pair.other.visit(None, |session| session.set_owner("ada").unwrap()).await.unwrap();
    pair.copy(&cookie).await;
    let (_scope, session) = pair.begin(&cookie).await;
    pair.server.reads(Mood::Down);
    let error = session.require_fresh_auth(Duration::from_secs(60)).await.unwrap_err();
    assert!(matches!(error, SessionError::Storage(_)), "{error}");
}
