//! Redis is stopped for 5 s (SIGSTOP) under 8 clients over HTTP: how long anybody waits, what they
//! are told, and how soon all is well after it.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use cloakroom_benches::{Bars, Crowd, Deed, EventLog, Happened, Seen, Shop, rounds};
use cloakroom_redis::{DEFAULT_COMMIT_TIMEOUT, DEFAULT_LOAD_TIMEOUT, RedisSessionStorage};
use cloakroom_testkit::RedisServer;
use cloakroom_testkit::http::HttpClient;
use tokio::time::sleep;

const CLIENTS: usize = 8;
const FROZEN: Duration = Duration::from_secs(5);
const GRACE: Duration = Duration::from_millis(50);

#[derive(Default)]
struct Figures {
    longest_read: Vec<Duration>,
    longest_write: Vec<Duration>,
    recovery: [Vec<Duration>; 2],
    last_refusal: Vec<Duration>,
    answers: usize,
    other_answers: usize,
    cleared: usize,
    wrong: usize,
    after: usize,
    sign_outs: usize,
    sign_outs_not_pending: usize,
    sign_outs_undone: usize,
    applied: Vec<Duration>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let rounds = rounds(5);
    let mut figures = Figures::default();
    for _ in 0..rounds {
        round(&mut figures).await;
    }
    let title =
        format!("Redis stopped for {FROZEN:?}, {CLIENTS} clients over HTTP, {rounds} rounds");
    let mut bars = Bars::new(&title);
    bars.at_most("longest read", &figures.longest_read, DEFAULT_LOAD_TIMEOUT + GRACE);
    bars.at_most("longest write", &figures.longest_write, DEFAULT_COMMIT_TIMEOUT + GRACE);
    bars.none("answers other than 503 with Retry-After", figures.other_answers, figures.answers);
    bars.none(
        "sign-outs not answered with \"pending\"",
        figures.sign_outs_not_pending,
        figures.sign_outs,
    );
    bars.none("cookies taken away", figures.cleared, figures.answers);
    let second = Duration::from_secs(1);
    bars.at_most("thaw to the first read that succeeds", &figures.recovery[0], second);
    bars.at_most("thaw to the first write that succeeds", &figures.recovery[1], second);
    bars.at_most("thaw to the sign-out carried out", &figures.applied, second);
    bars.none("sign-outs undone", figures.sign_outs_undone, figures.sign_outs);
    bars.tell("thaw to the last 503", &figures.last_refusal);
    bars.none("wrong answers after the thaw", figures.wrong, figures.after);
    bars.end()
}

async fn round(figures: &mut Figures) {
    let server = RedisServer::start().await.expect("redis-server is installed");
    let storage = RedisSessionStorage::builder().url(server.url()).build().await;
    let events = EventLog::start();
    let shop = Shop::open(storage.expect("the server was just started"), &events).await;
    let mut leaving = HttpClient::new(shop.address());
    leaving.text("/login?as=leaving").await;
    let crowd = Crowd::gather(shop.address(), CLIENTS).await;
    sleep(Duration::from_millis(500)).await;

    let frozen = Instant::now();
    server.freeze();
    let stopped = Instant::now();
    sleep(FROZEN / 2).await;
    let mut thief = leaving.clone();
    let answer = leaving.get("/logout").await;
    figures.sign_outs += 1;
    figures.sign_outs_not_pending += usize::from(answer.status() != 202);
    sleep((frozen + FROZEN).saturating_duration_since(Instant::now())).await;
    server.thaw();
    let thawed = Instant::now();
    sleep(Duration::from_secs(3)).await;
    let seen = crowd.dismiss().await;
    let applied = events.since(frozen);
    let applied = applied.iter().find(|(_, what)| matches!(what, Happened::Applied(_)));
    let applied = applied.map_or(Duration::MAX, |(at, _)| at.saturating_duration_since(thawed));
    figures.applied.push(applied);
    figures.sign_outs_undone += usize::from(thief.text("/read").await != "nobody");

    let longest = |deed| {
        let met = seen.iter().filter(|seen| seen.deed == deed && seen.end > frozen);
        met.map(Seen::took).max().unwrap_or_default()
    };
    figures.longest_read.push(longest(Deed::Read));
    figures.longest_write.push(longest(Deed::Write));
    for seen in seen.iter().filter(|seen| seen.begin >= stopped && seen.end < thawed) {
        figures.answers += 1;
        figures.other_answers += usize::from(!seen.come_back);
        figures.cleared += usize::from(seen.cleared);
    }
    for (deed, times) in [Deed::Read, Deed::Write].into_iter().zip(&mut figures.recovery) {
        let good = seen.iter().filter(|seen| seen.deed == deed && seen.begin >= stopped);
        let first = good.filter(|seen| seen.is_good()).map(|seen| seen.end).min();
        times.push(first.map_or(Duration::MAX, |end| end.saturating_duration_since(thawed)));
    }
    let refusals = seen.iter().filter(|seen| seen.status == 503 && seen.end > thawed);
    figures.last_refusal.push(refusals.map(|seen| seen.end - thawed).max().unwrap_or_default());
    for seen in seen.iter().filter(|seen| seen.begin >= thawed) {
        figures.after += 1;
        figures.wrong += usize::from(seen.wrong);
        figures.cleared += usize::from(seen.cleared);
    }
}
