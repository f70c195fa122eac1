//! [`save_under_load`]: what requests feel while each server writes a snapshot of its data (BGSAVE;
//! the rewriting of an append-only file and the first copy for a replica begin in the same way).

use std::time::Duration;

use tokio::time::sleep;

use super::gauge::Gauge;
use super::{Crowd, Scene};
use crate::{group, percentile};

const ROUND: Duration = Duration::from_secs(1);
/// Longer than a disk takes for the data of this machine's memory.
const MOST_ROUNDS: usize = 120;

/// Runs all processes until the snapshots are done. Answers how many requests met another session.
/// Some may fail where a server stands still for longer than a load may take.
pub async fn save_under_load(scene: &mut Scene<'_>) -> u64 {
    let calm = scene.round(Crowd::EVERYBODY, ROUND).await;
    let fleet = scene.fleet;
    let begin = async {
        sleep(ROUND / 4).await;
        fleet.order(&["BGSAVE"]).await;
    };
    let first = scene.round_with(Crowd::EVERYBODY, ROUND, begin).await;
    let (mut rates, mut tally) = (vec![first.rate()], first.tally);
    while Gauge::read(fleet).await.saving > 0.0 && rates.len() < MOST_ROUNDS {
        let round = scene.round(Crowd::EVERYBODY, ROUND).await;
        rates.push(round.rate());
        tally.add(round.tally);
    }
    let (gauge, millis) = (Gauge::read(fleet).await, tally.millis());
    let servers = fleet.servers().len() as f64;
    let fork = gauge.fork.as_secs_f64() * 1e3;
    println!(
        "\n### Snapshot under load: {} processes, {}\n",
        scene.workers.len(),
        fleet.topology().name()
    );
    println!("| | |\n| --- | ---: |");
    println!("| snapshots done after, s | {} |", rates.len());
    println!("| the server stands still to fork, ms | {fork:.1} |");
    println!(
        "| the same per GB of its resident memory | {:.1} |",
        fork / (gauge.resident / servers / 1e9)
    );
    println!("| copied because it was written meanwhile, MB | {} |", group(gauge.copied / 1e6));
    println!(
        "| requests per second, before and meanwhile | {}, {} |",
        group(calm.rate()),
        group(rates.iter().sum::<f64>() / rates.len() as f64)
    );
    println!("| p99 before, ms | {:.2} |", percentile(&calm.tally.millis(), 0.99));
    println!("| p99 meanwhile, ms | {:.2} |", percentile(&millis, 0.99));
    println!("| longest request, ms | {:.1} |", percentile(&millis, 1.0));
    println!("| requests that failed | {} |", tally.failed);
    println!("| answers of another session, or none | {} |", tally.foreign);
    tally.foreign
}
