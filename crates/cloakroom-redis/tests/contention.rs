//! Many requests on one session, on one node and on two: no change is lost, a sign-out is final.
//!
//! `CLOAKROOM_TEST_ROUNDS=1000 cargo test -p cloakroom-redis --test contention -- --nocapture` prints
//! the figures for that many rounds of each.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::sync::Arc;

use cloakroom::{
    Answer, Engine, LoadOutcome, Rejection, RequestScope, Session, SessionStorage, SetCookie,
};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::{FakeRequest, RedisServer, ticket_in};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// How many rounds a test plays: `default`, unless the environment asks for another number.
fn rounds(default: usize) -> usize {
    let asked = std::env::var("CLOAKROOM_TEST_ROUNDS").ok();
    asked.and_then(|rounds| rounds.parse().ok()).unwrap_or(default)
}

/// Engines on one server, each with connections and lanes of its own, as on as many nodes.
async fn nodes(server: &RedisServer, count: usize) -> Vec<Engine> {
    let mut engines = Vec::new();
    for _ in 0..count {
        let builder = RedisSessionStorage::builder().url(server.url()).pool_size(4);
        engines.push(Engine::builder(builder.build().await.unwrap()).build().unwrap());
    }
    engines
}

async fn signed_in(engine: &Engine) -> FakeRequest {
    let scope = engine.begin(&FakeRequest::new());
    scope.handle().load().await.unwrap().set_owner("ann").unwrap();
    FakeRequest::with(&scope.finish(Answer::Ordinary).await.unwrap().into_cookie().unwrap())
}

/// A request in the middle of its handler.
async fn in_flight(engine: &Engine, visitor: &FakeRequest) -> (RequestScope, Session) {
    let scope = engine.begin(visitor);
    let session = scope.handle().load_existing().await.unwrap().expect("the session lives");
    (scope, session)
}

async fn outcome(engine: &Engine, visitor: &FakeRequest) -> LoadOutcome {
    engine.begin(visitor).handle().outcome().await.unwrap()
}

/// What the request under way does to the session while somebody signs out.
#[derive(Clone, Copy, Debug)]
enum Writer {
    KeepsItsTicket,
    IsGivenANewTicket,
}

