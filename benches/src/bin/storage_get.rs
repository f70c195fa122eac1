//! What the storage costs on top of the wire: `load`, `get`, `commit` and `set` of a session of 1 KiB
//! with 64 requests in flight, against a `GET` and `SET` of the same bytes through one redis-rs
//! connection (bare, without any deadline, and with the deadline that redis-rs has by default), and
//! against a `GET` through a pool that connections are checked out of. `get` and `commit` stand beside
//! their bars.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cloakroom::{
    Absolute, CommitBuilder, Committed, Expect, Record, SessionData, SessionKey, SessionStorage,
};
use cloakroom_benches::{Contest, group};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::RedisServer;
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use tokio::runtime::{Builder, Runtime};

const IN_FLIGHT: usize = 64;
const ROUNDS: usize = 25;
const ROUND: Duration = Duration::from_millis(40);
const ID: &str = "visitor-7";
const KEY: &str = "cloakroom:session:";
/// As much as the other session holds, as one text.
const CONTENT: [u8; 900] = {
    let mut json = [b'x'; 900];
    (json[0], json[899]) = (b'"', b'"');
    json
};

const READS: [&str; 5] = ["bare GET", "default GET", "load", "get", "deadpool GET"];
const WRITES: [&str; 3] = ["bare SET", "commit", "set"];

fn main() {
    let one = Builder::new_current_thread().enable_all().build();
    measure("current-thread runtime", &one.expect("a runtime"));
    let two = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    measure("runtime with 2 workers", &two.expect("a runtime"));
}

fn measure(title: &str, runtime: &Runtime) {
    let contest = runtime.block_on(compete());
    println!(
        "{title}: requests per second, {IN_FLIGHT} in flight, medians of {ROUNDS} rounds in turns"
    );
    for name in READS.iter().chain(&WRITES) {
        println!("  {name:<14}{:>10}", group(contest.median(name)));
    }
    for (name, against, bar) in [
        ("load", "bare GET", None),
        ("get", "bare GET", Some(0.92)),
        ("load", "default GET", None),
        ("get", "default GET", None),
        ("load", "deadpool GET", None),
        ("get", "deadpool GET", None),
        ("commit", "bare SET", Some(0.9)),
        ("set", "bare SET", None),
    ] {
        let ratio = contest.ratio(name, against);
        let verdict = bar.map_or_else(String::new, |bar| {
            format!("   bar {bar}: {}", if ratio >= bar { "met" } else { "missed" })
        });
        println!("  {name} / {against:<14}{ratio:>6.2}{verdict}");
    }
}

async fn compete() -> Contest {
    let server = RedisServer::start().await.expect("redis-server is installed");
    let storage = RedisSessionStorage::builder().url(server.url()).build().await;
    let storage = storage.expect("the server was just started");
    storage.set(ID, &session(), None).await.expect("the session is stored");
    let key = SessionKey::from_name(ID);
    let name = format!("{KEY}{}", String::from_utf8_lossy(&key.to_hex()));
    let bare = connection(&server, None).await;
    let default = connection(&server, Some(Duration::from_millis(500))).await;
    let bytes: Vec<u8> = bare.clone().get(&name).await.expect("the record lies there");
    println!("one session: {} bytes, {} connections", bytes.len(), 10);
    let pool = deadpool_redis::Config::from_url(server.url()).builder().expect("a pool");
    let pool = pool.max_size(16).runtime(deadpool_redis::Runtime::Tokio1).build().expect("a pool");

    let mut contest = Contest::new(&[READS.as_slice(), &WRITES].concat());
    // The first turn warms everything up and does not count.
    for round in 0..=ROUNDS {
        let mut add = |name, rate| {
            if round > 0 {
                contest.add(name, rate)
            }
        };
        for (candidate, connection) in [("bare GET", &bare), ("default GET", &default)] {
            let (connection, wanted) = (connection.clone(), name.clone());
            add(
                candidate,
                rate(move || {
                    let (mut connection, wanted) = (connection.clone(), wanted.clone());
                    async move {
                        let bytes: Vec<u8> = connection.get(&wanted).await.expect("an answer");
                        assert!(bytes.len() > 1000);
                    }
                })
                .await,
            );
        }
        let loading = storage.clone();
        add(
            "load",
            rate(move || {
                let storage = loading.clone();
                async move {
                    let record = storage.load(&key).await.expect("an answer");
                    assert!(record.expect("the session").size() > 1000);
                }
            })
            .await,
        );
        let getting = storage.clone();
        add(
            "get",
            rate(move || {
                let storage = getting.clone();
                async move {
                    let data = storage.get(ID, None).await.expect("an answer");
                    assert!(data.expect("the session").contains("name"));
                }
            })
            .await,
        );
        let (checked_out, wanted) = (pool.clone(), name.clone());
        add(
            "deadpool GET",
            rate(move || {
                let (pool, wanted) = (checked_out.clone(), wanted.clone());
                async move {
                    let mut connection = pool.get().await.expect("a connection");
                    let bytes: Vec<u8> = connection.get(&wanted).await.expect("an answer");
                    assert!(bytes.len() > 1000);
                }
            })
            .await,
        );
        let (connection, copy) = (bare.clone(), Arc::new(bytes.clone()));
        let next = Arc::new(AtomicU64::new(0));
        add(
            "bare SET",
            rate(move || {
                let (mut connection, copy) = (connection.clone(), copy.clone());
                let id = next.fetch_add(1, Ordering::Relaxed);
                async move {
                    let name = format!("copy:{round}:{id}");
                    let _: () = connection.set(name, copy.as_slice()).await.expect("an answer");
                }
            })
            .await,
        );
        let committing = storage.clone();
        let chains: Vec<_> = (0..IN_FLIGHT).map(|id| Chain::new(round, id)).collect();
        let chains = Arc::new(Mutex::new(chains));
        add(
            "commit",
            rate(move || {
                let (storage, chains) = (committing.clone(), chains.clone());
                async move {
                    let chain = chains.lock().expect("nobody panics").pop();
                    let next = chain.expect("one for each caller").commit(&storage).await;
                    chains.lock().expect("nobody panics").push(next);
                }
            })
            .await,
        );
        let (setting, data) = (storage.clone(), Arc::new(session()));
        let next = Arc::new(AtomicU64::new(0));
        add(
            "set",
            rate(move || {
                let (storage, data) = (setting.clone(), data.clone());
                let id = next.fetch_add(1, Ordering::Relaxed);
                async move {
                    let id = format!("visitor:{round}:{id}");
                    storage.set(&id, &data, None).await.expect("an answer");
                }
            })
            .await,
        );
        server.command(&[b"FLUSHALL"]).await.expect("an answer");
        storage.set(ID, &session(), None).await.expect("the session is stored");
    }
    contest
}

