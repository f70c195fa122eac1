//! [`verify`]: is every acknowledged write there, and counted once?

use std::collections::HashMap;

use cloakroom::Engine;

use super::Scene;
use super::application::Writes;
use super::contents::COUNT;
use super::tickets::Tickets;
use crate::{Visitor, group};

/// Compares the sessions with what the processes were told. Answers in how many of them the count
/// is not that of the writes.
pub async fn verify(scene: &mut Scene<'_>, tickets: &Tickets) -> usize {
    let mut written: HashMap<usize, Writes> = HashMap::new();
    for worker in &mut scene.workers {
        worker.tell("written");
        for visitor in worker.hear().split_whitespace() {
            let numbers: Vec<_> =
                visitor.split(':').map(|word| word.parse::<u64>().expect("a number")).collect();
            let [visitor, acknowledged, unknown] = numbers[..] else { panic!("three numbers") };
            let all = written.entry(visitor as usize).or_default();
            all.acknowledged += acknowledged;
            all.unknown += unknown;
        }
    }
    let engine = scene.fleet.patient_engine().await;
    let mut wrong = 0;
    for (visitor, writes) in &written {
        let possible = writes.acknowledged..=writes.acknowledged + writes.unknown;
        wrong += usize::from(!possible.contains(&count(&engine, tickets.cookie(*visitor)).await));
    }
    let sum = |of: fn(&Writes) -> u64| group(written.values().map(of).sum::<u64>() as f64);
    println!(
        "\n{} acknowledged writes to {} sessions, and {} of unknown outcome; in {wrong} sessions the \
         count is another one.",
        sum(|writes| writes.acknowledged),
        group(written.len() as f64),
        sum(|writes| writes.unknown)
    );
    wrong
}

async fn count(engine: &Engine, cookie: &str) -> u64 {
    let scope = engine.begin(&Visitor::with_cookie(cookie));
    let session = scope.handle().load().await.expect("the servers answer");
    session.get(COUNT).expect("a number").unwrap_or(0)
}
