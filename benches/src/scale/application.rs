//! [`Application`]: one application process. It reads the visitors' tickets from a file, and does
//! what its parent orders, on a storage with nothing but defaults.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cloakroom::Engine;
use cloakroom_redis::RedisSessionStorage;
use tokio::time::sleep;

use super::chance::Chance;
use super::contents::{COUNT, VISITOR};
use super::popularity::Popularity;
use super::tally::Tally;
use super::tickets::Tickets;
use crate::{Parent, Visitor};

/// The share of requests that change their session.
pub const WRITES: f64 = 0.02;
/// How long a visitor waits after an error, which is far less than the second that is asked for.
const PATIENCE: Duration = Duration::from_millis(100);
/// What the operating system counts processor time in; Linux has always had this.
const TICKS_PER_SECOND: f64 = 100.0;

/// What one process has written to one session.
#[derive(Clone, Copy, Debug, Default)]
pub struct Writes {
    /// Writes that were acknowledged.
    pub acknowledged: u64,
    /// Writes that ended with an error, so that nobody knows what became of them.
    pub unknown: u64,
}

/// A process that handles requests, in the eyes of its own callers.
pub struct Application {
    engine: Engine,
    tickets: Tickets,
    popularity: Popularity,
    written: Mutex<HashMap<usize, Writes>>,
}

impl Application {
    /// Obeys until the parent is gone. The arguments are the servers' URL, the file of the tickets,
    /// and a number that no other process has.
    pub async fn work(url: &str, tickets: &str, number: u64) {
        let tickets = Tickets::read(Path::new(tickets)).expect("the file is there");
        let application = Arc::new(Self {
            engine: engine(url).await,
            popularity: Popularity::of(tickets.count()),
            tickets,
            written: Mutex::default(),
        });
        let parent = Parent;
        parent.tell("ready");
        let mut chance = Chance::new(number);
        while let Some(order) = parent.hear() {
            match order.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["run", millis, callers] => {
                    let length = Duration::from_millis(millis.parse().expect("a time"));
                    let callers = callers.parse().expect("a number");
                    application.run(&mut chance, length, callers).await.tell(&parent);
                }
                _ => parent.tell(&application.written()),
            }
        }
    }

    async fn run(self: &Arc<Self>, chance: &mut Chance, length: Duration, callers: usize) -> Tally {
        let (cpu, end) = (cpu(), Instant::now() + length);
        let callers: Vec<_> =
            (0..callers).map(|_| tokio::spawn(self.clone().call(chance.another(), end))).collect();
        let mut tally = Tally::default();
        for caller in callers {
            tally.add(caller.await.expect("no caller panics"));
        }
        tally.cpu = self::cpu().saturating_sub(cpu);
        tally
    }

    /// Sends one request after another until the end has come.
    async fn call(self: Arc<Self>, mut chance: Chance, end: Instant) -> Tally {
        let mut tally = Tally::default();
        while Instant::now() < end {
            let number = self.popularity.visitor(chance.share());
            let visitor = Visitor::with_cookie(self.tickets.cookie(number));
            let writes = chance.share() < WRITES;
            let (start, mut owner) = (Instant::now(), None);
            let outcome = visitor.request(&self.engine, |session| {
                owner = session.get(VISITOR).ok().flatten();
                if !writes {
                    let _ = session.get(COUNT);
                } else if owner.is_some() {
                    let _ = session.update(COUNT, |count| count.unwrap_or(0) + 1);
                }
            });
            let outcome = outcome.await;
            let micros = start.elapsed().as_micros() as u32;
            match outcome {
                Err(error) => {
                    if tally.failed == 0 {
                        eprintln!("{error}");
                    }
                    tally.failed += 1;
                    self.writes(number, |all| all.unknown += u64::from(writes));
                    sleep(PATIENCE).await;
                }
                Ok(_) if owner != Some(number) => tally.foreign += 1,
                Ok(_) if !writes => tally.reads.push(micros),
                Ok(_) => {
                    tally.writes.push(micros);
                    self.writes(number, |all| all.acknowledged += 1);
                }
            }
        }
        tally
    }

    fn writes(&self, visitor: usize, count: impl FnOnce(&mut Writes)) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        count(written.entry(visitor).or_default());
    }

    /// `VISITOR:ACKNOWLEDGED:UNKNOWN` of each visitor whose session was written.
    fn written(&self) -> String {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let each = written.iter().map(|(visitor, Writes { acknowledged, unknown })| {
            format!("{visitor}:{acknowledged}:{unknown}")
        });
        each.collect::<Vec<_>>().join(" ")
    }
}

/// How an application connects: with the defaults, 10 connections to each server.
async fn engine(url: &str) -> Engine {
    let storage = RedisSessionStorage::builder().url(url).build().await.expect("the servers run");
    Engine::builder(storage).build().expect("the default policy is sound")
}

/// The processor time of this process: fields 14 and 15 of `/proc/self/stat`, see `proc(5)`.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("this is Linux");
    // The second field is the program's name in brackets, and may hold anything.
    let (_, fields) = stat.rsplit_once(')').expect("a name in brackets");
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: f64 = ticks.map(|ticks| ticks.parse::<f64>().expect("a number")).sum();
    Duration::from_secs_f64(ticks / TICKS_PER_SECOND)
}
