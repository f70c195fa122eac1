//! [`verify`]: is every acknowledged write there, and counted once?

use std::collections::HashMap;

use cloakroom::Engine;

use super::Scene;
use super::contents::COUNT;
use super::tickets::Tickets;
use crate::{Visitor, group};

/// Compares the sessions with what the processes were told. Answers in how many of them the count
/// is another one.
pub async fn verify(scene: &mut Scene<'_>, tickets: &Tickets) -> usize {
    let mut written: HashMap<usize, u64> = HashMap::new();
    for worker in &mut scene.workers {
        worker.tell("written");
        for pair in worker.hear().split_whitespace() {
            let (visitor, count) = pair.split_once(':').expect("a pair");
            let visitor = visitor.parse().expect("a number");
            *written.entry(visitor).or_default() += count.parse::<u64>().expect("a number");
        }
    }
    let engine = scene.fleet.patient_engine().await;
    let mut wrong = 0;
    for (visitor, acknowledged) in &written {
        wrong += usize::from(count(&engine, tickets.cookie(*visitor)).await != *acknowledged);
    }
    let acknowledged: u64 = written.values().sum();
    println!(
        "\n{} acknowledged writes to {} sessions; in {wrong} of these the count is not theirs.",
        group(acknowledged as f64),
        group(written.len() as f64)
    );
    wrong
}

async fn count(engine: &Engine, cookie: &str) -> u64 {
    let scope = engine.begin(&Visitor::with_cookie(cookie));
    let session = scope.handle().load().await.expect("the servers answer");
    session.get(COUNT).expect("a number").unwrap_or(0)
}
