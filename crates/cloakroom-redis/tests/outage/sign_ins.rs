//! Sign-ins on two nodes while connections break behind what was carried out, and the server refuses
//! writes at random, as around a failover: whatever is left of them is found by its owner.

use std::collections::BTreeSet;
use std::time::Duration;

use cloakroom::{
    Answer, AtLimit, Engine, Found, Policy, Position, PublicId, Session, SessionError,
    SessionStorage, SetCookie,
};
use cloakroom_redis::{BreakerPolicy, RedisSessionStorage};
use cloakroom_testkit::fault_proxy::{End, ErrorReply, On, Times};
use cloakroom_testkit::{FakeRequest, FaultProxy, RedisServer, ticket_in};
use tokio::task::JoinSet;

const OWNER: &str = "ann";
const LIMIT: u32 = 3;
const VISITORS: usize = 12;
const TURNS: usize = 25;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn node(proxy: &FaultProxy, at_limit: AtLimit) -> Engine {
    let mut breaker = BreakerPolicy::default();
    (breaker.consecutive_failures, breaker.minimum_calls) = (1_000_000, 1_000_000);
    let storage = RedisSessionStorage::builder().url(proxy.url()).pool_size(2).breaker(breaker);
    let mut policy = Policy::default();
    policy.concurrent_sessions.limit = LIMIT;
    policy.concurrent_sessions.at_limit = at_limit;
    Engine::builder(storage.build().await.unwrap()).policy(policy).build().unwrap()
}

async fn request(
    engine: &Engine,
    cookie: Option<&SetCookie>,
    change: impl FnOnce(&Session) -> Result<(), SessionError>,
) -> Result<Option<SetCookie>, SessionError> {
    let scope = engine.begin(&cookie.map_or_else(FakeRequest::new, FakeRequest::with));
    change(&scope.handle().load().await?)?;
    Ok(scope.finish(Answer::Ordinary).await?.into_cookie())
}

/// One visitor, who does this and that on both nodes. Every error is a good answer here. Answers the last
/// ticket.
async fn visitor(nodes: [Engine; 2], number: usize) -> Option<SetCookie> {
    let mut last: Option<SetCookie> = None;
    for turn in 0..TURNS {
        let (node, ticket) = (&nodes[(number + turn) % 2], last.as_ref());
        let answer = match (number + turn * 5) % 7 {
            0..=2 => request(node, ticket, |it| it.set_owner(OWNER)).await,
            3 => request(node, ticket, Session::destroy).await,
            4 => request(node, ticket, |it| it.remember_for(DAY)).await,
            5 => request(node, ticket, |it| it.insert("turn", turn)).await,
            _ => request(node, None, |it| it.set_owner(OWNER)).await,
        };
        if let Ok(Some(cookie)) = answer {
            last = (!ticket_in(&cookie).is_empty()).then_some(cookie);
        }
    }
    last
}

/// The sessions of the owner by the records, whatever the index says.
async fn by_the_records(engine: &Engine) -> BTreeSet<PublicId> {
    let (mut owned, mut position) = (BTreeSet::new(), Some(Position::start()));
    while let Some(here) = position {
        let page = engine.storage().walk(&here).await.unwrap();
        for found in engine.storage().facts(&page.sessions).await.unwrap() {
            if let Found::Session(facts) = found
                && facts.owner() == Some(OWNER)
            {
                owned.insert(facts.id());
            }
        }
        position = page.next;
    }
    owned
}

async fn signed_in_as(engine: &Engine, cookie: &SetCookie) -> Option<PublicId> {
    let scope = engine.begin(&FakeRequest::with(cookie));
    let session = scope.handle().load_existing().await.unwrap()?;
    session.public_id().filter(|_| session.owner().as_deref() == Some(OWNER))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_signed_in_around_broken_connections_and_refusals_is_found_by_the_owner() {
    for (seed, at_limit) in [(1, AtLimit::EndOldest), (2, AtLimit::Refuse)] {
        let server = RedisServer::start().await.unwrap();
        let before = async || FaultProxy::before(&server).await.unwrap();
        let proxies = [before().await, before().await];
        let nodes = [node(&proxies[0], at_limit).await, node(&proxies[1], at_limit).await];
        let mut faults = Vec::new();
        for (proxy, seed) in proxies.iter().zip(seed..) {
            let cut = Times::Percent { of_100: 4, seed };
            let scripts = || On::commands(["EVALSHA", "EVAL", "DEL"]);
            faults.push(proxy.cut_replies(scripts(), 0, End::Reset, cut));
            let refused = Times::Percent { of_100: 6, seed: seed + 7 };
            faults.push(proxy.refuse_commands(scripts(), ErrorReply::ReadOnly, refused));
        }
        let mut visitors = JoinSet::new();
        for number in 0..VISITORS {
            visitors.spawn(visitor(nodes.clone(), number));
        }
        let tickets: Vec<_> = visitors.join_all().await.into_iter().flatten().collect();
        assert!(faults.iter().all(|fault| fault.struck() > 0));
        drop(faults);
        for (node, proxy) in nodes.iter().zip(&proxies) {
            proxy.clear().unwrap();
            assert!(node.drain(Duration::from_secs(20)).await);
        }
        let owned = by_the_records(&nodes[0]).await;
        let found = nodes[1].sessions_of(OWNER).await.unwrap();
        let found: BTreeSet<_> = found.iter().map(|facts| facts.id()).collect();
        assert_eq!(owned, found, "{at_limit:?}: who is signed in is found, and nobody else");
        for ticket in &tickets {
            let held = signed_in_as(&nodes[0], ticket).await;
            assert!(held.is_none_or(|held| found.contains(&held)), "{at_limit:?}");
        }
        assert!(!found.is_empty(), "{at_limit:?}: nobody was ever let in");
        assert_eq!(nodes[1].revoke_owner(OWNER).await.unwrap().ended, found.len());
        assert_eq!(by_the_records(&nodes[0]).await, BTreeSet::new(), "{at_limit:?}");
    }
}
