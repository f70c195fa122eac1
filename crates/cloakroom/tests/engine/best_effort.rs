//! Changes that nobody would miss: the answer goes out without them, the observer is told, and
//! nothing that matters slips through with them.

use std::time::Duration;

use cloakroom::{Answer, Session, SessionError};
use cloakroom_testkit::Mood;

use crate::ailing;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_loss_that_was_allowed_is_told_to_the_observer_and_not_to_the_visitor() {
    let (house, ailing) = ailing::house(|_| {});
    let cookie = house.visitor().await;
    let scope = house.begin(&cookie);
    let session = scope.handle().load().await.unwrap();
    session.best_effort();
    session.update("views", |views: Option<u32>| views.unwrap_or(0) + 1).unwrap();
    session.remove("colour").unwrap();
    ailing.writes(Mood::Down);
    let finished = scope.finish(Answer::Ordinary).await.unwrap();
    assert!(finished.cookie().is_none() && finished.replacement().is_none());
    assert_eq!(house.journal.count("ChangesLost"), 1);
    assert_eq!(house.journal.count("NotCommitted"), 0);
    ailing.recover().await;
    let colour = house.look(&cookie, |session| session.get::<String>("colour").unwrap()).await;
    assert_eq!(colour.as_deref(), Some("green"), "all of it is lost, never half");
}

#[tokio::test]
async fn while_the_storage_is_well_nothing_is_lost() {
    let (house, _) = ailing::house(|_| {});
    let cookie = house.visitor().await;
    house
        .visit(&cookie, |session| {
            session.best_effort();
            session.insert("colour", "black").unwrap();
        })
        .await;
    let colour = house.look(&cookie, |session| session.get::<String>("colour").unwrap()).await;
    assert_eq!(colour.as_deref(), Some("black"));
    assert_eq!(house.journal.count("ChangesLost"), 0);
}

#[tokio::test]
async fn who_signs_in_rotates_or_sets_a_lifetime_is_never_told_a_success_in_vain() {
    type Handler = fn(&Session) -> Result<(), SessionError>;
    let handlers: [Handler; 4] = [
        |session| session.set_owner("olga"),
        |session| session.rotate(),
        |session| session.remember_for(MINUTE),
        |session| session.set_idle_timeout(MINUTE),
    ];
    for (at, handler) in handlers.into_iter().enumerate() {
        let (house, ailing) = ailing::house(|_| {});
        let cookie = house.visitor().await;
        let scope = house.begin(&cookie);
        let session = scope.handle().load().await.unwrap();
        session.best_effort();
        session.insert("views", 1).unwrap();
        handler(&session).unwrap();
        ailing.writes(Mood::Down);
        let error = scope.finish(Answer::Ordinary).await.unwrap_err();
        assert!(error.is_transient(), "{at}: {error}");
        assert_eq!(house.journal.count("ChangesLost"), 0, "{at}");
    }
}

#[tokio::test]
async fn a_session_that_is_not_stored_yet_is_not_handed_out_in_vain() {
    let (house, ailing) = ailing::house(|_| {});
    let scope = house.begin(None);
    let session = scope.handle().load().await.unwrap();
    session.best_effort();
    session.insert("views", 1).unwrap();
    ailing.writes(Mood::Down);
    assert!(scope.finish(Answer::Ordinary).await.unwrap_err().is_transient());
}

#[tokio::test]
async fn a_conflict_is_no_outage() {
    let (house, _) = ailing::house(|_| {});
    let cookie = house.visitor().await;
    let scope = house.begin(&cookie);
    let session = scope.handle().load().await.unwrap();
    session.best_effort();
    session.insert("views", 1).unwrap();
    house.visit(&cookie, |session| session.destroy().unwrap()).await;
    let error = scope.finish(Answer::Ordinary).await.unwrap_err();
    assert!(matches!(error, SessionError::Gone), "{error}");
}

/// Both go out in one commit; each is told what it has asked for.
#[tokio::test]
async fn a_request_that_shares_a_commit_decides_for_itself_alone() {
    let (house, ailing) = ailing::house(|_| {});
    let cookie = house.visitor().await;
    let mut requests = tokio::task::JoinSet::new();
    for at in 0..6 {
        let scope = house.begin(&cookie);
        let session = scope.handle().load().await.unwrap();
        session.insert(&format!("field {at}"), at).unwrap();
        if at % 2 == 0 {
            session.best_effort();
        }
        requests.spawn(async move { (at, scope.finish(Answer::Ordinary).await.is_ok()) });
    }
    ailing.writes(Mood::Down);
    while let Some(request) = requests.join_next().await {
        let (at, succeeded) = request.unwrap();
        assert_eq!(succeeded, at % 2 == 0, "{at}");
    }
    assert_eq!(house.journal.count("ChangesLost"), 3);
}
