//! Counting: a walk over our keys with SCAN, each round under the command timeout.

use std::collections::HashSet;

use cloakroom::{Operation, SessionKey, StorageError, StorageStats};
use redis::Value;

use crate::connection::{Pool, Question};
use crate::error::unexpected;
use crate::keys::Keys;

/// How many keys the server looks at per round.
const COUNT: usize = 1000;

/// What a record has at least: its head, see `docs/protocol.md`.
const SHORTEST_RECORD: u64 = 116;

/// The server's figures that are passed on, as `INFO memory` names them.
const MEMORY_FIGURES: [&str; 6] = [
    "used_memory",
    "used_memory_rss",
    "used_memory_peak",
    "maxmemory",
    "maxmemory_policy",
    "mem_fragmentation_ratio",
];

pub(crate) async fn stats(
    pool: &Pool,
    keys: &Keys,
    backend: &'static str,
) -> Result<StorageStats, StorageError> {
    let (sessions, bytes) = count(pool, keys).await?;
    let info = ask(pool, redis::cmd("INFO").arg("memory")).await?;
    let info: String = redis::from_redis_value(info).map_err(|_| unexpected(Operation::Stats))?;
    let stats = StorageStats::new(backend, sessions, bytes);
    let figures = info.lines().filter_map(|line| line.trim().split_once(':'));
    Ok(figures
        .filter(|(name, _)| MEMORY_FIGURES.contains(name))
        .fold(stats, |stats, (name, value)| stats.with_metric(name, value)))
}

/// How many sessions there are, and how many bytes their records take together.
async fn count(pool: &Pool, keys: &Keys) -> Result<(u64, u64), StorageError> {
    // SCAN may give a key twice.
    let mut seen: HashSet<SessionKey> = HashSet::new();
    let (mut sessions, mut bytes, mut cursor) = (0, 0, "0".to_owned());
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(&cursor).arg("MATCH").arg(keys.pattern()).arg("COUNT").arg(COUNT);
        let page = ask(pool, &scan).await?;
        let (next, names): (String, Vec<Vec<u8>>) =
            redis::from_redis_value(page).map_err(|_| unexpected(Operation::Stats))?;
        let mut lengths = redis::pipe();
        for name in names {
            if keys.parse(&name).is_some_and(|key| seen.insert(key)) {
                lengths.cmd("STRLEN").arg(name);
            }
        }
        if !lengths.is_empty() {
            let answer = pool.ask(Operation::Stats, Question::Pipeline(&lengths)).await?;
            let Value::Array(lengths) = answer else { return Err(unexpected(Operation::Stats)) };
            // What is no string answers with an error, and what is shorter is no record: others
            // have put it there.
            for length in lengths {
                if let Value::Int(length) = length
                    && let Ok(length @ SHORTEST_RECORD..) = u64::try_from(length)
                {
                    sessions += 1;
                    bytes += length;
                }
            }
        }
        if next == "0" {
            return Ok((sessions, bytes));
        }
        cursor = next;
    }
}

async fn ask(pool: &Pool, command: &redis::Cmd) -> Result<Value, StorageError> {
    pool.ask(Operation::Stats, Question::Command(command)).await
}
