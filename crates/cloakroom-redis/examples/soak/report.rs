//! What is printed: the head of a run, and the figures and the verdict of each round.

use std::io;

use cloakroom_testkit::RedisServer;
use cloakroom_testkit::history::{Action, Outcome};

use crate::arguments::Arguments;
use crate::events::Events;
use crate::nodes::NODES;
use crate::round::Round;
use crate::run::Holds;
use crate::topology::Topology;

/// What ran, with which seed.
pub(crate) async fn head<T: Topology>(servers: &T, arguments: &Arguments) -> io::Result<()> {
    println!(
        "soak {}: {:?}, seed {}, {NODES} application nodes, cloakroom-redis {}, {}",
        T::NAME,
        arguments.length,
        arguments.seed,
        env!("CARGO_PKG_VERSION"),
        version(servers.server()).await?
    );
    Ok(())
}

async fn version(server: &RedisServer) -> io::Result<String> {
    let valkey = server.info("server", "valkey_version").await?;
    let redis = server.info("server", "redis_version").await?;
    Ok(if valkey.is_empty() { format!("Redis {redis}") } else { format!("Valkey {valkey}") })
}

/// The figures of a round and its verdict.
pub(crate) fn round(round: &Round, events: &Events) {
    let summary = &round.summary;
    println!("{} operations", summary.operations());
    for action in Action::ALL {
        let Some(latency) = summary.latency(action) else { continue };
        print!("{:>9}:", action.name());
        for outcome in Outcome::ALL {
            match summary.count_of(action, outcome) {
                0 => {}
                count => print!(" {count} {},", outcome.name()),
            }
        }
        let pause = summary.longest_pause(action).unwrap_or_default();
        println!(" {latency}, longest pause {pause:.2?}");
    }
    for (name, effect) in &round.effects {
        println!("{name}: {effect}");
    }
    println!("events so far: {events}");
    println!("this machine woke sleepers up to {:.1?} late", round.lateness);
    print!("{}", round.verdict);
    for line in round.overdue.iter().chain(&round.unlisted).chain(&round.stories) {
        println!("{line}");
    }
}

/// The last line of a run.
pub(crate) fn end<T: Topology>(operations: u64, holds: Holds) {
    let verdict = match holds {
        Holds::Yes => "every invariant holds",
        Holds::No => "BROKEN, see above",
    };
    println!("soak {}: {operations} operations, {verdict}\n", T::NAME);
}
