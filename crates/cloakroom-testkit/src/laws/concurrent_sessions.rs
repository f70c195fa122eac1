//! The limit of sessions that an owner has at the same time: exact, whatever happens at once. These
//! laws are about a storage under an engine.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cloakroom::{AnyStorage, AtLimit, Session, SessionError, SessionStorage, SetCookie};
use tokio::sync::Barrier;

use super::signed_in::{
    OWNER, drained, engine, engine_on, id, index, lives, sign_in, two_nodes, visit,
};
use super::unheard::Unheard;
use super::{Fixture, Settings};
use crate::{FakeRequest, ticket_in};

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
    let mut lived = false;
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
        let mut living = BTreeSet::new();
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
        let found: BTreeSet<_> =
            nodes[1].sessions_of(OWNER).await.unwrap().iter().map(|facts| facts.id()).collect();
        assert_eq!(found, living, "{rule:?}: who lives is found, and nobody else");
        assert!(living.len() <= LIMIT as usize, "{rule:?}: {} live", living.len());
        lived |= !living.is_empty();
    }
    assert!(lived, "somebody is signed in at the end, under one rule at least");
}
