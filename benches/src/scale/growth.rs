//! [`grow`]: fills the servers, and looks at their memory on the way. It must grow in proportion to
//! the sessions.

use std::time::Instant;

use super::Fleet;
use super::contents::Contents;
use super::gauge::Gauge;
use super::seeding::seed;
use super::tickets::Tickets;
use crate::group;

/// Servers full of sessions.
pub struct Growth {
    /// The visitors' cookies.
    pub tickets: Tickets,
    /// What a session takes of the servers' memory, in bytes.
    pub bytes_each: f64,
}

/// Makes so many sessions, in steps, and prints what each step takes.
pub async fn grow(fleet: &Fleet, sessions: usize) -> Growth {
    println!("\n### Memory: {} sessions on {}\n", group(sessions as f64), fleet.topology().name());
    println!(
        "| sessions | memory, MB | bytes per session | resident, MB | resident / memory | made per second |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: | ---: |");
    let base = fleet.warmed_up().await;
    let (mut arrived, mut bytes_each) = (Vec::new(), 0.0);
    for step in [sessions / 100, sessions / 10, sessions] {
        let engine = fleet.patient_engine().await;
        let start = Instant::now();
        let made = seed(&engine, Contents::TYPICAL, arrived.len()..step).await;
        let rate = made.len() as f64 / start.elapsed().as_secs_f64();
        arrived.extend(made);
        drop(engine);
        let now = Gauge::at_rest(fleet).await;
        bytes_each = (now.memory - base.memory) / step as f64;
        println!(
            "| {} | {} | {} | {} | {:.2} | {} |",
            group(step as f64),
            group(now.memory / 1e6),
            group(bytes_each),
            group(now.resident / 1e6),
            now.resident / now.memory,
            group(rate)
        );
    }
    println!(
        "\nBytes per session are without the {:.1} MB of the empty servers.",
        base.memory / 1e6
    );
    Growth { tickets: Tickets::of(arrived), bytes_each }
}
