//! [`compare_sizes`]: what sessions of different sizes take, from which a formula can be made.

use cloakroom::SessionStorage;
use cloakroom_testkit::RedisServer;

use super::contents::Contents;
use super::gauge::Gauge;
use super::seeding::seed;
use super::{Fleet, Topology};
use crate::group;

/// What Redis keeps of a string beside its bytes.
const STRING_HEAD: u64 = 6;

const SIZES: [Contents; 5] = [
    Contents::of(0, 0),
    Contents::of(1, 200),
    Contents::of(4, 200),
    Contents::of(4, 400),
    Contents::of(4, 1_000),
];

/// Fills one server after another with so many sessions of one size each, and prints what they take.
pub async fn compare_sizes(sessions: usize) {
    println!("\n### Memory by size: {} sessions of each, one server\n", group(sessions as f64));
    println!(
        "| bytes of text | record, bytes | its block, bytes | memory per session | beside the block | `MEMORY USAGE` |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: | ---: |");
    for contents in SIZES {
        let fleet = Fleet::start(Topology::Standalone).await;
        let base = fleet.warmed_up().await;
        let engine = fleet.patient_engine().await;
        seed(&engine, contents, 0..sessions).await;
        let stats = engine.storage().stats().await.expect("the server answers");
        drop(engine);
        let usage = usage(&fleet.servers()[0]).await;
        let each = (Gauge::at_rest(&fleet).await.memory - base.memory) / sessions as f64;
        let record = stats.total_bytes as f64 / sessions as f64;
        let block = block(record as u64 + STRING_HEAD) as f64;
        println!(
            "| {} | {} | {} | {} | {} | {} |",
            group(contents.bytes() as f64),
            group(record),
            group(block),
            group(each),
            group(each - block),
            group(usage)
        );
    }
}

/// What Redis says that one of the keys takes, without its place in the table of deadlines.
async fn usage(server: &RedisServer) -> f64 {
    let key = server.ask(["RANDOMKEY"]).await.expect("the server answers").text();
    let bytes = server.ask(["MEMORY", "USAGE", &key]).await.expect("the server answers");
    bytes.number() as f64
}

/// The block that jemalloc gives for so many bytes: above 128 there are four sizes from each power of
/// two to the next.
fn block(bytes: u64) -> u64 {
    let step = bytes.max(2).next_power_of_two() / 8;
    bytes.next_multiple_of(step.max(16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_those_that_jemalloc_documents() {
        let bytes = [1, 129, 228, 443, 1_024, 1_025, 1_082, 1_882, 4_282];
        let blocks = [16, 160, 256, 448, 1_024, 1_280, 1_280, 2_048, 5_120];
        assert_eq!(bytes.map(block), blocks);
    }
}
