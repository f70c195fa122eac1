//! Redis is killed (SIGKILL) under 8 clients over HTTP and started again 2 s later with what lies on
//! its disk: how long anybody waits, how fast answers are while the circuit breaker is open, how soon
//! all is well, and whether a session or a change that was acknowledged is lost.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use cloakroom::{SessionKey, SessionStorage, Side};
use cloakroom_benches::{Bars, Crowd, Deed, EventLog, Seen, Shop, percentile, rounds};
use cloakroom_redis::{DEFAULT_COMMIT_TIMEOUT, DEFAULT_LOAD_TIMEOUT, RedisSessionStorage};
use cloakroom_testkit::{Persistence, RedisServer};
use tokio::time::sleep;

const CLIENTS: usize = 8;
const DOWN: Duration = Duration::from_secs(2);
const GRACE: Duration = Duration::from_millis(50);

#[derive(Default)]
struct Figures {
    longest_read: Vec<Duration>,
    longest_write: Vec<Duration>,
    open_http: Vec<Duration>,
    open_direct: Vec<Duration>,
    open_answers: usize,
    recovery: [Vec<Duration>; 2],
    recovery_from_start: Vec<Duration>,
    answers: usize,
    other_answers: usize,
    cleared: usize,
    lost: usize,
    after: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    let rounds = rounds(7);
    let mut figures = Figures::default();
    for _ in 0..rounds {
        round(&mut figures).await;
    }
    let title =
        format!("Redis killed, back after {DOWN:?}, {CLIENTS} clients over HTTP, {rounds} rounds");
    let mut bars = Bars::new(&title);
    bars.at_most("longest read", &figures.longest_read, DEFAULT_LOAD_TIMEOUT + GRACE);
    bars.at_most("longest write", &figures.longest_write, DEFAULT_COMMIT_TIMEOUT + GRACE);
    let five = Duration::from_millis(5);
    bars.at_most("breaker open: p99 of answers over HTTP", &figures.open_http, five);
    bars.at_most("breaker open: p99 of the storage's answers", &figures.open_direct, five / 5);
    bars.count("breaker open: answers over HTTP", figures.open_answers);
    bars.none("answers other than 503 with Retry-After", figures.other_answers, figures.answers);
    bars.none("cookies taken away", figures.cleared, figures.answers);
    let second = Duration::from_secs(1);
    bars.at_most("answering again to the first read", &figures.recovery[0], second);
    bars.at_most("answering again to the first write", &figures.recovery[1], second);
    bars.tell("started again to the first read", &figures.recovery_from_start);
    bars.none("reads that miss a session or an acknowledged change", figures.lost, figures.after);
    bars.end()
}

async fn round(figures: &mut Figures) {
    let server = RedisServer::builder().persistence(Persistence::EveryWrite).start().await;
    let server = server.expect("redis-server is installed");
    let storage = RedisSessionStorage::builder().url(server.url()).build().await;
    let storage = storage.expect("the server was just started");
    let events = EventLog::start();
    let shop = Shop::open(storage.clone(), &events).await;
    let crowd = Crowd::gather(shop.address(), CLIENTS).await;
    sleep(Duration::from_millis(500)).await;

    let killed = Instant::now();
    server.kill_now();
    let gone = Instant::now();
    figures.open_direct.push(while_open(&storage, &events, killed + DOWN).await);
    let started = Instant::now();
    server.restart().await.expect("it starts again");
    let back = Instant::now();
    sleep(Duration::from_secs(3)).await;
    let seen = crowd.dismiss().await;

    let longest = |deed| {
        let met = seen.iter().filter(|seen| seen.deed == deed && seen.end > killed);
        met.map(Seen::took).max().unwrap_or_default()
    };
    figures.longest_read.push(longest(Deed::Read));
    figures.longest_write.push(longest(Deed::Write));
    let open = seen.iter().filter(|seen| events.was_open(Side::Reads, seen.begin, seen.end));
    let open: Vec<_> = open.map(|seen| seen.took().as_secs_f64()).collect();
    figures.open_answers += open.len();
    figures.open_http.push(Duration::from_secs_f64(percentile(&open, 0.99)));
    for seen in seen.iter().filter(|seen| seen.begin >= gone && seen.end < started) {
        figures.answers += 1;
        figures.other_answers += usize::from(!seen.come_back);
    }
    for (deed, times) in [Deed::Read, Deed::Write].into_iter().zip(&mut figures.recovery) {
        let good = seen.iter().filter(|seen| seen.deed == deed && seen.begin >= gone);
        let first = good.filter(|seen| seen.is_good()).map(|seen| seen.end).min();
        times.push(first.map_or(Duration::MAX, |end| end.saturating_duration_since(back)));
        if deed == Deed::Read {
            let after = first.map_or(Duration::MAX, |end| end.saturating_duration_since(started));
            figures.recovery_from_start.push(after);
        }
    }
    for seen in seen.iter().filter(|seen| seen.begin >= gone) {
        figures.cleared += usize::from(seen.cleared);
        figures.after += usize::from(seen.status == 200);
        figures.lost += usize::from(seen.wrong);
    }
}

/// Asks the storage itself every millisecond; answers how long 99 of 100 open answers take at most.
async fn while_open(storage: &RedisSessionStorage, events: &EventLog, until: Instant) -> Duration {
    let key = SessionKey::from_name("anybody");
    let mut times = Vec::new();
    while Instant::now() < until {
        let begin = Instant::now();
        let answer = storage.load(&key).await;
        let end = Instant::now();
        if events.was_open(Side::Reads, begin, end) {
            assert!(answer.is_err(), "an open breaker lets nobody through");
            times.push((end - begin).as_secs_f64());
        }
        sleep(Duration::from_millis(1)).await;
    }
    Duration::from_secs_f64(percentile(&times, 0.99))
}
