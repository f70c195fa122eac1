//! Sessions of an owner, from outside of them: found, limited and ended, exactly, whatever happens at
//! the same time. These laws are about a storage under an engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use cloakroom::{
    Answer, AnyStorage, AtLimit, ConcurrentSessions, Engine, IndexEntry, LoadOutcome, OwnerKey,
    Policy, Position, PublicId, Session, SessionError, SessionStorage, SetCookie, Token,
};
use tokio::sync::Barrier;

use super::unheard::Unheard;
use super::{Fixture, Settings};
use crate::{FakeRequest, ticket_in};

const OWNER: &str = "ann@example.org";

async fn engine_on(fixture: &impl Fixture, limit: Option<(u32, AtLimit)>) -> Engine {
    let storage = AnyStorage::new(fixture.open(&Settings::default()).await);
    engine(storage, limit)
}

/// Two nodes of one application, with a storage each.
async fn two_nodes(fixture: &impl Fixture, limit: Option<(u32, AtLimit)>) -> [Engine; 2] {
    let first = fixture.open(&Settings::default()).await;
    let second = fixture.node(&first).await;
    [first, second].map(|storage| engine(AnyStorage::new(storage), limit))
}

fn engine(storage: AnyStorage, limit: Option<(u32, AtLimit)>) -> Engine {
    let mut policy = Policy::default();
    // A busy test machine must not make commits late.
    policy.commit_timeout = Duration::from_secs(20);
    let mut concurrent = ConcurrentSessions::default();
    if let Some((limit, at_limit)) = limit {
        (concurrent.limit, concurrent.at_limit) = (limit, at_limit);
    }
    policy.concurrent_sessions = concurrent;
    Engine::builder(storage).policy(policy).build().unwrap()
}

/// One request, with or without a ticket.
async fn visit(
    engine: &Engine,
    cookie: Option<&SetCookie>,
    handler: impl FnOnce(&Session) -> Result<(), SessionError>,
) -> Result<Option<SetCookie>, SessionError> {
    let request = cookie.map_or_else(FakeRequest::new, FakeRequest::with);
    let scope = engine.begin(&request);
    handler(&scope.handle().load().await?)?;
    Ok(scope.finish(Answer::Ordinary).await?.into_cookie())
}

async fn sign_in(engine: &Engine) -> Result<SetCookie, SessionError> {
    let cookie = visit(engine, None, |session| session.set_owner(OWNER)).await?;
    Ok(cookie.expect("a sign-in hands out a ticket"))
}

async fn lives(engine: &Engine, cookie: &SetCookie) -> bool {
    let scope = engine.begin(&FakeRequest::with(cookie));
    scope.handle().outcome().await.unwrap() == LoadOutcome::Found
}

fn id(cookie: &SetCookie) -> PublicId {
    Token::parse(ticket_in(cookie).as_bytes()).unwrap().key().public_id()
}

async fn index(engine: &Engine) -> Vec<IndexEntry> {
    engine.storage().owner_index(&OwnerKey::of(OWNER)).await.unwrap().entries
}

async fn drained(engine: &Engine) {
    assert!(engine.drain(Duration::from_secs(20)).await);
}

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

/// Of parallel sign-ins on two nodes as many sessions live on as the limit says, under each rule.
pub async fn parallel_sign_ins_leave_exactly_the_limit(fixture: &impl Fixture) {
    const LIMIT: u32 = 3;
    const SIGN_INS: usize = 24;
    for rule in [AtLimit::Refuse, AtLimit::EndOldest, AtLimit::EndLeastRecentlyUsed] {
        let nodes = two_nodes(fixture, Some((LIMIT, rule))).await;
        let start = Arc::new(Barrier::new(SIGN_INS));
        let tasks: Vec<_> = (0..SIGN_INS)
            .map(|at| {
                let (engine, start) = (nodes[at % 2].clone(), start.clone());
                tokio::spawn(async move {
                    start.wait().await;
                    sign_in(&engine).await
                })
            })
            .collect();
        let mut told = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(cookie) => told.push(cookie),
                Err(SessionError::TooManySessions { limit: LIMIT }) if rule == AtLimit::Refuse => {}
                // It had to go for another one before it could be told that it is signed in.
                Err(SessionError::Gone) if rule != AtLimit::Refuse => {}
                Err(error) => panic!("{rule:?}: {error}"),
            }
        }
        let mut living = 0;
        for cookie in &told {
            living += usize::from(lives(&nodes[0], cookie).await);
        }
        assert_eq!(living, LIMIT as usize, "{rule:?}, {} were told", told.len());
        for node in &nodes {
            drained(node).await;
        }
        let found = nodes[1].sessions_of(OWNER).await.unwrap();
        assert_eq!(found.len(), LIMIT as usize, "{rule:?}");
    }
}

