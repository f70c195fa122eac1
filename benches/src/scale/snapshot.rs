//! [`save_under_load`]: what requests feel while each server writes a snapshot of its data (BGSAVE;
//! the rewriting of an append-only file and the first copy for a replica begin in the same way).

use std::time::Duration;

use super::Scene;
use super::gauge::Gauge;
use crate::{group, percentile};

const ROUND: Duration = Duration::from_secs(1);
/// Longer than a disk takes for the data of this machine's memory.
const MOST_ROUNDS: usize = 120;

/// Runs all processes until the snapshots are done. Answers how many requests went wrong.
pub async fn save_under_load(scene: &mut Scene<'_>) -> u64 {
    let all = scene.workers.len();
    let calm = scene.round(all, ROUND).await;
    scene.fleet.order(&["BGSAVE"]).await;
    let (mut tally, mut rates) = (calm.tally.clone(), Vec::new());
    tally.reads.clear();
    tally.writes.clear();
    for _ in 0..MOST_ROUNDS {
        let round = scene.round(all, ROUND).await;
        rates.push(round.rate());
        tally.add(round.tally);
        if Gauge::read(scene.fleet).await.saving == 0.0 {
            break;
        }
    }
    let (gauge, millis) = (Gauge::read(scene.fleet).await, tally.millis());
    let servers = scene.fleet.servers().len() as f64;
    let fork = gauge.fork.as_secs_f64() * 1e3;
    println!("\n### Snapshot under load: {all} processes, {}\n", scene.fleet.topology().name());
    println!("| | |\n| --- | ---: |");
    println!("| snapshots done after | {} s |", rates.len());
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
    println!("| requests that failed | {} |", tally.failed + tally.foreign);
    tally.failed + tally.foreign
}
