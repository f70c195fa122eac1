//! Is anything lost? 50 requests have all loaded one session before the first of them commits, and
//! each writes a field of its own; then 32 writers count one number up together.

use std::sync::Arc;

use cloakroom::{Answer, Engine, Field};
use cloakroom_benches::{Parent, Visitor, Worker};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::RedisServer;
use tokio::sync::Barrier;

const COUNTER: Field<u64> = Field::new("counter");
const RUNS: usize = 100;
const FIELDS: usize = 50;
const WRITERS: usize = 32;
const INCREMENTS: usize = 100;

#[tokio::main]
async fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [role, url] if role == "worker" => work(url).await,
        _ => measure().await,
    }
}

async fn measure() {
    let server = RedisServer::start().await.expect("redis-server is installed");
    let engine = engine(&server.url()).await;
    for processes in [1, 2] {
        let mut workers: Vec<_> =
            (0..processes).map(|_| Worker::start(&["worker", &server.url()])).collect();
        let (mut whole, mut fewest) = (0, FIELDS);
        for _ in 0..RUNS {
            let visitor =
                Visitor::arriving(&engine, |session| session.insert("a", 1).unwrap()).await;
            let count = FIELDS / processes;
            for (number, worker) in workers.iter_mut().enumerate() {
                worker.tell(&format!("fields {} {} {count}", visitor.cookie(), number * count));
            }
            workers.iter_mut().for_each(|worker| assert_eq!(worker.hear(), "done"));
            let kept = fields(&engine, &visitor).await;
            whole += usize::from(kept == FIELDS);
            fewest = fewest.min(kept);
        }
        println!(
            "{FIELDS} parallel writers of different fields in {processes} process(es): \
             {FIELDS} of {FIELDS} kept in {whole} of {RUNS} runs (fewest {fewest})"
        );
        let visitor =
            Visitor::arriving(&engine, |session| session.insert(COUNTER, 0).unwrap()).await;
        for worker in &mut workers {
            worker.tell(&format!("count {} {}", visitor.cookie(), WRITERS / processes));
        }
        workers.iter_mut().for_each(|worker| assert_eq!(worker.hear(), "done"));
        println!(
            "{WRITERS} writers of {INCREMENTS} increments in {processes} process(es): the counter \
             stands at {} of {}",
            counter(&engine, &visitor).await,
            WRITERS * INCREMENTS
        );
    }
}

async fn work(url: &str) {
    let engine = engine(url).await;
    let parent = Parent;
    while let Some(order) = parent.hear() {
        let visitor = Visitor::with_cookie(&order[1]);
        let numbers: Vec<usize> =
            order[2..].iter().map(|number| number.parse().expect("a number")).collect();
        match numbers.as_slice() {
            [first, count] => write_fields(&engine, &visitor, *first, *count).await,
            [writers] => count_up(&engine, &visitor, *writers).await,
            _ => panic!("no such order"),
        }
        parent.tell("done");
    }
}

async fn write_fields(engine: &Engine, visitor: &Visitor, first: usize, count: usize) {
    let loaded = Arc::new(Barrier::new(count));
    let writers = (first..first + count).map(|number| {
        let (engine, visitor, loaded) = (engine.clone(), visitor.clone(), loaded.clone());
        tokio::spawn(async move {
            let scope = engine.begin(&visitor);
            let session = scope.handle().load().await.expect("the session is there");
            loaded.wait().await;
            session.insert(&format!("field {number}"), number).expect("a number is JSON");
            let _ = scope.finish(Answer::Ordinary).await.expect("the commit is acknowledged");
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("no writer fails");
    }
}

async fn count_up(engine: &Engine, visitor: &Visitor, writers: usize) {
    let writers = (0..writers).map(|_| {
        let (engine, visitor) = (engine.clone(), visitor.clone());
        tokio::spawn(async move {
            for _ in 0..INCREMENTS {
                let written = visitor.request(&engine, |session| {
                    session.update(COUNTER, |counter| counter.unwrap_or(0) + 1).unwrap();
                });
                let _ = written.await.expect("the commit is acknowledged");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("no writer fails");
    }
}

async fn engine(url: &str) -> Engine {
    let storage = RedisSessionStorage::builder().url(url).build().await.expect("a server");
    Engine::builder(storage).build().expect("the default policy is sound")
}

/// How many of the writers' fields the session holds.
async fn fields(engine: &Engine, visitor: &Visitor) -> usize {
    let scope = engine.begin(visitor);
    let session = scope.handle().load().await.expect("the session is there");
    session.field_names().iter().filter(|name| name.starts_with("field ")).count()
}

async fn counter(engine: &Engine, visitor: &Visitor) -> u64 {
    let scope = engine.begin(visitor);
    let session = scope.handle().load().await.expect("the session is there");
    session.get(COUNTER).expect("a number").unwrap_or(0)
}
