//! The four outcomes of loading, and the property behind them: whatever a handler does, a storage
//! that cannot say never makes a stranger of a visitor and never takes a ticket away.

use cloakroom::{
    Answer, HealthStatus, LoadOutcome, RequestScope, Session, SessionState, SetCookie, SignOut,
};
use cloakroom_testkit::{AilingStorage, Mood, Room};
use proptest::prelude::*;
use proptest::sample::select;

use crate::ailing;
use crate::house::House;

#[tokio::test]
async fn each_outcome_is_a_state_of_its_own() {
    let (house, ailing) = ailing::house(|_| {});
    let cookie = house.visitor().await;
    let state = |cookie: Option<&SetCookie>| {
        let scope = house.begin(cookie);
        async move { scope.handle().state().await }
    };
    match state(Some(&cookie)).await {
        SessionState::Found(session) => assert!(session.contains("colour")),
        other => panic!("{other:?}"),
    }
    match state(None).await {
        SessionState::Anonymous(session) => assert!(session.is_new()),
        other => panic!("{other:?}"),
    }
    ailing.reads(Mood::Down);
    assert_eq!(house.engine.health().status, HealthStatus::Unavailable);
    match state(Some(&cookie)).await {
        SessionState::Unavailable(error) => assert!(error.is_transient()),
        other => panic!("{other:?}"),
    }
    assert!(state(Some(&cookie)).await.into_session().is_err());
    assert!(matches!(state(None).await, SessionState::Anonymous(_)), "nobody need be asked");
    ailing.recover().await;
    assert_eq!(house.engine.health().status, HealthStatus::Healthy);
    house.visit(&cookie, |session| session.destroy().unwrap()).await;
    match state(Some(&cookie)).await {
        SessionState::Rejected(session, reason) => {
            assert_eq!(reason, cloakroom::Rejection::Unknown);
            assert!(session.is_new());
        }
        other => panic!("{other:?}"),
    }
}

/// What a handler may do to its session.
#[derive(Clone, Copy, Debug)]
enum Act {
    Insert,
    Remove,
    Clear,
    Rotate,
    SignIn,
    SignOut,
    SignOutNow,
    BestEffort,
}

const ACTS: [Act; 8] = [
    Act::Insert,
    Act::Remove,
    Act::Clear,
    Act::Rotate,
    Act::SignIn,
    Act::SignOut,
    Act::SignOutNow,
    Act::BestEffort,
];

/// One request in an outage.
#[derive(Clone, Debug)]
struct Story {
    reads: Mood,
    writes: Mood,
    room: Room,
    acts: Vec<Act>,
    answer: Answer,
}

fn stories() -> impl Strategy<Value = Story> {
    let moods = || select(&[Mood::Well, Mood::Down][..]);
    let rooms = select(&[Room::Free, Room::Full][..]);
    let acts = prop::collection::vec(select(&ACTS[..]), 0..5);
    let answers = select(&[Answer::Ordinary, Answer::ServerError][..]);
    (moods(), moods(), rooms, acts, answers).prop_map(|(reads, writes, room, acts, answer)| Story {
        reads,
        writes,
        room,
        acts,
        answer,
    })
}

async fn act(session: &Session, act: Act) {
    match act {
        Act::Insert => session.insert("colour", "black").unwrap(),
        Act::Remove => session.remove("colour").unwrap(),
        Act::Clear => session.clear().unwrap(),
        Act::Rotate => session.rotate().unwrap(),
        Act::SignIn => session.set_owner("olga").unwrap(),
        Act::SignOut => session.destroy().unwrap(),
        // An outage is the point of it.
        Act::SignOutNow => drop(session.destroy_now().await),
        Act::BestEffort => session.best_effort(),
    }
}

/// Plays a request whose visitor has a ticket, and answers what became of it.
async fn play(
    story: &Story,
    house: &House,
    ailing: &AilingStorage,
    cookie: &SetCookie,
) -> RequestScope {
    ailing.reads(story.reads);
    ailing.journal(story.room);
    let scope = house.begin(cookie);
    match scope.handle().state().await {
        SessionState::Found(session) => {
            assert_eq!(story.reads, Mood::Well);
            ailing.writes(story.writes);
            for step in &story.acts {
                act(&session, *step).await;
            }
        }
        SessionState::Unavailable(_) => assert_eq!(story.reads, Mood::Down),
        other => panic!("a visitor with a ticket became {other:?}"),
    }
    ailing.writes(story.writes);
    scope
}

async fn is_true(story: Story) {
    let (house, ailing) = ailing::house(|_| {});
    let cookie = house.visitor().await;
    let scope = play(&story, &house, &ailing, &cookie).await;
    let finished = scope.finish(story.answer).await;
    let asked_to_leave = story.reads == Mood::Well
        && story.acts.iter().any(|act| matches!(act, Act::SignOut | Act::SignOutNow));
    let sign_out = finished.as_ref().ok().and_then(cloakroom::Finished::sign_out);
    let spoken = finished.as_ref().ok().and_then(cloakroom::Finished::cookie);

    if spoken.is_some_and(|cookie| cookie.value().ends_with("; Max-Age=0")) {
        assert!(asked_to_leave && sign_out.is_some(), "a cookie is taken from who signs out");
    }
    if story.writes == Mood::Down {
        assert_ne!(sign_out, Some(SignOut::Done), "nothing is done that nobody has confirmed");
        let handed_out = spoken.is_some_and(|cookie| !cookie.value().ends_with("; Max-Age=0"));
        assert!(!handed_out, "no ticket is handed out that no session knows");
    }
    if sign_out == Some(SignOut::Pending) && story.answer == Answer::Ordinary {
        let knows = story.acts.iter().any(|act| matches!(act, Act::SignOutNow));
        let replaced = finished.as_ref().is_ok_and(|finished| finished.replacement().is_some());
        assert!(knows || replaced, "pending is never answered as done");
    }

    ailing.recover().await;
    let outcome = house.outcome(&cookie).await;
    match sign_out {
        Some(_) => assert_ne!(outcome, LoadOutcome::Found, "a sign-out is final"),
        None if story.writes == Mood::Down || story.reads == Mood::Down => {
            assert_eq!(outcome, LoadOutcome::Found, "the ticket is as good as before");
            let colour = house.look(&cookie, |session| session.get::<String>("colour").unwrap());
            assert_eq!(colour.await.as_deref(), Some("green"), "nothing half was written");
        }
        None => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn an_outage_clears_no_cookie_makes_no_stranger_and_claims_no_sign_out(story in stories()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(is_true(story));
    }
}
