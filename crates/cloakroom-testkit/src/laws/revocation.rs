//! Sessions of an owner, from outside of them: found and ended, whatever happens at the same time.
//! These laws are about a storage under an engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use cloakroom::{Answer, Engine, Position, Session, SessionError, SetCookie};

use super::Fixture;
use super::signed_in::{OWNER, drained, engine_on, id, index, lives, sign_in, two_nodes, visit};
use crate::FakeRequest;

/// A session is found by its owner from its sign-in to its end, whichever way it ends.
pub async fn an_owner_finds_the_sessions_that_live(fixture: &impl Fixture) {
    let engine = engine_on(fixture, None).await;
    let first = sign_in(&engine).await.unwrap();
    let second = sign_in(&engine).await.unwrap();
    let third = sign_in(&engine).await.unwrap();
    let found = async |owner: &str| {
        let mut found: Vec<_> =
            engine.sessions_of(owner).await.unwrap().iter().map(|facts| facts.id()).collect();
        found.sort_unstable();
        found
    };
    let sorted = |cookies: &[&SetCookie]| {
        let mut ids: Vec<_> = cookies.iter().map(|cookie| id(cookie)).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(found(OWNER).await, sorted(&[&first, &second, &third]));
    assert_eq!(found("somebody else").await, []);
    visit(&engine, Some(&second), Session::destroy).await.unwrap();
    assert_eq!(found(OWNER).await, sorted(&[&first, &third]));
    let _ = engine.revoke(id(&first)).await.unwrap();
    assert_eq!(found(OWNER).await, [id(&third)]);
    // In the same session somebody else signs in.
    let other = visit(&engine, Some(&third), |session| session.set_owner("bob")).await.unwrap();
    assert_eq!(found(OWNER).await, []);
    assert_eq!(found("bob").await, [id(&other.unwrap())]);
    // The indexes hold nobody any more who is not there.
    drained(&engine).await;
    assert_eq!(index(&engine).await, []);
}

/// A longer life is a longer life in the index as well, and no new sign-in.
pub async fn a_remembered_session_stays_in_its_owners_index(fixture: &impl Fixture) {
    let engine = engine_on(fixture, None).await;
    let cookie = sign_in(&engine).await.unwrap();
    let before = engine.sessions_of(OWNER).await.unwrap();
    fixture.pass(fixture.unit()).await;
    let week = Duration::from_secs(7 * 24 * 60 * 60);
    visit(&engine, Some(&cookie), |session| session.remember_for(week)).await.unwrap();
    let after = engine.sessions_of(OWNER).await.unwrap();
    assert_eq!(after[0].signed_in(), before[0].signed_in());
    assert!(after[0].absolute_deadline() > before[0].absolute_deadline());
    assert!(index(&engine).await[0].deadline >= after[0].absolute_deadline());
}

/// Nobody who was signed in before a revocation began is signed in after it, whatever happened at the
/// same time.
pub async fn a_revocation_is_final_under_sign_ins_and_writes(fixture: &impl Fixture) {
    const TASKS: usize = 64;
    const ROUNDS: usize = 3;
    let nodes = two_nodes(fixture, None).await;
    for round in 0..ROUNDS {
        let (stop, begun) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let sign_ins = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..TASKS)
            .map(|at| {
                let engine = nodes[at % 2].clone();
                let (stop, begun, sign_ins) = (stop.clone(), begun.clone(), sign_ins.clone());
                tokio::spawn(async move {
                    let mut before = Vec::new();
                    while !stop.load(Ordering::SeqCst) {
                        let Ok(cookie) = sign_in(&engine).await else { continue };
                        if !begun.load(Ordering::SeqCst) {
                            before.push(cookie.clone());
                        }
                        sign_ins.fetch_add(1, Ordering::SeqCst);
                        // A write that is under way brings nobody back.
                        let write = |session: &Session| session.insert("at", at);
                        let _ = visit(&engine, Some(&cookie), write).await;
                        // Nor does a second sign-in in the same session.
                        let again = |session: &Session| session.set_owner(OWNER);
                        if let Ok(Some(cookie)) = visit(&engine, Some(&cookie), again).await
                            && !begun.load(Ordering::SeqCst)
                        {
                            before.push(cookie);
                        }
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    before
                })
            })
            .collect();
        while sign_ins.load(Ordering::SeqCst) < TASKS {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        begun.store(true, Ordering::SeqCst);
        let revoked = nodes[round % 2].revoke_owner(OWNER).await.unwrap();
        assert!(revoked.ended > 0 && revoked.pending == 0, "{revoked:?}");
        let seen = sign_ins.load(Ordering::SeqCst);
        stop.store(true, Ordering::SeqCst);
        for task in tasks {
            for cookie in task.await.unwrap() {
                assert!(!lives(&nodes[0], &cookie).await, "round {round}, after {seen} sign-ins");
            }
        }
        // In peace it ends all of them.
        let _ = nodes[0].revoke_owner(OWNER).await.unwrap();
        assert_eq!(nodes[1].sessions_of(OWNER).await.unwrap(), []);
        for node in &nodes {
            drained(node).await;
        }
    }
}

/// An owner sees where it is signed in, and ends others there but nobody else's.
pub async fn an_owner_ends_other_devices_and_nobody_elses(fixture: &impl Fixture) {
    let engine = engine_on(fixture, None).await;
    let here = sign_in(&engine).await.unwrap();
    let there = sign_in(&engine).await.unwrap();
    let elsewhere = sign_in(&engine).await.unwrap();
    let bob = visit(&engine, None, |session| session.set_owner("bob")).await.unwrap().unwrap();
    let session = engine.begin(&FakeRequest::with(&here)).handle().load().await.unwrap();
    let devices = session.devices().await.unwrap();
    assert!(devices[0].is_current() && devices[0].id() == id(&here));
    assert_eq!(devices.iter().filter(|device| device.is_current()).count(), 1);
    assert_eq!(devices.len(), 3);
    let _ = session.end_device(id(&bob)).await.unwrap();
    let _ = session.end_device(id(&here)).await.unwrap();
    assert!(lives(&engine, &bob).await && lives(&engine, &here).await);
    let _ = session.end_device(id(&there)).await.unwrap();
    assert!(!lives(&engine, &there).await && lives(&engine, &elsewhere).await);
    let others = session.end_other_devices().await.unwrap();
    assert_eq!((others.ended, others.pending), (1, 0));
    assert!(!lives(&engine, &elsewhere).await);
    assert!(lives(&engine, &here).await && lives(&engine, &bob).await);
    let anonymous = engine.begin(&FakeRequest::new()).handle().load().await.unwrap();
    assert!(matches!(anonymous.devices().await, Err(SessionError::SignInRequired)));
}

/// Everything that was created before a moment is gone, in steps that can be taken again.
pub async fn everything_before_a_moment_can_be_revoked(fixture: &impl Fixture) {
    let engine = engine_on(fixture, None).await;
    let mut old = Vec::new();
    for _ in 0..50 {
        old.push(sign_in(&engine).await.unwrap());
    }
    fixture.pass(fixture.unit()).await;
    let new = sign_in(&engine).await.unwrap();
    let moment = engine.session(id(&new)).await.unwrap().session().unwrap().created().unwrap();
    let (mut position, mut ended) = (Position::start(), 0);
    loop {
        let page = engine.revoke_created_before(moment, &position).await.unwrap();
        let again = engine.revoke_created_before(moment, &position).await.unwrap();
        assert_eq!(again.ended, 0);
        ended += page.ended;
        let Some(next) = page.next else { break };
        position = next;
    }
    assert_eq!(ended, old.len());
    for cookie in &old {
        assert!(!lives(&engine, cookie).await);
    }
    assert!(lives(&engine, &new).await);
    assert_eq!(engine.sessions_of(OWNER).await.unwrap().len(), 1);
    drained(&engine).await;
}

/// A recent sign-in is asked for by the storage's clock, and remembering is none.
pub async fn only_a_sign_in_makes_a_session_fresh(fixture: &impl Fixture) {
    let engine = engine_on(fixture, None).await;
    let age = fixture.unit() * 2;
    let anonymous = is_fresh(&engine, None, age).await;
    assert!(matches!(anonymous, Err(SessionError::SignInRequired)), "{anonymous:?}");
    let scope = engine.begin(&FakeRequest::new());
    let session = scope.handle().load().await.unwrap();
    session.set_owner(OWNER).unwrap();
    session.require_fresh_auth(Duration::ZERO).await.unwrap();
    let cookie = scope.finish(Answer::Ordinary).await.unwrap().into_cookie().unwrap();
    is_fresh(&engine, Some(&cookie), age * 100).await.unwrap();
    fixture.pass(fixture.unit() * 3).await;
    let month = Duration::from_secs(30 * 24 * 60 * 60);
    let remembering = |session: &Session| session.remember_for(month);
    visit(&engine, Some(&cookie), remembering).await.unwrap();
    let stale = is_fresh(&engine, Some(&cookie), age).await;
    assert!(matches!(stale, Err(SessionError::FreshSignInRequired { .. })), "{stale:?}");
    let again = visit(&engine, Some(&cookie), |session| session.set_owner(OWNER)).await.unwrap();
    is_fresh(&engine, again.as_ref(), age * 100).await.unwrap();
}

async fn is_fresh(
    engine: &Engine,
    cookie: Option<&SetCookie>,
    max_age: Duration,
) -> Result<(), SessionError> {
    let request = cookie.map_or_else(FakeRequest::new, FakeRequest::with);
    let scope = engine.begin(&request);
    scope.handle().load().await?.require_fresh_auth(max_age).await
}