/// One session that is committed again and again, each time on what the commit before has made, as the
/// engine does.
struct Chain {
    key: SessionKey,
    seen: Option<Record>,
}

impl Chain {
    fn new(round: usize, id: usize) -> Self {
        Self { key: SessionKey::from_name(&format!("chain:{round}:{id}")), seen: None }
    }

    async fn commit(self, storage: &RedisSessionStorage) -> Self {
        let mut builder = match &self.seen {
            Some(seen) => CommitBuilder::new(Expect::Exactly(seen.version())).seen(seen),
            None => CommitBuilder::new(Expect::Absent)
                .absolute(Absolute::Start(Duration::from_secs(3600))),
        };
        builder = builder.field("content", CONTENT);
        let commit = builder.build().expect("a sound commit");
        match storage.commit(&self.key, &commit).await.expect("an answer") {
            Committed::Applied { stamp, as_of } => {
                let written = commit.stamped(&self.key, &stamp);
                let written = Record::decode(&self.key, written, as_of).expect("a sound record");
                Self { key: self.key, seen: Some(written) }
            }
            refused => panic!("nobody else writes it: {refused:?}"),
        }
    }
}

/// One multiplexed connection: bare without a deadline, or with the one that redis-rs has by default.
async fn connection(server: &RedisServer, deadline: Option<Duration>) -> MultiplexedConnection {
    let client = redis::Client::open(server.url()).expect("a URL");
    let config = redis::AsyncConnectionConfig::new().set_response_timeout(deadline);
    let connection = client.get_multiplexed_async_connection_with_config(&config).await;
    connection.expect("the server was just started")
}

/// How many times per second `ask` is answered when that many callers ask again and again.
async fn rate<F: Future<Output = ()> + Send>(ask: impl Fn() -> F + Clone + Send + 'static) -> f64 {
    let over = Arc::new(AtomicBool::new(false));
    let start = Instant::now();
    let callers: Vec<_> = (0..IN_FLIGHT)
        .map(|_| {
            let (ask, over) = (ask.clone(), over.clone());
            tokio::spawn(async move {
                let mut answers = 0u64;
                while !over.load(Ordering::Relaxed) {
                    ask().await;
                    answers += 1;
                }
                answers
            })
        })
        .collect();
    tokio::time::sleep(ROUND).await;
    over.store(true, Ordering::Relaxed);
    let mut answers = 0;
    for caller in callers {
        answers += caller.await.expect("no caller fails");
    }
    answers as f64 / start.elapsed().as_secs_f64()
}

/// A session whose record takes about 1 KiB.
fn session() -> SessionData {
    let mut data = SessionData::new();
    let fields = [("name", "Zoë Müller".to_owned()), ("locale", "de-DE".to_owned())];
    for (name, value) in fields {
        data.insert(name, value).expect("text is JSON");
    }
    let cart: Vec<_> = (0..34).map(|number| format!("article-{number}-in-the-cart")).collect();
    data.insert("cart", cart).expect("a list is JSON");
    data
}
