//! Applications with a runtime in each worker, as actix-web has them.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use cloakroom::{Answer, BreakerState, ConnectionState, Engine, SessionStorage};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::{FakeRequest, RedisServer};
use tokio::runtime::Runtime;

use crate::support::*;

/// More than after how many questions a runtime gets connections of its own.
const OFTEN: usize = 300;

/// How long a runtime stands still. Longer than every deadline.
const STANDSTILL: Duration = Duration::from_secs(3);

/// How long an answer may take. Less than anything stands still, and enough for a busy machine.
const PROMPT: Duration = Duration::from_millis(900);

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn connect(server: &RedisServer, pool_size: usize) -> RedisSessionStorage {
    let storage = RedisSessionStorage::builder().url(server.url()).pool_size(pool_size);
    let storage = storage.load_timeout(PROMPT).commit_timeout(PROMPT).build().await.unwrap();
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    storage
}

/// A server, and a storage that is connected to it.
async fn opened(pool_size: usize) -> (RedisServer, RedisSessionStorage) {
    let server = start().await;
    let storage = connect(&server, pool_size).await;
    (server, storage)
}

async fn ask(storage: &RedisSessionStorage, times: usize) {
    for _ in 0..times {
        assert_eq!(text(storage, "ann").await.unwrap().as_deref(), Some("1"));
    }
}

/// One request that changes its session. What it saves has to outlive its runtime, so it is saved in
/// the name of another one.
async fn write(engine: &Engine, visitor: &FakeRequest) {
    let scope = engine.begin(visitor);
    let session = scope.handle().load_existing().await.unwrap().expect("the session lives");
    session.update("count", |count: Option<u64>| count.unwrap_or(0) + 1).unwrap();
    let _ = scope.finish(Answer::Ordinary).await.unwrap();
}

async fn signed_in(engine: &Engine) -> FakeRequest {
    let scope = engine.begin(&FakeRequest::new());
    scope.handle().load().await.unwrap().set_owner("ann").unwrap();
    FakeRequest::with(&scope.finish(Answer::Ordinary).await.unwrap().into_cookie().unwrap())
}

/// How many connections of the storage work at present.
fn working(storage: &RedisSessionStorage) -> usize {
    let nodes = storage.health().nodes;
    let connections = nodes.iter().flat_map(|node| &node.connections);
    connections.filter(|connection| connection.state == ConnectionState::Live).count()
}

async fn opened_so_far(server: &RedisServer) -> u64 {
    let info = server.ask(["INFO", "stats"]).await.unwrap().text();
    let line = info.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
    line.unwrap().trim().parse().unwrap()
}

/// Asks often, waits until as many connections have been opened, and asks again.
async fn settle(server: &RedisServer, storage: &RedisSessionStorage, opened: u64) {
    let before = opened_so_far(server).await;
    ask(storage, OFTEN).await;
    let start = Instant::now();
    // Each question here is a connection as well.
    let mut questions = 1;
    while opened_so_far(server).await - before < opened + questions {
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", storage.health());
        tokio::time::sleep(Duration::from_millis(5)).await;
        questions += 1;
    }
    ask(storage, OFTEN).await;
}