/// Under each rule the right one goes, and what is over anyway takes nobody's place.
pub async fn the_limit_ends_the_right_session(fixture: &impl Fixture) {
    for rule in [AtLimit::EndOldest, AtLimit::EndLeastRecentlyUsed, AtLimit::Refuse] {
        let engine = engine_on(fixture, Some((2, rule))).await;
        let first = sign_in(&engine).await.unwrap();
        fixture.pass(fixture.unit()).await;
        let second = sign_in(&engine).await.unwrap();
        fixture.pass(fixture.unit()).await;
        visit(&engine, Some(&first), |session| session.insert("seen", 1)).await.unwrap();
        let third = sign_in(&engine).await;
        let expected = match rule {
            AtLimit::EndOldest => [false, true],
            AtLimit::EndLeastRecentlyUsed => [true, false],
            _ => [true, true],
        };
        assert_eq!([lives(&engine, &first).await, lives(&engine, &second).await], expected);
        assert_eq!(third.is_ok(), rule != AtLimit::Refuse);
        // Without a word to the index: as if the node that ended it had died then.
        let over = if expected[0] { &first } else { &second };
        let _ = engine.storage().destroy(&id(over).key()).await.unwrap();
        let fourth = sign_in(&engine).await.unwrap();
        assert!(lives(&engine, &fourth).await);
        let others = [&first, &second].into_iter().filter(|it| !std::ptr::eq(*it, over));
        let mut living = usize::from(match &third {
            Ok(third) => lives(&engine, third).await,
            Err(_) => false,
        });
        for other in others {
            living += usize::from(lives(&engine, other).await);
        }
        assert_eq!(living, 1, "{rule:?}");
    }
}

/// The answer to the commit of a sign-in is lost, of a new session or of one that is there: nobody holds
/// its ticket, so it ends, and whoever signs in once more is let in.
pub async fn a_sign_in_that_nobody_was_told_of_takes_nobodys_place(fixture: &impl Fixture) {
    let storage = Unheard::new(AnyStorage::new(fixture.open(&Settings::default()).await));
    let engine = engine(AnyStorage::new(storage.clone()), Some((1, AtLimit::Refuse)));
    for is_new in [true, false] {
        let visitor = match is_new {
            true => None,
            false => visit(&engine, None, |session| session.insert("seen", 1)).await.unwrap(),
        };
        storage.lose_the_next();
        let lost = visit(&engine, visitor.as_ref(), |session| session.set_owner(OWNER)).await;
        assert!(matches!(lost, Err(SessionError::Storage(_))), "{lost:?}");
        drained(&engine).await;
        assert_eq!(index(&engine).await, []);
        assert_eq!(engine.sessions_of(OWNER).await.unwrap(), []);
        let cookie = sign_in(&engine).await.unwrap();
        let sessions = engine.sessions_of(OWNER).await.unwrap();
        assert_eq!(sessions.iter().map(|facts| facts.id()).collect::<Vec<_>>(), [id(&cookie)]);
        visit(&engine, Some(&cookie), Session::destroy).await.unwrap();
        drained(&engine).await;
    }
}

