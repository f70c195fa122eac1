//! Servers that answer reads and take no writes: their memory is full (OOM), they cannot save
//! (MISCONF), or too few replicas follow (NOREPLICAS). Reads must not notice, and a sign-out
//! meanwhile must be in force at once on its own node, and everywhere soon after the recovery.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use cloakroom_benches::{Bars, Crowd, Deed, EventLog, Happened, Shop, rounds};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::RedisServer;
use cloakroom_testkit::http::HttpClient;
use tokio::time::sleep;

const CLIENTS: usize = 8;
const SICK: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Sickness {
    Oom,
    Misconf,
    NoReplicas,
}

#[derive(Default)]
struct Figures {
    reads: usize,
    refused_reads: usize,
    writes: usize,
    taken_writes: usize,
    sign_outs: usize,
    other_answers: usize,
    still_open_here: usize,
    still_open_elsewhere: usize,
    cleared: usize,
    answers: usize,
    applied: Vec<Duration>,
    written: Vec<Duration>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let rounds = rounds(3);
    let title =
        format!("Redis takes no writes for {SICK:?}, {CLIENTS} clients, {rounds} rounds of each");
    let mut bars = Bars::new(&title);
    for sickness in [Sickness::Oom, Sickness::Misconf, Sickness::NoReplicas] {
        let mut figures = Figures::default();
        for _ in 0..rounds {
            round(sickness, &mut figures).await;
        }
        let name = |text: &str| format!("{}: {text}", format!("{sickness:?}").to_uppercase());
        let second = Duration::from_secs(1);
        bars.none(&name("reads that were not served"), figures.refused_reads, figures.reads);
        bars.none(&name("writes that were taken"), figures.taken_writes, figures.writes);
        let expected = if sickness == Sickness::Oom { "done" } else { "pending" };
        let text = format!("sign-outs answered with other than {expected}");
        bars.none(&name(&text), figures.other_answers, figures.sign_outs);
        bars.none(
            &name("sign-outs not in force at once"),
            figures.still_open_here,
            figures.sign_outs,
        );
        bars.none(&name("cookies taken away"), figures.cleared, figures.answers);
        if sickness != Sickness::Oom {
            bars.at_most(&name("recovery to the sign-out carried out"), &figures.applied, second);
            let open = figures.still_open_elsewhere;
            bars.none(&name("tickets open on another node then"), open, figures.sign_outs);
        }
        bars.at_most(&name("recovery to the first write"), &figures.written, second);
    }
    bars.end()
}

async fn round(sickness: Sickness, figures: &mut Figures) {
    let server = RedisServer::builder().setting("save", "3600 1").start().await;
    let server = server.expect("redis-server is installed");
    let (events, others) = (EventLog::start(), EventLog::start());
    let shop = Shop::open(storage(&server).await, &events).await;
    let other = Shop::open(storage(&server).await, &others).await;
    let mut leaving = HttpClient::new(shop.address());
    leaving.text("/login?as=leaving").await;
    let crowd = Crowd::gather(shop.address(), CLIENTS).await;
    sleep(Duration::from_millis(300)).await;

    sickness.begin(&server).await;
    let sick = Instant::now();
    sleep(SICK / 2).await;
    let mut thief = leaving.clone();
    let answer = leaving.get("/logout").await;
    let done = if sickness == Sickness::Oom { 200 } else { 202 };
    figures.sign_outs += 1;
    figures.other_answers += usize::from(answer.status() != done);
    figures.still_open_here += usize::from(thief.clone().text("/read").await != "nobody");
    sleep((sick + SICK).saturating_duration_since(Instant::now())).await;
    let before = Instant::now();
    sickness.end(&server).await;
    let well = Instant::now();
    sleep(Duration::from_millis(2500)).await;
    figures.still_open_elsewhere +=
        usize::from(thief.at(other.address()).text("/read").await != "nobody");
    figures.still_open_here += usize::from(thief.text("/read").await != "nobody");
    let seen = crowd.dismiss().await;

    let applied = events.since(before);
    let applied = applied.iter().find(|(_, what)| matches!(what, Happened::Applied(_)));
    figures
        .applied
        .push(applied.map_or(Duration::MAX, |(at, _)| at.saturating_duration_since(well)));
    for seen in seen.iter().filter(|seen| seen.begin >= sick) {
        figures.answers += 1;
        figures.cleared += usize::from(seen.cleared);
        match seen.deed {
            Deed::Read => {
                figures.reads += 1;
                figures.refused_reads += usize::from(!seen.is_good());
            }
            Deed::Write if seen.end < before => {
                figures.writes += 1;
                figures.taken_writes += usize::from(!seen.come_back);
            }
            Deed::Write => {}
        }
    }
    let good = seen.iter().filter(|seen| seen.deed == Deed::Write && seen.begin >= sick);
    let first = good.filter(|seen| seen.is_good()).map(|seen| seen.end).min();
    figures.written.push(first.map_or(Duration::MAX, |end| end.saturating_duration_since(well)));
}

async fn storage(server: &RedisServer) -> RedisSessionStorage {
    let storage = RedisSessionStorage::builder().url(server.url()).build().await;
    storage.expect("the server was just started")
}

impl Sickness {
    async fn begin(self, server: &RedisServer) {
        match self {
            Self::Oom => set(server, "maxmemory", "1").await,
            Self::NoReplicas => set(server, "min-replicas-to-write", "1").await,
            Self::Misconf => {
                // The dump is written to another file and renamed, which a folder does not allow.
                std::fs::create_dir(dump(server)).expect("there is no dump yet");
                save(server, "err").await;
            }
        }
    }

    async fn end(self, server: &RedisServer) {
        match self {
            Self::Oom => set(server, "maxmemory", "0").await,
            Self::NoReplicas => set(server, "min-replicas-to-write", "0").await,
            Self::Misconf => {
                std::fs::remove_dir(dump(server)).expect("it is empty");
                save(server, "ok").await;
            }
        }
    }
}

async fn set(server: &RedisServer, name: &str, value: &str) {
    server.ask(["CONFIG", "SET", name, value]).await.expect("an answer");
}

fn dump(server: &RedisServer) -> PathBuf {
    server.socket().with_file_name("dump.rdb")
}

/// Has the server save in the background, and waits until it has ended like that.
async fn save(server: &RedisServer, outcome: &str) {
    server.ask(["BGSAVE"]).await.expect("an answer");
    for _ in 0..5000 {
        let ended = server.info("persistence", "rdb_last_bgsave_status").await;
        if ended.expect("an answer") == outcome {
            return;
        }
        sleep(Duration::from_millis(2)).await;
    }
    panic!("the save did not end with {outcome}");
}
