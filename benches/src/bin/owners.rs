//! What operators do among very many sessions, and what visitors feel of it: `sessions_of` and
//! `revoke_owner` with ten sessions of an owner, and a walk that takes each session's facts (what
//! `cloakroom list` and `cloakroom stats` do), the storage's own count (`SessionStorage::stats`), and the
//! revocation of everything created before a moment, each in a process of its own beside visitors who
//! read.
//!
//! The number of sessions is the first argument (1,000,000 unless told otherwise).

use std::collections::HashSet;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cloakroom::{
    Absolute, CommitBuilder, Engine, Expect, Found, IndexChange, OwnerKey, Position, SessionKey,
    SessionStorage, Token,
};
use cloakroom_benches::{Bars, Parent, Worker, group, percentile, rounds};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::RedisServer;

const SESSIONS: usize = 1_000_000;
const PER_OWNER: usize = 10;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const SAMPLES: usize = 2_000;
const READERS: usize = 16;
/// A person's pause. Without one the readers would measure each other.
const PAUSE: Duration = Duration::from_millis(5);
/// What no command of the server may take.
const STALL: Duration = Duration::from_millis(10);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().collect();
    if let [_, operator, url] = &arguments[..]
        && operator == "operator"
    {
        operate(url).await;
        return ExitCode::SUCCESS;
    }
    let sessions = rounds(SESSIONS);
    let server = RedisServer::builder().setting("slowlog-log-slower-than", "1000").start().await;
    let server = server.expect("redis-server is installed");
    let engine = connect(&server.url()).await;
    let start = Instant::now();
    let keys = Arc::new(seed(&engine, sessions).await);
    println!(
        "{} sessions of {} owners, signed in within {:.0} s",
        group(sessions as f64),
        group((sessions / PER_OWNER) as f64),
        start.elapsed().as_secs_f64()
    );
    of_one_owner(&engine, sessions).await;
    let mut bars = Bars::new("one operator beside readers");
    let quiet = beside(&engine, &keys, async { tokio::time::sleep(Duration::from_secs(5)).await });
    let (quiet, ()) = quiet.await;
    bars.tell("a read, p99, nobody operates", &[p99(&quiet)]);
    let mut operator = Worker::start(&["operator", &server.url()]);
    for (order, what) in [
        ("facts", "a walk with facts, as list and stats"),
        ("count", "the storage's stats()"),
        ("revoke", "revoke_created_before"),
    ] {
        server.ask(["SLOWLOG", "RESET"]).await.expect("the server answers");
        let asked = async {
            operator.tell(order);
            tokio::task::block_in_place(|| operator.hear())
        };
        let (during, answer) = beside(&engine, &keys, asked).await;
        println!("  {what}: {answer}");
        bars.tell(&format!("a read, p99, during {what}"), &[p99(&during)]);
        bars.at_most(
            &format!("longest command of the server, {what}"),
            &[slowest(&server).await],
            STALL,
        );
    }
    bars.end()
}

/// What an operator's process does.
async fn operate(url: &str) {
    let engine = connect(url).await;
    while let Some(order) = Parent.hear() {
        let start = Instant::now();
        let done = match order.first().map(String::as_str) {
            Some("facts") => walk_with_facts(&engine).await,
            Some("count") => {
                engine.storage().stats().await.expect("the server answers").total_sessions as usize
            }
            _ => revoke(&engine).await,
        };
        let took = start.elapsed().as_secs_f64();
        Parent.tell(&format!("{} sessions in {took:.1} s", group(done as f64)));
    }
}

/// As the commands do: each session is counted once, however often the walk meets it.
async fn walk_with_facts(engine: &Engine) -> usize {
    let (mut position, mut met, mut seen) = (Position::start(), HashSet::new(), 0);
    loop {
        let page = engine.storage().walk(&position).await.expect("the server answers");
        let found = engine.storage().facts(&page.sessions).await.expect("the server answers");
        for (key, found) in page.sessions.into_iter().zip(found) {
            seen += usize::from(met.insert(key) && matches!(found, Found::Session(_)));
        }
        let Some(next) = page.next else { return seen };
        position = next;
    }
}

async fn revoke(engine: &Engine) -> usize {
    let moment = cloakroom::Timestamp::from_millis(u64::MAX / 2048);
    let (mut position, mut ended) = (Position::start(), 0);
    loop {
        let page = engine.revoke_created_before(moment, &position).await;
        let page = page.expect("the server answers");
        ended += page.ended;
        let Some(next) = page.next else { return ended };
        position = next;
    }
}

async fn connect(url: &str) -> Engine {
    let storage = RedisSessionStorage::builder().url(url).build().await;
    Engine::builder(storage.expect("the server was just started")).build().expect("the defaults")
}