/// Whatever visitors do at the same time on two nodes (sign in, again in the same session, twice at
/// once, be remembered, give way to somebody else, sign out), the limit holds when all is done, and
/// every session that lives is found by its owner.
pub async fn a_mixed_crowd_keeps_the_limit_and_is_found(fixture: &impl Fixture) {
    const LIMIT: u32 = 3;
    const VISITORS: usize = 12;
    for rule in [AtLimit::EndOldest, AtLimit::EndLeastRecentlyUsed, AtLimit::Refuse] {
        let nodes = two_nodes(fixture, Some((LIMIT, rule))).await;
        let start = Arc::new(Barrier::new(VISITORS));
        let visitors: Vec<_> = (0..VISITORS)
            .map(|at| {
                let (nodes, start) = (nodes.clone(), start.clone());
                tokio::spawn(async move {
                    start.wait().await;
                    let mut cookies: Vec<SetCookie> = Vec::new();
                    for turn in 0..12 {
                        let node = &nodes[(at + turn) % 2];
                        let ticket = cookies.last().cloned();
                        let ticket = ticket.as_ref();
                        let days = Duration::from_secs((1 + (at as u64 * 7) % 5) * 86_400);
                        // A lost race, a refusal and an end are all good answers here.
                        let answers = match (at + turn * 5) % 8 {
                            0..=2 => vec![visit(node, ticket, |it| it.set_owner(OWNER)).await],
                            3 => {
                                let twice = |node| visit(node, ticket, |it| it.set_owner(OWNER));
                                let (one, other) = tokio::join!(twice(&nodes[0]), twice(&nodes[1]));
                                vec![one, other]
                            }
                            4 => vec![visit(node, ticket, |it| it.remember_for(days)).await],
                            5 => vec![visit(node, ticket, |it| it.set_owner("bob")).await],
                            6 => vec![visit(node, ticket, Session::destroy).await],
                            _ => vec![visit(node, None, |it| it.set_owner(OWNER)).await],
                        };
                        let handed_out = answers.into_iter().filter_map(|it| it.ok().flatten());
                        cookies.extend(handed_out.filter(|it| !ticket_in(it).is_empty()));
                    }
                    cookies
                })
            })
            .collect();
        let mut living = std::collections::BTreeSet::new();
        let mut cookies = Vec::new();
        for visitor in visitors {
            cookies.extend(visitor.await.unwrap());
        }
        for node in &nodes {
            drained(node).await;
        }
        for cookie in &cookies {
            let request = FakeRequest::with(cookie);
            let session = nodes[0].begin(&request).handle().load_existing().await.unwrap();
            if session.and_then(|it| it.owner()).as_deref() == Some(OWNER) {
                living.insert(id(cookie));
            }
        }
        let found: std::collections::BTreeSet<_> =
            nodes[1].sessions_of(OWNER).await.unwrap().iter().map(|facts| facts.id()).collect();
        assert_eq!(found, living, "{rule:?}: who lives is found, and nobody else");
        assert!(living.len() <= LIMIT as usize, "{rule:?}: {} live", living.len());
    }
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
    let fresh = |session: &Session| session.require_fresh_auth(age);
    let anonymous = visit(&engine, None, fresh).await;
    assert!(matches!(anonymous, Err(SessionError::SignInRequired)), "{anonymous:?}");
    let signing_in = |session: &Session| {
        session.set_owner(OWNER)?;
        session.require_fresh_auth(Duration::ZERO)
    };
    let cookie = visit(&engine, None, signing_in).await.unwrap().unwrap();
    visit(&engine, Some(&cookie), |session| session.require_fresh_auth(age * 100)).await.unwrap();
    fixture.pass(fixture.unit() * 3).await;
    let month = Duration::from_secs(30 * 24 * 60 * 60);
    let remembering = |session: &Session| session.remember_for(month);
    visit(&engine, Some(&cookie), remembering).await.unwrap();
    let stale = visit(&engine, Some(&cookie), fresh).await;
    assert!(matches!(stale, Err(SessionError::FreshSignInRequired { .. })), "{stale:?}");
    let again = visit(&engine, Some(&cookie), |session| session.set_owner(OWNER)).await.unwrap();
    visit(&engine, again.as_ref(), |session| session.require_fresh_auth(age * 100)).await.unwrap();
}