/// One round: whether the session, under any ticket, survived its sign-out.
async fn sign_out_is_undone(writing: &Engine, signing_out: &Engine, writer: Writer) -> bool {
    let visitor = signed_in(writing).await;
    let (write_scope, session) = in_flight(writing, &visitor).await;
    session.insert("cart", "full").unwrap();
    if let Writer::IsGivenANewTicket = writer {
        session.set_owner("ann").unwrap();
    }
    let (end_scope, ended) = in_flight(signing_out, &visitor).await;
    ended.destroy().unwrap();

    let start = Arc::new(Barrier::new(2));
    let (write_start, end_start) = (start.clone(), start);
    let write = tokio::spawn(async move {
        write_start.wait().await;
        write_scope.finish(Answer::Ordinary).await
    });
    let end = tokio::spawn(async move {
        end_start.wait().await;
        end_scope.finish(Answer::Ordinary).await
    });
    let (written, ended) = (write.await.unwrap(), end.await.unwrap());
    assert!(ended.unwrap().into_cookie().is_some_and(|cookie| ticket_in(&cookie).is_empty()));
    // Either the write came first and the sign-out removed it, or it was told that it came late.
    let fresh: Option<SetCookie> = match written {
        Ok(finished) => finished.into_cookie(),
        Err(error) => {
            assert!(error.is_conflict(), "{error}");
            None
        }
    };
    let gone = LoadOutcome::Rejected(Rejection::Unknown);
    let mut undone = false;
    for engine in [writing, signing_out] {
        undone |= outcome(engine, &visitor).await != gone;
        if let Some(cookie) = &fresh {
            undone |= outcome(engine, &FakeRequest::with(cookie)).await != gone;
        }
    }
    undone
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logout_is_final_under_in_flight_writes() {
    let server = RedisServer::start().await.unwrap();
    let rounds = rounds(200);
    for count in [1, 2] {
        let engines = nodes(&server, count).await;
        for writer in [Writer::KeepsItsTicket, Writer::IsGivenANewTicket] {
            let mut undone = 0;
            for _ in 0..rounds {
                let late = sign_out_is_undone(&engines[0], &engines[count - 1], writer).await;
                undone += usize::from(late);
            }
            println!("{count} node(s), writer {writer:?}: {undone} of {rounds} sign-outs undone");
            assert_eq!(undone, 0);
        }
        // What is left is the index of the owner, with sign-ins that came too late.
        assert_eq!(engines[0].storage().stats().await.unwrap().total_sessions, 0);
        assert_eq!(engines[0].sessions_of("ann").await.unwrap(), []);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_parallel_writers_of_different_fields_keep_fifty_fields() {
    const WRITERS: usize = 50;
    let server = RedisServer::start().await.unwrap();
    let rounds = rounds(10);
    for count in [1, 2] {
        let engines = nodes(&server, count).await;
        let mut fewest = WRITERS;
        for _ in 0..rounds {
            let visitor = signed_in(&engines[0]).await;
            let all_loaded = Arc::new(Barrier::new(WRITERS));
            let mut writers = JoinSet::new();
            for at in 0..WRITERS {
                let (engine, visitor) = (engines[at % count].clone(), visitor.clone());
                let all_loaded = all_loaded.clone();
                writers.spawn(async move {
                    let (scope, session) = in_flight(&engine, &visitor).await;
                    session.insert(&format!("field-{at}"), at).unwrap();
                    all_loaded.wait().await;
                    let _ = scope.finish(Answer::Ordinary).await.unwrap();
                });
            }
            while let Some(writer) = writers.join_next().await {
                writer.unwrap();
            }
            let (_scope, session) = in_flight(&engines[0], &visitor).await;
            let kept = (0..WRITERS)
                .filter(|at| session.get::<usize>(&format!("field-{at}")).unwrap() == Some(*at))
                .count();
            fewest = fewest.min(kept);
        }
        println!("{count} node(s): at least {fewest} of {WRITERS} fields kept in {rounds} rounds");
        assert_eq!(fewest, WRITERS);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_two_writers_of_a_hundred_updates_count_exactly() {
    const WRITERS: u64 = 32;
    const UPDATES: u64 = 100;
    let server = RedisServer::start().await.unwrap();
    for count in [1, 2] {
        let engines = nodes(&server, count).await;
        let visitor = signed_in(&engines[0]).await;
        let before = server.calls("evalsha").await.unwrap();
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let engine = engines[writer as usize % count].clone();
            let visitor = visitor.clone();
            writers.spawn(async move {
                for _ in 0..UPDATES {
                    let (scope, session) = in_flight(&engine, &visitor).await;
                    session.update("count", |old: Option<u64>| old.unwrap_or(0) + 1).unwrap();
                    let _ = scope.finish(Answer::Ordinary).await.unwrap();
                }
            });
        }
        while let Some(writer) = writers.join_next().await {
            writer.unwrap();
        }
        let calls = server.calls("evalsha").await.unwrap() - before;
        let (_scope, session) = in_flight(&engines[0], &visitor).await;
        let counted = session.get::<u64>("count").unwrap();
        println!(
            "{count} node(s): {WRITERS} x {UPDATES} updates = {counted:?}, {calls} script calls"
        );
        assert_eq!(counted, Some(WRITERS * UPDATES));
        assert!(calls <= 2 * WRITERS * UPDATES, "{calls} script calls");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_writers_of_four_nodes_never_meet_a_conflict() {
    const NODES: usize = 4;
    const WRITERS: usize = 64;
    let server = RedisServer::start().await.unwrap();
    let rounds = rounds(5);
    let engines = nodes(&server, NODES).await;
    let visitor = signed_in(&engines[0]).await;
    let mut refused = Vec::new();
    for _ in 0..rounds {
        let all_loaded = Arc::new(Barrier::new(WRITERS));
        let mut writers = JoinSet::new();
        for at in 0..WRITERS {
            let (engine, visitor) = (engines[at % NODES].clone(), visitor.clone());
            let all_loaded = all_loaded.clone();
            writers.spawn(async move {
                let (scope, session) = in_flight(&engine, &visitor).await;
                session.update("count", |old: Option<usize>| old.unwrap_or(0) + 1).unwrap();
                all_loaded.wait().await;
                scope.finish(Answer::Ordinary).await.map(drop)
            });
        }
        while let Some(written) = writers.join_next().await {
            refused.extend(written.unwrap().err().map(|error| error.to_string()));
        }
    }
    println!("{NODES} nodes: {} of {} requests refused", refused.len(), rounds * WRITERS);
    assert!(refused.is_empty(), "{refused:?}");
    let (_scope, session) = in_flight(&engines[0], &visitor).await;
    assert_eq!(session.get::<usize>("count").unwrap(), Some(rounds * WRITERS));
}
