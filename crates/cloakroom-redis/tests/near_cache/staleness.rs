//! How long a session that was signed out on one node is accepted on another one.

use std::time::{Duration, Instant};

use cloakroom::{Answer, Engine, Policy, Session, SessionStorage};
use cloakroom_redis::{NearCache, RedisSessionStorage};
use cloakroom_testkit::fault_proxy::{Direction, Scope};
use cloakroom_testkit::{FakeRequest, FaultProxy, RedisServer};

use super::support::{builder, figures, has_copy, node, put, until, warm};

const LEASE: Duration = Duration::from_millis(600);

fn short() -> NearCache {
    NearCache::default().with_lease(LEASE)
}

async fn behind(proxy: &FaultProxy) -> RedisSessionStorage {
    let builder = builder(proxy.url()).near_cache(short());
    let builder = builder.load_timeout(Duration::from_millis(250));
    builder.heartbeat_interval(Duration::from_millis(200)).build().await.unwrap()
}

#[tokio::test]
async fn a_sign_out_is_heard_of_at_once_where_the_network_is_well() {
    let server = RedisServer::start().await.unwrap();
    let (one, other) = (node(server.url()).await, node(server.url()).await);
    let mut took = Vec::new();
    for _ in 0..20 {
        put(&one, "ann", "1").await;
        warm(&other, "ann").await;
        assert!(one.delete("ann").await.unwrap());
        took.push(until("the sign-out is not heard of", || !has_copy(&other, "ann")).await);
        assert!(other.get("ann", None).await.unwrap().is_none());
    }
    took.sort_unstable();
    // A busy machine may delay one or the other, not most of them, and none beyond the lease.
    assert!(took[took.len() / 2] < Duration::from_millis(50), "{took:?}");
    assert!(took[took.len() - 1] <= NearCache::default().lease, "{took:?}");
}

/// Signs out on one node while the other one cannot be told, and checks that it refuses the session
/// within the lease. Answers for how long it was accepted.
async fn holds_the_bound(direction: Direction) -> Duration {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::before(&server).await.unwrap();
    let (one, other) = (node(server.url()).await, behind(&proxy).await);
    put(&one, "ann", "1").await;
    warm(&other, "ann").await;
    proxy.black_hole(Scope::All, direction);
    assert!(one.delete("ann").await.unwrap());
    let (gone, mut longest) = (Instant::now(), Duration::ZERO);
    loop {
        let before = Instant::now();
        if has_copy(&other, "ann") {
            longest = before.saturating_duration_since(gone);
            assert!(longest <= LEASE, "served {longest:?} after its end");
        } else if before - gone > LEASE * 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let shown = figures(&other).longest_unconfirmed;
    // It is shown in whole milliseconds.
    let is_true = shown <= LEASE && shown + Duration::from_millis(1) >= longest;
    assert!(is_true, "{shown:?}, and it was {longest:?}");
    assert!(other.get("ann", None).await.is_err(), "nobody can say");
    proxy.heal(Scope::All);
    let healed = Instant::now();
    while other.get("ann", None).await.is_err() {
        assert!(healed.elapsed() < Duration::from_secs(20));
    }
    assert!(other.get("ann", None).await.unwrap().is_none());
    longest
}

#[tokio::test]
async fn a_sign_out_is_obeyed_within_the_lease_under_a_partition() {
    let accepted = holds_the_bound(Direction::Both).await;
    assert!(accepted > LEASE / 6, "the copy was in use: {accepted:?}");
}

#[tokio::test]
async fn a_sign_out_is_obeyed_within_the_lease_where_nothing_comes_back() {
    let accepted = holds_the_bound(Direction::Replies).await;
    assert!(accepted > LEASE / 6, "the copy was in use: {accepted:?}");
}

#[tokio::test]
async fn a_sign_out_is_obeyed_within_the_lease_where_nothing_gets_through() {
    // What is pushed comes through, so there is no least time.
    let _ = holds_the_bound(Direction::Requests).await;
}

#[tokio::test]
async fn a_request_to_a_node_that_has_lost_the_server_ends_in_an_error_and_not_in_a_session() {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::before(&server).await.unwrap();
    let mut policy = Policy::default();
    policy.fingerprint = Some(cloakroom::FingerprintMode::Disabled);
    let engine = |storage| Engine::builder(storage).policy(policy.clone()).build().unwrap();
    let (one, other) = (engine(node(server.url()).await), engine(behind(&proxy).await));
    let scope = one.begin(&FakeRequest::new());
    let session: Session = scope.handle().load().await.unwrap();
    session.set_owner("ann").unwrap();
    let cookie = scope.finish(Answer::Ordinary).await.unwrap().into_cookie().unwrap();
    let visitor = FakeRequest::with(&cookie);
    let owner = async |engine: &Engine| {
        let scope = engine.begin(&visitor);
        scope.handle().load_existing().await.map(|found| found.and_then(|session| session.owner()))
    };
    assert_eq!(owner(&other).await.unwrap().as_deref(), Some("ann"));
    assert_eq!(owner(&other).await.unwrap().as_deref(), Some("ann"));
    proxy.black_hole(Scope::All, Direction::Both);
    let scope = one.begin(&visitor);
    let _ = scope.handle().sign_out().await.unwrap();
    let _ = scope.finish(Answer::Ordinary).await.unwrap();
    let gone = Instant::now();
    while gone.elapsed() < LEASE * 2 {
        let before = Instant::now();
        if let Ok(found) = owner(&other).await {
            assert_eq!(found.as_deref(), Some("ann"), "unknown became anonymous");
            assert!(before.saturating_duration_since(gone) <= LEASE);
        }
        // Who must be sure is told that nobody can say.
        let fresh = other.begin(&visitor);
        if before.saturating_duration_since(gone) > LEASE / 2 {
            break;
        }
        assert!(fresh.handle().load_fresh().await.is_err());
    }
}
