//! [`append_under_load`]: what requests feel while each server begins an append-only file: it forks,
//! and a copy of it writes all data to the disk, as with a snapshot or the first copy for a replica.
//! And what they feel afterwards, while every write is appended (`appendfsync everysec`).

use std::time::Duration;

use tokio::time::sleep;

use super::gauge::Gauge;
use super::tally::Tally;
use super::{Crowd, Scene};
use crate::{group, percentile};

const ROUND: Duration = Duration::from_secs(1);
/// Rounds before the file, and with it.
const ROUNDS: usize = 3;
/// Longer than a disk takes for the data of this machine's memory.
const MOST_ROUNDS: usize = 120;

/// Some rounds that belong together.
#[derive(Default)]
struct Phase {
    tally: Tally,
    rates: Vec<f64>,
}

/// Runs all processes until the files are complete, and on for a while. Answers how many requests met
/// another session. Some may fail where a server stands still for longer than a load may take.
pub async fn append_under_load(scene: &mut Scene<'_>) -> u64 {
    let fleet = scene.fleet;
    let [mut before, mut meanwhile, mut with]: [Phase; 3] = Default::default();
    before.go_on(scene, ROUNDS, async {}).await;
    let begin = async {
        sleep(ROUND / 4).await;
        fleet.order(&["CONFIG", "SET", "appendonly", "yes"]).await;
    };
    meanwhile.go_on(scene, 1, begin).await;
    while Gauge::read(fleet).await.saving > 0.0 && meanwhile.rates.len() < MOST_ROUNDS {
        meanwhile.go_on(scene, 1, async {}).await;
    }
    let gauge = Gauge::read(fleet).await;
    with.go_on(scene, ROUNDS, async {}).await;

    let gigabytes = gauge.resident / fleet.servers().len() as f64 / 1e9;
    let fork = gauge.fork.as_secs_f64() * 1e3;
    println!(
        "\n### An append-only file under load: {} processes, {}\n",
        scene.workers.len(),
        fleet.topology().name()
    );
    println!("| | before | while it begins | with it |\n| --- | ---: | ---: | ---: |");
    let phases = [&before, &meanwhile, &with];
    let row = |name: &str, value: &dyn Fn(&Phase) -> String| {
        println!("| {name} | {} |", phases.map(value).join(" | "));
    };
    row("seconds", &|phase| phase.rates.len().to_string());
    row("requests per second", &|phase| {
        group(phase.rates.iter().sum::<f64>() / phase.rates.len() as f64)
    });
    row("p99, ms", &|phase| format!("{:.2}", percentile(&phase.tally.millis(), 0.99)));
    row("longest request, ms", &|phase| format!("{:.1}", percentile(&phase.tally.millis(), 1.0)));
    row("requests that failed", &|phase| phase.tally.failed.to_string());
    row("answers of another session, or none", &|phase| phase.tally.foreign.to_string());
    println!(
        "\nTo fork, a server stands still for {fork:.1} ms, {:.1} ms per GB of its resident memory. \
         {} MB were copied because they were written meanwhile.",
        fork / gigabytes,
        group(gauge.copied / 1e6)
    );
    phases.map(|phase| phase.tally.foreign).iter().sum()
}

impl Phase {
    /// Adds rounds, during the first of which something happens to the servers.
    async fn go_on(
        &mut self,
        scene: &mut Scene<'_>,
        rounds: usize,
        first: impl Future<Output = ()>,
    ) {
        let mut first = Some(first);
        for _ in 0..rounds {
            let meanwhile = async {
                if let Some(first) = first.take() {
                    first.await;
                }
            };
            let round = scene.round_with(Crowd::EVERYBODY, ROUND, meanwhile).await;
            self.rates.push(round.rate());
            self.tally.add(round.tally);
        }
    }
}
