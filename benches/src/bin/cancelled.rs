//! A million reads whose futures are dropped at random moments, by 64 visitors at once: is any answer
//! one that belongs to another session? Every record names its visitor, and what the server was asked
//! for shows how many of the drops hit a command that was under way.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cloakroom::{SessionData, SessionStorage};
use cloakroom_benches::{Bars, group, rounds};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::fault_proxy::{Direction, Latency, Scope};
use cloakroom_testkit::{FaultProxy, RedisServer};
use tokio::task::{JoinSet, yield_now};

const VISITORS: usize = 64;

#[derive(Default)]
struct Count {
    answered: AtomicUsize,
    dropped: AtomicUsize,
    foreign: AtomicUsize,
    failed: AtomicUsize,
}

#[tokio::main]
async fn main() -> ExitCode {
    let reads = rounds(1_000_000);
    let title =
        format!("{} reads dropped at random moments, {VISITORS} visitors", group(reads as f64));
    let mut bars = Bars::new(&title);
    let server = RedisServer::start().await.expect("redis-server is installed");
    let proxy = FaultProxy::before(&server).await.expect("a free port");
    let jitter = Latency::of(Duration::ZERO).with_jitter(Duration::from_millis(2));
    proxy.delay(Scope::All, Direction::Both, jitter);
    for (name, url, connections, share) in [
        ("1 connection", server.url(), 1, 50),
        ("10 connections", server.url(), 10, 45),
        ("10 slow connections", proxy.url(), 10, 5),
    ] {
        let builder = RedisSessionStorage::builder().url(url).pool_size(connections);
        let storage = builder.build().await.expect("the server was just started");
        let before = server.calls("get").await.expect("an answer");
        let (count, begin) = (Arc::new(Count::default()), Instant::now());
        run(&storage, &count, reads * share / 100).await;
        let took = begin.elapsed();
        tokio::time::sleep(Duration::from_millis(50)).await;
        let sent = (server.calls("get").await.expect("an answer") - before) as usize;
        let of = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        let (answered, dropped) = (of(&count.answered), of(&count.dropped));
        println!("  {name}: {} in {:.1} s", group((answered + dropped) as f64), took.as_secs_f64());
        bars.count("  dropped", dropped);
        bars.count("  of them while the server had the command", sent - answered);
        bars.none("  answers that belong to another session", of(&count.foreign), answered);
        bars.none("  reads that failed", of(&count.failed), answered);
    }
    bars.end()
}

async fn run(storage: &RedisSessionStorage, count: &Arc<Count>, reads: usize) {
    let mut visitors = JoinSet::new();
    for at in 0..VISITORS {
        let (storage, count) = (storage.clone(), count.clone());
        visitors.spawn(visit(storage, count, at, reads.div_ceil(VISITORS)));
    }
    while let Some(visitor) = visitors.join_next().await {
        visitor.expect("no visitor panics");
    }
}

async fn visit(storage: RedisSessionStorage, count: Arc<Count>, at: usize, reads: usize) {
    let (name, mut dice) = (format!("visitor-{at}"), at as u64 + 1);
    let mut data = SessionData::new();
    data.insert("name", &name).expect("text is JSON");
    storage.set(&name, &data, None).await.expect("the session is stored");
    // How many turns a read usually takes; drops fall before and after it.
    let mut usual = 16.0_f64;
    for _ in 0..reads {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let patience = (usual * 2.0 * (dice >> 40) as f64 / (1_u64 << 24) as f64) as u32;
        let mut turns = 0;
        let losing_patience = async {
            while turns < patience {
                turns += 1;
                yield_now().await;
            }
        };
        tokio::select! {
            biased;
            answer = storage.get(&name, None) => {
                count.answered.fetch_add(1, Ordering::Relaxed);
                match answer {
                    Ok(Some(data)) => {
                        let own = data.get::<String>("name").is_ok_and(|own| own.as_ref() == Some(&name));
                        count.foreign.fetch_add(usize::from(!own), Ordering::Relaxed);
                    }
                    Ok(None) => _ = count.foreign.fetch_add(1, Ordering::Relaxed),
                    // A record under another name than its own is reported as damaged.
                    Err(_) => _ = count.failed.fetch_add(1, Ordering::Relaxed),
                }
                usual += (f64::from(turns) - usual) / 64.0;
            }
            () = losing_patience => {
                count.dropped.fetch_add(1, Ordering::Relaxed);
                usual += (f64::from(patience) + 2.0 - usual).max(0.0) / 64.0;
            }
        }
    }
}
