//! What the index of an owner's sessions adds to a sign-in: `set_owner` against `rotate` with a write,
//! which is the same commit without the index, one after the other and with 64 in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cloakroom::{Engine, Session};
use cloakroom_benches::{Contest, Visitor, group, rounds};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::RedisServer;

const ROUND: Duration = Duration::from_millis(200);
const NAMES: [&str; 2] = ["set_owner", "rotate"];

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let rounds = rounds(15);
    let server = RedisServer::start().await.expect("redis-server is installed");
    let storage = RedisSessionStorage::builder().url(server.url()).build().await;
    let engine = Engine::builder(storage.expect("the server was just started")).build();
    let engine = engine.expect("the default policy");
    for in_flight in [1, 64] {
        let mut contest = Contest::new(&NAMES);
        // The first turn warms everything up and does not count.
        for round in 0..=rounds {
            for name in NAMES {
                let rate = rate(&engine, in_flight, name == "set_owner").await;
                if round > 0 {
                    contest.add(name, rate);
                }
            }
        }
        println!("{in_flight} in flight: requests per second, medians of {rounds} rounds in turns");
        for name in NAMES {
            let rate = contest.median(name);
            let micros = 1e6 / rate;
            println!("  {name:<12}{:>10}{micros:>10.0} µs each", group(rate));
        }
        println!("  time of set_owner / rotate{:>8.2}", contest.ratio("rotate", "set_owner"));
    }
}

async fn rate(engine: &Engine, in_flight: usize, signs_in: bool) -> f64 {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let done = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let callers: Vec<_> = (0..in_flight)
        .map(|_| {
            let (engine, done) = (engine.clone(), done.clone());
            tokio::spawn(async move {
                let owner = format!("owner-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
                let arrive = |session: &Session| session.insert("count", 0).expect("a change");
                let mut visitor = Visitor::arriving(&engine, arrive).await;
                while start.elapsed() < ROUND {
                    let at = done.fetch_add(1, Ordering::Relaxed);
                    let change = |session: &Session| {
                        if signs_in {
                            session.set_owner(&owner).expect("a change");
                        } else {
                            session.rotate().expect("a change");
                        }
                        session.insert("count", at).expect("a change");
                    };
                    let handed_out = visitor.request(&engine, change).await.expect("an answer");
                    visitor.keep(&handed_out.expect("a new ticket"));
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("every sign-in succeeds");
    }
    done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
}
