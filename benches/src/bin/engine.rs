//! What the engine itself costs per request, on a storage in memory: time and allocations of a
//! request that ignores its session, one that reads it and one that writes it.

use std::alloc::System;
use std::hint::black_box;
use std::time::Instant;

use cloakroom::{Answer, Engine, MemorySessionStorage};
use cloakroom_benches::{Visitor, group, median};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ROUNDS: usize = 21;
const REQUESTS: u64 = 20_000;

#[derive(Clone, Copy)]
enum Kind {
    Plain,
    Read,
    Write,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let engine = Engine::builder(MemorySessionStorage::new()).build().expect("sound");
    let visitor = Visitor::arriving(&engine, |session| {
        session.insert("cart", "umbrella,".repeat(19)).unwrap();
        session.insert("visits", 0).unwrap();
    })
    .await;
    println!("one request on the memory storage, medians of {ROUNDS} rounds of {REQUESTS}:");
    let kinds = [
        ("ignores its session", Kind::Plain),
        ("reads it", Kind::Read),
        ("writes it", Kind::Write),
    ];
    let mut nanos = [const { Vec::new() }; 3];
    let mut allocations = [0; 3];
    for _ in 0..ROUNDS {
        for (at, (_, kind)) in kinds.iter().enumerate() {
            let before = ALLOCATOR.stats();
            let start = Instant::now();
            for number in 0..REQUESTS {
                request(&engine, &visitor, *kind, number).await;
            }
            nanos[at].push(start.elapsed().as_nanos() as f64 / REQUESTS as f64);
            let after = ALLOCATOR.stats();
            let made = |stats: stats_alloc::Stats| stats.allocations + stats.reallocations;
            allocations[at] = (made(after) - made(before)) / REQUESTS as usize;
        }
    }
    for (at, (name, _)) in kinds.iter().enumerate() {
        println!(
            "  {name:<20}{:>8} ns{:>5} allocations",
            group(median(&nanos[at])),
            allocations[at]
        );
    }
}

async fn request(engine: &Engine, visitor: &Visitor, kind: Kind, number: u64) {
    let scope = engine.begin(visitor);
    match kind {
        Kind::Plain => {}
        Kind::Read => {
            let session = scope.handle().load().await.expect("the session is there");
            black_box(session.get::<u64>("visits").expect("a number"));
        }
        Kind::Write => {
            let session = scope.handle().load().await.expect("the session is there");
            session.insert("visits", number + 1).expect("a number is JSON");
        }
    }
    let _ = scope.finish(Answer::Ordinary).await.expect("nothing fails");
}
