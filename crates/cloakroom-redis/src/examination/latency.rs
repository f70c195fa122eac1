//! How long an answer takes: `PING`, which is the network, and `GET`, which is what a request waits
//! for.

use std::time::{Duration, Instant};

use redis::Cmd;

use super::facts::time;
use super::finding::{Finding, Topic};
use super::line::{Line, Silence};
use super::visit::Visit;

/// A median above this is felt in every page.
const SLOW: Duration = Duration::from_millis(5);

/// Half of what a load may take: not much more, and visitors get an error.
const RISKY: Duration = Duration::from_millis(125);

/// How long each is measured at most.
const LIMIT: Duration = Duration::from_secs(1);

pub(super) async fn find(visit: &mut Visit<'_>) -> Vec<Finding> {
    let Some(trial) = &visit.trial else { return Vec::new() };
    let mut get = redis::cmd("GET");
    get.arg(&trial.name);
    let rounds = visit.task.rounds;
    let (ping, get) = (
        measure(&mut visit.line, &redis::cmd("PING"), rounds).await,
        measure(&mut visit.line, &get, rounds).await,
    );
    let (Some(ping), Some(get)) = (ping, get) else { return Vec::new() };
    let text = format!(
        "PING {} in the median and {} at the 99th percentile, GET {} and {}",
        time(ping.median),
        time(ping.p99),
        time(get.median),
        time(get.p99)
    );
    let finding = if get.median > SLOW || ping.median > SLOW {
        Finding::warning(Topic::Latency, text).remedy(
            "bring application and server nearer to each other, or let a near-cache answer reads",
        )
    } else if get.p99 > RISKY {
        Finding::warning(Topic::Latency, text)
            .because("a load is given up after 250 ms, and the visitor gets an error")
            .remedy("look for slow commands (SLOWLOG), forks, swapping, and a full network")
    } else {
        Finding::ok(Topic::Latency, text)
    };
    vec![finding]
}

/// What was measured.
struct Measured {
    median: Duration,
    p99: Duration,
}

/// Asks the same again and again. `None` where the server did not answer.
async fn measure(line: &mut Line, question: &Cmd, rounds: u32) -> Option<Measured> {
    let (mut took, begin) = (Vec::new(), Instant::now());
    while took.len() < rounds.max(1) as usize && (took.is_empty() || begin.elapsed() < LIMIT) {
        let start = Instant::now();
        match line.ask(question).await {
            // A refusal has travelled as far.
            Ok(_) | Err(Silence::Refused(_)) => took.push(start.elapsed()),
            Err(_) => return None,
        }
    }
    took.sort_unstable();
    let rank = |share: usize| took.get((took.len() * share).div_ceil(100).max(1) - 1).copied();
    Some(Measured { median: rank(50)?, p99: rank(99)? })
}
