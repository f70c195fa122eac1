//! What a read costs whose session lies in the near-cache, beside one on the embedded storage and
//! one that asks Redis: time and allocations of a whole request in the engine, one at a time.

use std::alloc::System;
use std::hint::black_box;
use std::time::{Duration, Instant};

use cloakroom::{Answer, Engine, MemorySessionStorage};
use cloakroom_benches::{Visitor, group, median};
use cloakroom_redis::{NearCache, RedisSessionStorage};
use cloakroom_testkit::RedisServer;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ROUNDS: usize = 15;
const REQUESTS: u64 = 5_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let server = RedisServer::start().await.expect("a server");
    // Long enough for a busy machine: what is measured is a hit.
    let lasting = NearCache::default()
        .with_lease(Duration::from_secs(30))
        .with_max_age(Duration::from_secs(60));
    let redis = |near_cache: Option<NearCache>| {
        RedisSessionStorage::builder().url(server.url()).pool_size(2).near_cache(near_cache).build()
    };
    let near = redis(Some(lasting)).await.expect("a storage");
    let far = redis(None).await.expect("a storage");
    let engines = [
        ("embedded storage", Engine::builder(MemorySessionStorage::new())),
        ("near-cache", Engine::builder(near)),
        ("Redis", Engine::builder(far)),
    ];
    let mut subjects = Vec::new();
    for (name, engine) in engines {
        let engine = engine.build().expect("sound");
        let visitor = Visitor::arriving(&engine, |session| {
            session.insert("cart", "umbrella,".repeat(19)).unwrap();
            session.insert("visits", 0).unwrap();
        })
        .await;
        subjects.push((name, engine, visitor, Vec::new(), 0));
    }
    println!("one read request, medians of {ROUNDS} rounds of {REQUESTS}:");
    for _ in 0..ROUNDS {
        for (_, engine, visitor, nanos, allocations) in &mut subjects {
            let (before, start) = (ALLOCATOR.stats(), Instant::now());
            for _ in 0..REQUESTS {
                read(engine, visitor).await;
            }
            nanos.push(start.elapsed().as_nanos() as f64 / REQUESTS as f64);
            let after = ALLOCATOR.stats();
            let made = |stats: stats_alloc::Stats| stats.allocations + stats.reallocations;
            *allocations = (made(after) - made(before)) / REQUESTS as usize;
        }
    }
    for (name, _, _, nanos, allocations) in &subjects {
        let nanos = group(median(nanos));
        println!("  {name:<20}{nanos:>8} ns{allocations:>5} allocations");
    }
    let health = subjects[1].1.health().near_cache.expect("a near-cache");
    println!("  near-cache: {} hits, {} misses", health.hits, health.misses);
}

async fn read(engine: &Engine, visitor: &Visitor) {
    let scope = engine.begin(visitor);
    let session = scope.handle().load().await.expect("the session is there");
    black_box(session.get::<u64>("visits").expect("a number"));
    let _ = scope.finish(Answer::Ordinary).await.expect("nothing fails");
}