#[test]
fn a_runtime_that_asks_often_needs_no_other_one() {
    let opener = runtime();
    let (server, storage, engine, visitor) = opener.block_on(async {
        let (server, storage) = opened(10).await;
        let engine = Engine::builder(storage.clone()).build().unwrap();
        let visitor = signed_in(&engine).await;
        (server, storage, engine, visitor)
    });
    let (settled, is_settled) = mpsc::channel();
    let (still, stands_still) = mpsc::channel();
    let server = Arc::new(server);
    let seen = server.clone();
    let worker = thread::spawn(move || {
        runtime().block_on(async {
            settle(&seen, &storage, 5).await;
            settled.send(()).unwrap();
            stands_still.recv().unwrap();
            let (start, mut slowest) = (Instant::now(), Duration::ZERO);
            while start.elapsed() < STANDSTILL / 2 {
                let asked = Instant::now();
                ask(&storage, 1).await;
                write(&engine, &visitor).await;
                slowest = slowest.max(asked.elapsed());
            }
            (storage, slowest)
        })
    });
    opener.block_on(async {
        while is_settled.try_recv().is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Moved, not added.
        assert_eq!(settled_connections(&server, 10).await, 10);
    });
    still.send(()).unwrap();
    // Nothing of this runtime runs while its thread is held up here.
    let (storage, slowest) = worker.join().unwrap();
    assert!(slowest < PROMPT, "an answer took {slowest:?}");
    opener.block_on(async {
        ask(&storage, OFTEN).await;
        // The worker has ended: those who are left take over what was looked after there.
        let start = Instant::now();
        while working(&storage) < 10 {
            assert!(start.elapsed() < Duration::from_secs(5), "{:?}", storage.health());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(settled_connections(&server, 10).await, 10);
    });
}

#[test]
fn a_small_pool_is_shared() {
    let opener = runtime();
    let (server, storage) = opener.block_on(opened(3));
    let before = opener.block_on(opened_so_far(&server));
    let worker = thread::spawn({
        let storage = storage.clone();
        move || runtime().block_on(ask(&storage, 3 * OFTEN))
    });
    opener.block_on(async {
        while !worker.is_finished() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // One for this question.
        assert_eq!(opened_so_far(&server).await - before, 1);
        assert_eq!(working(&storage), 3);
    });
    worker.join().unwrap();
}

#[test]
fn runtimes_that_live_for_one_question_get_no_connections() {
    let opener = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (server, storage) = opener.block_on(opened(10));
    let before = opener.block_on(opened_so_far(&server));
    for _ in 0..2 * OFTEN {
        runtime().block_on(ask(&storage, 1));
    }
    assert_eq!(opener.block_on(opened_so_far(&server)) - before, 1);
    assert_eq!(working(&storage), 10);
}

#[test]
fn a_read_on_a_settled_runtime_does_not_wait_for_paused_writes() {
    let opener = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (server, storage) = opener.block_on(opened(4));
    runtime().block_on(async {
        settle(&server, &storage, 2).await;
        server.ask(["CLIENT", "PAUSE", "2000", "WRITE"]).await.unwrap();
        // More than one connection takes at once.
        let mut writes = tokio::task::JoinSet::new();
        for number in 0..200 {
            let storage = storage.clone();
            writes.spawn(async move {
                storage.set(&format!("bob {number}"), &holding("b", "2"), None).await
            });
        }
        let (start, mut slowest) = (Instant::now(), Duration::ZERO);
        while start.elapsed() < Duration::from_millis(1500) {
            let asked = Instant::now();
            ask(&storage, 1).await;
            slowest = slowest.max(asked.elapsed());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert!(slowest < PROMPT / 2, "a read took {slowest:?}");
        while writes.join_next().await.is_some() {}
    });
}

#[tokio::test]
async fn a_thread_that_stood_still_takes_its_answers_before_it_gives_up() {
    let server = start().await;
    let storage = RedisSessionStorage::builder().url(server.url()).pool_size(4);
    let storage = storage.build().await.unwrap();
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    let engine = Engine::builder(storage.clone()).build().unwrap();
    let mut visitors = Vec::new();
    for _ in 0..20 {
        visitors.push(signed_in(&engine).await);
    }
    for _ in 0..3 {
        let mut requests = tokio::task::JoinSet::new();
        for visitor in &visitors {
            let (storage, engine, visitor) = (storage.clone(), engine.clone(), visitor.clone());
            requests.spawn(async move { ask(&storage, 1).await });
            requests.spawn(async move { write(&engine, &visitor).await });
        }
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        // What no handler should do.
        thread::sleep(Duration::from_millis(1200));
        while let Some(answered) = requests.join_next().await {
            answered.unwrap();
        }
    }
    let node = &storage.health().nodes[0];
    let closed = (BreakerState::Closed, BreakerState::Closed);
    assert!((node.reads, node.writes) == closed, "{node:?}");
    assert!(node.connections.iter().all(|one| one.last_error.is_none()), "{node:?}");
}
