//! One session that everybody writes at once. Redis must not feel it, and nobody may lose.
//!
//! First 16 writers in 2 processes for 3 s, each a loop of whole requests; then 64 writers in 4
//! processes that all begin at the same moment, again and again.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use cloakroom::{Engine, Field};
use cloakroom_benches::{Parent, Visitor, Worker, group, median, percentile};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::RedisServer;

const COUNTER: Field<u64> = Field::new("counter");
const STEADY: (usize, usize) = (2, 8);
const BURST: (usize, usize) = (4, 16);
const BURSTS: usize = 40;
const SECONDS: u64 = 3;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [role, url, cookie, writers] if role == "worker" => {
            work(url, cookie, writers.parse().expect("a number of writers")).await;
            ExitCode::SUCCESS
        }
        _ => measure().await,
    }
}

async fn measure() -> ExitCode {
    let server = RedisServer::start().await.expect("redis-server is installed");
    let engine = engine(&server.url()).await;
    let losses = [steady(&server, &engine).await, bursts(&server, &engine).await];
    let losses: Vec<_> = losses.into_iter().flatten().collect();
    losses.iter().for_each(|loss| eprintln!("FAILED: {loss}"));
    if losses.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What somebody lost, in one line; `None` where every request was done and counted once.
fn loss(of: &str, failed: u64, counted: u64, acknowledged: usize) -> Option<String> {
    let sound = failed == 0 && counted == acknowledged as u64;
    let line = || format!("{of}: {failed} requests failed, counter {counted} of {acknowledged}");
    (!sound).then(line)
}

async fn steady(server: &RedisServer, engine: &Engine) -> Option<String> {
    let visitor = Visitor::arriving(engine, |session| session.insert(COUNTER, 0).unwrap()).await;
    let mut workers = start(server, &visitor, STEADY);
    let calls = script_calls(server).await;
    workers.iter_mut().for_each(|worker| worker.tell("steady"));
    let mut micros = Vec::new();
    let mut failed = 0;
    for worker in &mut workers {
        failed += worker.hear().parse::<u64>().expect("a count");
        let line = worker.hear();
        micros.extend(line.split_whitespace().map(|one| one.parse::<f64>().expect("a time")));
    }
    let calls = script_calls(server).await - calls;
    let (processes, writers) = STEADY;
    let commits = micros.len() as f64;
    let millis = |share| percentile(&micros, share) / 1000.0;
    println!(
        "{} writers in {processes} processes on one session, {SECONDS} s:",
        processes * writers
    );
    println!("  acknowledged commits    {:>9}/s", group(commits / SECONDS as f64));
    println!("  script calls per commit {:>11.2}", calls as f64 / commits);
    println!(
        "  whole request, ms       p50 {:.2}, p99 {:.2}, max {:.2}",
        millis(0.5),
        millis(0.99),
        millis(1.0)
    );
    println!("  requests that failed    {failed:>11}");
    let counted = counter(engine, &visitor).await;
    println!("  counter                 {counted:>11} of {commits}");
    loss("steady", failed, counted, micros.len())
}

async fn bursts(server: &RedisServer, engine: &Engine) -> Option<String> {
    let visitor = Visitor::arriving(engine, |session| session.insert(COUNTER, 0).unwrap()).await;
    let mut workers = start(server, &visitor, BURST);
    let calls = script_calls(server).await;
    let (mut millis, mut failed) = (Vec::new(), 0);
    for _ in 0..BURSTS {
        let start = Instant::now();
        workers.iter_mut().for_each(|worker| worker.tell("burst"));
        for worker in &mut workers {
            failed += worker.hear().parse::<u64>().expect("a count");
        }
        millis.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    let calls = script_calls(server).await - calls;
    let (processes, writers) = BURST;
    let commits = processes * writers * BURSTS;
    println!(
        "{} writers in {processes} processes at the same moment, {BURSTS} times:",
        processes * writers
    );
    println!(
        "  all done, ms            median {:.2}, max {:.2}",
        median(&millis),
        percentile(&millis, 1.0)
    );
    println!("  script calls per commit {:>11.2}", calls as f64 / commits as f64);
    println!("  requests that failed    {failed:>11}");
    let counted = counter(engine, &visitor).await;
    println!("  counter                 {counted:>11} of {commits}");
    loss("bursts", failed, counted, commits)
}

fn start(server: &RedisServer, visitor: &Visitor, of: (usize, usize)) -> Vec<Worker> {
    let (processes, writers) = of;
    let arguments = ["worker", &server.url(), visitor.cookie(), &writers.to_string()];
    let mut workers: Vec<_> = (0..processes).map(|_| Worker::start(&arguments)).collect();
    workers.iter_mut().for_each(|worker| assert_eq!(worker.hear(), "ready"));
    workers
}

async fn work(url: &str, cookie: &str, writers: usize) {
    let engine = engine(url).await;
    let visitor = Visitor::with_cookie(cookie);
    let parent = Parent;
    parent.tell("ready");
    while let Some(order) = parent.hear() {
        let lasting = match order[0].as_str() {
            "steady" => Duration::from_secs(SECONDS),
            _ => Duration::ZERO,
        };
        let end = Instant::now() + lasting;
        let writing: Vec<_> = (0..writers)
            .map(|_| tokio::spawn(write(engine.clone(), visitor.clone(), end)))
            .collect();
        let (mut micros, mut failed) = (Vec::new(), 0);
        for writer in writing {
            let (done, not_done) = writer.await.expect("no writer panics");
            micros.extend(done);
            failed += not_done;
        }
        parent.tell(&failed.to_string());
        if !lasting.is_zero() {
            parent.tell(&micros.iter().map(u128::to_string).collect::<Vec<_>>().join(" "));
        }
    }
}

/// Sends requests until the end has come, at least one.
async fn write(engine: Engine, visitor: Visitor, end: Instant) -> (Vec<u128>, usize) {
    let (mut micros, mut failed) = (Vec::new(), 0);
    loop {
        let start = Instant::now();
        let written = visitor.request(&engine, |session| {
            session.update(COUNTER, |counter| counter.unwrap_or(0) + 1).unwrap();
        });
        match written.await {
            Ok(_) => micros.push(start.elapsed().as_micros()),
            Err(error) => {
                eprintln!("{error}");
                failed += 1;
            }
        }
        if Instant::now() >= end {
            return (micros, failed);
        }
    }
}

async fn engine(url: &str) -> Engine {
    let storage = RedisSessionStorage::builder().url(url).build().await.expect("a server");
    Engine::builder(storage).build().expect("the default policy is sound")
}

async fn counter(engine: &Engine, visitor: &Visitor) -> u64 {
    let scope = engine.begin(visitor);
    let session = scope.handle().load().await.expect("the session is there");
    session.get(COUNTER).expect("a number").unwrap_or(0)
}

async fn script_calls(server: &RedisServer) -> u64 {
    let by_hash = server.calls("evalsha").await.expect("statistics");
    by_hash + server.calls("eval").await.expect("statistics")
}
