//! What the library itself costs on a storage in memory, so without any wire: time and allocations
//! of whole requests and of the parts that they are made of. Instructions: `scripts/budget`.

use std::alloc::System;
use std::time::{Duration, Instant};

use cloakroom_benches::{Path, Paths, group, median, rounds};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Short, so that most rounds are over before the machine turns to something else.
const ROUND: Duration = Duration::from_micros(500);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let rounds = rounds(501);
    let mut paths = Paths::new().await;
    println!("medians of {rounds} rounds in turns, on the memory storage:");
    for (title, group) in [("request", &Path::REQUESTS[..]), ("part", &Path::PARTS[..])] {
        println!("{title:<20}{:>10}{:>14}{:>10}", "ns", "allocations", "bytes");
        let mut nanos = vec![Vec::new(); group.len()];
        for _ in 0..rounds {
            for (nanos, path) in nanos.iter_mut().zip(group) {
                nanos.push(time(&mut paths, *path).await);
            }
        }
        for (nanos, path) in nanos.iter().zip(group) {
            report(&mut paths, *path, median(nanos)).await;
        }
    }
}

/// Nanoseconds for going the way once.
async fn time(paths: &mut Paths, path: Path) -> f64 {
    const BATCH: u64 = 20;
    let (start, mut times) = (Instant::now(), 0);
    while start.elapsed() < ROUND {
        paths.go(path, BATCH).await;
        times += BATCH;
    }
    start.elapsed().as_nanos() as f64 / times as f64
}

async fn report(paths: &mut Paths, path: Path, nanos: f64) {
    const TIMES: u64 = 1000;
    let before = ALLOCATOR.stats();
    paths.go(path, TIMES).await;
    let made = ALLOCATOR.stats() - before;
    let each = |total: usize| total as f64 / TIMES as f64;
    let allocations = each(made.allocations + made.reallocations);
    let bytes = group(each(made.bytes_allocated));
    println!("{:<20}{:>10}{allocations:>14.2}{bytes:>10}", path.name(), group(nanos));
}
