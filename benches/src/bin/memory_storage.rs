//! What the embedded storage takes: 1,000,000 sessions of 200 bytes of data each, how fast they go
//! in and come out, and what is left of them when they have expired.

use std::alloc::System;
use std::time::{Duration, Instant};

use cloakroom::{MemorySessionStorage, SessionData, SessionStorage};
use cloakroom_benches::group;
use cloakroom_testkit::ManualClock;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SESSIONS: u32 = 1_000_000;
const TTL: Duration = Duration::from_secs(1800);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let data = session();
    let clock = ManualClock::new();
    let before = allocated();
    let storage =
        MemorySessionStorage::builder().clock(clock.clone()).build().expect("sound limits");
    let empty = allocated();

    let start = Instant::now();
    for number in 0..SESSIONS {
        storage.set(&number.to_string(), &data, TTL).await.expect("there is room");
    }
    let inserted = start.elapsed();
    let full = allocated();
    let record = storage.stats().await.expect("statistics").total_bytes / u64::from(SESSIONS);
    println!(
        "{} sessions of 200 bytes of data (a record of {record} bytes):",
        group(f64::from(SESSIONS))
    );
    println!("  allocated               {:>12} bytes", group((full - empty) as f64));
    println!(
        "  per session             {:>12} bytes",
        group((full - empty) as f64 / f64::from(SESSIONS))
    );
    println!("  inserted                {:>12}/s", rate(inserted));

    let start = Instant::now();
    for number in 0..SESSIONS {
        // A step that meets every session once, in an order that no cache likes.
        let number = (u64::from(number) * 7_919_999 % u64::from(SESSIONS)) as u32;
        let found = storage.get(&number.to_string(), None).await.expect("an answer");
        assert!(found.is_some_and(|data| data.contains("cart")));
    }
    println!("  loaded                  {:>12}/s", rate(start.elapsed()));

    clock.advance(TTL + Duration::from_millis(1));
    let start = Instant::now();
    let removed = storage.remove_expired();
    assert_eq!(removed, SESSIONS as usize);
    println!("  expired                 {:>12}/s", rate(start.elapsed()));
    println!(
        "  allocated by the storage: empty {} bytes, full {}, after expiry {}",
        group((empty - before) as f64),
        group((full - before) as f64),
        group((allocated() - before) as f64)
    );
    drop(storage);
    tokio::task::yield_now().await;
    println!("  after its drop          {:>12} bytes", group((allocated() - before) as f64));
}

/// The bytes that are allocated at present.
fn allocated() -> isize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated as isize - stats.bytes_deallocated as isize
}

fn rate(took: Duration) -> String {
    group(f64::from(SESSIONS) / took.as_secs_f64())
}

/// A session with 200 bytes of names and values.
fn session() -> SessionData {
    let mut data = SessionData::new();
    data.insert("locale", "de-DE").expect("text is JSON");
    data.insert("visits", 12).expect("a number is JSON");
    data.insert("cart", "umbrella,".repeat(19)).expect("text is JSON");
    data
}
