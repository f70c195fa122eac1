//! [`compare_sizes`]: what sessions of different sizes take, from which a formula can be made.

use cloakroom::SessionStorage;
use cloakroom_testkit::RedisServer;

use super::contents::Contents;
use super::gauge::Gauge;
use super::seeding::seed;
use super::{Fleet, Topology};
use crate::group;

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
        "| bytes of text | record, bytes | its value in Redis | memory per session | beside the record |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: |");
    for contents in SIZES {
        let fleet = Fleet::start(Topology::Standalone).await;
        let engine = fleet.patient_engine().await;
        seed(&engine, contents, 0..1).await;
        let value = value_bytes(&fleet.servers()[0]).await;
        let base = Gauge::read(&fleet).await;
        seed(&engine, contents, 1..sessions).await;
        let all = Gauge::read(&fleet).await.memory - base.memory;
        let each = all / (sessions - 1) as f64;
        let stats = engine.storage().stats().await.expect("the server answers");
        let record = stats.total_bytes as f64 / sessions as f64;
        println!(
            "| {} | {} | {} | {} | {} |",
            group(contents.bytes() as f64),
            group(record),
            group(value),
            group(each),
            group(each - record)
        );
    }
}

/// What Redis says that the only key takes, without its place in the table of deadlines.
async fn value_bytes(server: &RedisServer) -> f64 {
    let key = server.ask(["RANDOMKEY"]).await.expect("the server answers").text();
    let bytes = server.ask(["MEMORY", "USAGE", &key]).await.expect("the server answers");
    bytes.number() as f64
}