fn owner(number: usize) -> String {
    format!("visitor-{number}@example.org")
}

/// Signs sessions in by what a sign-in does to the storage, without drawing up an answer for each.
async fn seed(engine: &Engine, sessions: usize) -> Vec<SessionKey> {
    let next = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..128)
        .map(|_| {
            let (engine, next) = (engine.clone(), next.clone());
            tokio::spawn(async move {
                let (storage, mut keys) = (engine.storage(), Vec::new());
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= sessions {
                        return keys;
                    }
                    let name = owner(number / PER_OWNER);
                    let token = Token::generate().expect("random bytes");
                    let commit = CommitBuilder::new(Expect::Absent)
                        .absolute(Absolute::Start(DAY))
                        .idle_timeout(DAY)
                        .verifier(token.verifier_hash())
                        .owner(&name)
                        .field("note", format!("\"{}\"", "x".repeat(200)));
                    let session = token.key();
                    let owner = OwnerKey::of(&name);
                    let commit = commit.build().expect("a commit");
                    let done = storage.commit(&session, &commit).await.expect("it is stored");
                    let cloakroom::Committed::Applied { stamp, .. } = done else {
                        panic!("nobody has this key")
                    };
                    let deadline = stamp.absolute_deadline;
                    let (lifetime, pending, refuse_at) = (DAY, Duration::ZERO, None);
                    let enter = IndexChange::Enter { session, lifetime, pending, refuse_at };
                    let _ = storage.change_owner_index(&owner, &enter).await.expect("it is stored");
                    let settle = IndexChange::Settle { session, deadline, most: None };
                    let _ =
                        storage.change_owner_index(&owner, &settle).await.expect("it is stored");
                    keys.push(session);
                }
            })
        })
        .collect();
    let mut keys = Vec::with_capacity(sessions);
    for caller in callers {
        keys.extend(caller.await.expect("all can be seeded"));
    }
    keys
}

async fn of_one_owner(engine: &Engine, sessions: usize) {
    let owners = sessions / PER_OWNER;
    let (mut found, mut ended) = (Vec::new(), Vec::new());
    for at in 0..SAMPLES.min(owners / 2) {
        let start = Instant::now();
        let sessions = engine.sessions_of(&owner(at * (owners / SAMPLES).max(1))).await;
        found.push(start.elapsed().as_secs_f64());
        assert_eq!(sessions.expect("the server answers").len(), PER_OWNER);
    }
    for at in 0..(SAMPLES / 10).min(owners / 2) {
        let start = Instant::now();
        let revoked = engine.revoke_owner(&owner(owners - 1 - at)).await;
        ended.push(start.elapsed().as_secs_f64());
        assert_eq!(revoked.expect("the server answers").ended, PER_OWNER);
    }
    for (name, times) in [("sessions_of", &found), ("revoke_owner", &ended)] {
        println!(
            "  {name} with {PER_OWNER} sessions: median {:.2} ms, p99 {:.2} ms of {}",
            percentile(times, 0.5) * 1e3,
            percentile(times, 0.99) * 1e3,
            group(times.len() as f64)
        );
    }
}

/// Lets readers read as long as something else takes, and answers how long each read took.
async fn beside<T>(
    engine: &Engine,
    keys: &Arc<Vec<SessionKey>>,
    work: impl Future<Output = T>,
) -> (Vec<f64>, T) {
    let over = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..READERS)
        .map(|reader| {
            let (engine, keys, over) = (engine.clone(), keys.clone(), over.clone());
            tokio::spawn(async move {
                let (mut at, mut times) = (reader * keys.len() / READERS, Vec::new());
                while !over.load(Ordering::Relaxed) {
                    at = (at + 7919) % keys.len();
                    let start = Instant::now();
                    let _ = engine.storage().load(&keys[at]).await.expect("the server answers");
                    times.push(start.elapsed().as_secs_f64());
                    tokio::time::sleep(PAUSE).await;
                }
                times
            })
        })
        .collect();
    let done = work.await;
    over.store(true, Ordering::Relaxed);
    let mut times = Vec::new();
    for reader in readers {
        times.extend(reader.await.expect("no reader panics"));
    }
    (times, done)
}

fn p99(times: &[f64]) -> Duration {
    Duration::from_secs_f64(percentile(times, 0.99))
}

/// The longest command since the log was reset; those below a millisecond are not noted.
async fn slowest(server: &RedisServer) -> Duration {
    let log = server.ask(["SLOWLOG", "GET", "128"]).await.expect("the server answers").many();
    let micros = log.into_iter().filter_map(|entry| entry.many().get(2).map(|it| it.number()));
    Duration::from_micros(micros.max().unwrap_or(0).max(0) as u64)
}
