//! Failovers by SIGKILL under load: Sentinels replace a primary, a Cluster replaces each of its
//! primaries in turn, and slots with all keys move from node to node. The load is recorded, and the
//! testkit's checker finds wrong reads, lost changes and sign-outs that were undone.
//!
//! `failover ROUNDS [sentinel|cluster|reshard]`

use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use cloakroom::Engine;
use cloakroom_benches::{Bars, EventLog, group, rounds};
use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::history::{Action, Bounds, History, Invariant, Mark, Moment, Outcome};
use cloakroom_testkit::workload::Workload;
use cloakroom_testkit::{ClusterSet, RedisServer, SentinelSet};
use tokio::time::sleep;

const BAR: Duration = Duration::from_secs(8);
const FOREVER: Duration = Duration::from_secs(3600);
const DEFAULT_PREFIX: &str = "cloakroom:session:";

#[tokio::main]
async fn main() -> ExitCode {
    let rounds = rounds(20);
    let only = std::env::args().nth(2);
    let is_asked = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let mut bars = Bars::new(&format!("Failovers by SIGKILL under load, {rounds} rounds"));
    if is_asked("sentinel") {
        sentinel(rounds, &mut bars).await;
    }
    if is_asked("cluster") {
        cluster(rounds, &mut bars).await;
    }
    if is_asked("reshard") {
        reshard(rounds, &mut bars).await;
    }
    bars.end()
}

async fn sentinel(rounds: usize, bars: &mut Bars) {
    let set = SentinelSet::start().await.expect("redis-server is installed");
    let load = Load::begin(&set.url(), DEFAULT_PREFIX).await;
    for _ in 0..rounds {
        let old = set.primary().await.expect("there is a primary");
        load.kill(old);
        set.primary_after(old).await.expect("another one takes over");
        load.promoted();
        sleep(Duration::from_secs(3)).await;
        old.restart().await.expect("it starts again");
        set.settled().await.expect("the old primary follows the new one");
        load.history.mark(Mark::FaultEnded);
        sleep(Duration::from_secs(1)).await;
    }
    load.end("Sentinel", bars).await;
}

async fn cluster(rounds: usize, bars: &mut Bars) {
    let cluster = ClusterSet::start().await.expect("redis-server is installed");
    let load = Load::begin(&cluster.url(), DEFAULT_PREFIX).await;
    let mut replies = Replies::default();
    for round in 0..rounds {
        let slot = [100, 8_000, 16_000][round % 3];
        let old = cluster.owner(slot).await.expect("every slot has an owner");
        replies.add(old).await;
        load.kill(old);
        cluster.owner_after(slot, old).await.expect("another one takes over");
        load.promoted();
        sleep(Duration::from_secs(3)).await;
        old.restart().await.expect("it starts again");
        cluster.settled().await.expect("the old primary follows the new one");
        load.history.mark(Mark::FaultEnded);
        sleep(Duration::from_secs(1)).await;
    }
    for node in cluster.nodes() {
        replies.add(node).await;
    }
    replies.judge("Cluster", bars);
    load.end("Cluster", bars).await;
}

/// All keys lie in one slot, which moves from primary to primary.
async fn reshard(rounds: usize, bars: &mut Bars) {
    const PREFIX: &str = "{shop}:session:";
    let cluster = ClusterSet::start().await.expect("redis-server is installed");
    let load = Load::begin(&cluster.url(), PREFIX).await;
    let slot = cluster.slot(PREFIX).await.expect("an answer");
    sleep(Duration::from_secs(1)).await;
    for _ in 0..rounds {
        let from = cluster.owner(slot).await.expect("every slot has an owner");
        let primaries = cluster.primaries().await;
        let to = primaries.iter().find(|node| node.port() != from.port()).expect("there are three");
        cluster.begin_moving(slot, from, to).await.expect("the slot is opened");
        sleep(Duration::from_millis(300)).await;
        cluster.finish_moving(slot, from, to).await.expect("the keys are moved");
        sleep(Duration::from_millis(300)).await;
    }
    let mut replies = Replies::default();
    for node in cluster.nodes() {
        replies.add(node).await;
    }
    let refused = load.count(Outcome::Unavailable);
    replies.judge("Resharding", bars);
    let operations = load.history.len() as usize;
    bars.none("Resharding: requests that were refused", refused, operations);
    load.end("Resharding", bars).await;
}

/// One failover.
#[derive(Clone, Copy)]
struct Kill {
    /// Just before the server was killed.
    begin: Moment,
    /// The process was gone.
    gone: Moment,
    /// Another server had taken over.
    promoted: Option<Moment>,
}

/// Visitors on two nodes, and what they see.
struct Load {
    history: History,
    kills: Mutex<Vec<Kill>>,
    work: tokio::task::JoinHandle<()>,
}

impl Load {
    async fn begin(url: &str, prefix: &str) -> Self {
        let mut nodes = Vec::new();
        for _ in 0..2 {
            let storage = RedisSessionStorage::builder().url(url).prefix(prefix).build().await;
            let engine = Engine::builder(storage.expect("the servers were just started"));
            let engine = engine.observer(EventLog::start().observer()).build();
            nodes.push(engine.expect("the default policy is sound"));
        }
        let history = History::new();
        let load = Workload::new().visitors(200).clients(16).per_second(1000).duration(FOREVER);
        let recorder = history.clone();
        let work = tokio::spawn(async move {
            load.run(&nodes, &recorder).await;
        });
        sleep(Duration::from_millis(500)).await;
        Self { history, kills: Mutex::default(), work }
    }

    fn kill(&self, server: &RedisServer) {
        let begin = self.history.mark(Mark::FaultBegan);
        server.kill_now();
        let kill = Kill { begin, gone: self.history.now(), promoted: None };
        self.kills.lock().expect("nobody panics").push(kill);
    }

    fn promoted(&self) {
        let now = self.history.mark(Mark::FailedOver);
        let mut kills = self.kills.lock().expect("nobody panics");
        kills.last_mut().expect("there was a kill").promoted = Some(now);
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.history.read(|all| all.iter().filter(|entry| entry.outcome() == outcome).count())
    }

    async fn end(self, name: &str, bars: &mut Bars) {
        self.work.abort();
        let _ = self.work.await;
        let kills = self.kills.into_inner().expect("nobody panics");
        let (mut first, mut all, mut promoted) = (Vec::new(), Vec::new(), Vec::new());
        self.history.read(|entries| {
            for (at, kill) in kills.iter().enumerate() {
                let next = kills.get(at + 1).map(|next| next.begin);
                let met = |outcome: Outcome| {
                    let writes = entries.iter().filter(move |entry| {
                        [Action::Write, Action::SignIn].contains(&entry.action())
                            && entry.outcome() == outcome
                            && entry.invoked() > kill.gone
                            && next.is_none_or(|next| entry.returned() < next)
                    });
                    writes.map(|entry| entry.returned().since(kill.gone))
                };
                first.push(met(Outcome::Ok).min().unwrap_or(Duration::MAX));
                all.push(met(Outcome::Unavailable).max().unwrap_or_default());
                promoted.extend(kill.promoted.map(|moment| moment.since(kill.gone)));
            }
        });
        let title = |text: &str| format!("{name}: {text}");
        if !kills.is_empty() {
            bars.tell(&title("kill to the promotion"), &promoted);
            if name == "Sentinel" {
                bars.at_most(&title("kill to the first write"), &first, BAR);
            }
            bars.at_most(&title("kill to the last write refused"), &all, BAR);
        }
        let verdict = self.history.check(&Bounds::default());
        for (invariant, text) in [
            (Invariant::OwnData, "reads of somebody else's data"),
            (Invariant::FinalEnd, "sign-outs undone"),
            (Invariant::NoStepBack, "reads that went back"),
            (Invariant::NothingLost, "reads that miss what must be there"),
            (Invariant::NoFalseSignOut, "cookies taken away, visitors forgotten"),
        ] {
            let found = verdict.of(invariant);
            bars.none(&title(text), found.violated() as usize, found.checked() as usize);
            for violation in found.violations().iter().take(2) {
                println!("    {violation}");
            }
        }
        let late = verdict.of(Invariant::InTime);
        println!(
            "  {:<52}{:>12}{:>12}",
            title("later than the deadline and 50 ms"),
            group(late.violated() as f64),
            format!("of {}", group(late.checked() as f64))
        );
    }
}

/// What the servers have refused, by their own count.
#[derive(Default)]
struct Replies {
    crossslot: usize,
    redirected: usize,
}

impl Replies {
    /// Adds a server's count, which begins anew when the server does.
    async fn add(&mut self, server: &RedisServer) {
        self.crossslot += errors(server, "CROSSSLOT").await;
        for code in ["MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN"] {
            self.redirected += errors(server, code).await;
        }
    }

    fn judge(&self, name: &str, bars: &mut Bars) {
        bars.count(&format!("{name}: commands sent elsewhere by a server"), self.redirected);
        bars.none(&format!("{name}: CROSSSLOT"), self.crossslot, self.redirected.max(1));
    }
}

async fn errors(server: &RedisServer, code: &str) -> usize {
    let told = server.info("errorstats", &format!("errorstat_{code}")).await;
    let told = told.expect("an answer");
    told.strip_prefix("count=").and_then(|count| count.parse().ok()).unwrap_or(0)
}
