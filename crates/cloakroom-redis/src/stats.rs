//! Counting: a walk over our keys with SCAN on every primary, each round under the command timeout.

use std::collections::{BTreeSet, HashSet};

use cloakroom::{
    BreakerState, ConnectionState, NearCacheHealth, Operation, SessionKey, StorageError,
    StorageErrorKind, StorageStats,
};
use redis::Value;

use crate::connection::{Question, Server, Servers};
use crate::error::unexpected;
use crate::keys::Keys;
use crate::records::command;

/// How many keys the server looks at per round.
const COUNT: usize = 1000;

/// What a record has at least: its head, see `docs/protocol.md`.
const SHORTEST_RECORD: u64 = 132;

/// The servers' figures that are passed on, as `INFO memory` names them. Those of a Cluster's
/// primaries are added up.
const AMOUNTS: [&str; 4] = ["used_memory", "used_memory_rss", "used_memory_peak", "maxmemory"];
const POLICY: &str = "maxmemory_policy";
const FRAGMENTATION: &str = "mem_fragmentation_ratio";

#[derive(Default)]
struct Count {
    /// SCAN may give a key twice, and one that moves between two nodes may be met on both.
    seen: HashSet<SessionKey>,
    sessions: u64,
    bytes: u64,
}

#[derive(Default)]
struct Memory {
    amounts: [u64; AMOUNTS.len()],
    policies: BTreeSet<String>,
    fragmentation: Vec<String>,
    /// Whether a server has kept its figures to itself: those of the others are no sum then.
    is_withheld: bool,
}

pub(crate) async fn stats(
    servers: &Servers,
    keys: &Keys,
    backend: &'static str,
) -> Result<StorageStats, StorageError> {
    let mut count = Count::default();
    for server in servers.all(Operation::Stats)? {
        count.walk(servers, &server, keys).await?;
    }
    let stats = StorageStats::new(backend, count.sessions, count.bytes);
    Ok(with_pool(Memory::read(servers).await?.put_into(stats), servers))
}

/// What the servers tell of themselves, without a count. What the user may not ask is left out.
pub(crate) async fn metrics(servers: &Servers) -> Result<StorageStats, StorageError> {
    Ok(with_pool(Memory::read(servers).await?.put_into(StorageStats::default()), servers))
}

impl Count {
    /// Counts a server's sessions and the bytes of their records.
    async fn walk(
        &mut self,
        servers: &Servers,
        server: &Server<'_>,
        keys: &Keys,
    ) -> Result<(), StorageError> {
        let mut cursor = "0".to_owned();
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(&cursor).arg("MATCH").arg(keys.pattern()).arg("COUNT").arg(COUNT);
            let page = ask(servers, server, &scan).await?;
            let (next, names): (String, Vec<Vec<u8>>) =
                redis::from_redis_value(page).map_err(|_| unexpected(Operation::Stats))?;
            let (mut lengths, mut asked) = (redis::pipe(), Vec::new());
            for name in names {
                if let Some(key) = keys.parse(&name).filter(|key| !self.seen.contains(key)) {
                    lengths.cmd("STRLEN").arg(&name);
                    asked.push((key, name));
                }
            }
            if !lengths.is_empty() {
                let deadline = servers.deadline(Operation::Stats);
                let answer = server.ask_here(Question::Pipeline(&lengths), deadline).await?;
                let Value::Array(lengths) = answer else {
                    return Err(unexpected(Operation::Stats));
                };
                for ((key, name), length) in asked.into_iter().zip(lengths) {
                    let length = where_it_went(servers, &name, length).await?;
                    self.add(key, &length);
                }
            }
            if next == "0" {
                return Ok(());
            }
            cursor = next;
        }
    }

    /// What is no string answers with an error, and what is shorter is no record: others have put it
    /// there.
    fn add(&mut self, key: SessionKey, length: &Value) {
        if let Value::Int(length) = length
            && let Ok(length @ SHORTEST_RECORD..) = u64::try_from(*length)
            && self.seen.insert(key)
        {
            self.sessions += 1;
            self.bytes += length;
        }
    }
}

/// The length of what is on its way from one node of a Cluster to another, and is shown by one and
/// answered for by the other.
async fn where_it_went(
    servers: &Servers,
    name: &[u8],
    length: Value,
) -> Result<Value, StorageError> {
    match &length {
        Value::ServerError(error) if matches!(error.code(), "MOVED" | "ASK" | "TRYAGAIN") => {
            let command = command("STRLEN", name);
            let question = Question::Command(&command);
            servers.ask(name, Operation::Stats, question).await.map(|answer| answer.value)
        }
        _ => Ok(length),
    }
}

impl Memory {
    async fn read(servers: &Servers) -> Result<Self, StorageError> {
        let mut memory = Self::default();
        for server in servers.all(Operation::Stats)? {
            match ask(servers, &server, redis::cmd("INFO").arg("memory")).await {
                Err(error) if *error.kind() == StorageErrorKind::Denied => {
                    memory.is_withheld = true;
                }
                info => {
                    let info = redis::from_redis_value(info?);
                    memory.add(info.map_err(|_| unexpected(Operation::Stats))?);
                }
            }
        }
        Ok(memory)
    }

    fn add(&mut self, info: String) {
        for (name, value) in info.lines().filter_map(|line| line.trim().split_once(':')) {
            if let Some(at) = AMOUNTS.iter().position(|amount| *amount == name) {
                self.amounts[at] += value.parse().unwrap_or(0);
            } else if name == POLICY {
                self.policies.insert(value.to_owned());
            } else if name == FRAGMENTATION {
                self.fragmentation.push(value.to_owned());
            }
        }
    }

    fn put_into(self, stats: StorageStats) -> StorageStats {
        if self.is_withheld {
            return stats;
        }
        let policies = self.policies.into_iter().collect::<Vec<_>>().join(", ");
        let stats = AMOUNTS
            .iter()
            .zip(self.amounts)
            .fold(stats, |stats, (name, amount)| stats.with_metric(name, amount));
        stats
            .with_metric(POLICY, policies)
            .with_metric(FRAGMENTATION, self.fragmentation.join(", "))
    }
}

/// How the connections are, added up over all servers.
fn with_pool(stats: StorageStats, servers: &Servers) -> StorageStats {
    let nodes = servers.health();
    let connections = || nodes.iter().flat_map(|node| &node.connections);
    let live = connections().filter(|one| one.state == ConnectionState::Live).count();
    let open = |state: fn(&cloakroom::NodeHealth) -> BreakerState| {
        nodes.iter().filter(|node| state(node) != BreakerState::Closed).count()
    };
    stats
        .with_metric("nodes", nodes.len())
        .with_metric("pool_size", connections().count())
        .with_metric("live_connections", live)
        .with_metric("in_flight", nodes.iter().map(|node| node.in_flight).sum::<usize>())
        .with_metric("open_read_breakers", open(|node| node.reads))
        .with_metric("open_write_breakers", open(|node| node.writes))
}

/// What a near-cache holds and has done, where there is one.
pub(crate) fn with_near_cache(
    stats: StorageStats,
    near_cache: Option<NearCacheHealth>,
) -> StorageStats {
    let Some(cache) = near_cache else { return stats };
    stats
        .with_metric("near_cache_entries", cache.entries)
        .with_metric("near_cache_bytes", cache.bytes)
        .with_metric("near_cache_hits", cache.hits)
        .with_metric("near_cache_misses", cache.misses)
        .with_metric("near_cache_invalidations", cache.invalidations)
        .with_metric("near_cache_evictions", cache.evictions)
        .with_metric("near_cache_longest_unconfirmed_ms", cache.longest_unconfirmed.as_millis())
}

async fn ask(
    servers: &Servers,
    server: &Server<'_>,
    command: &redis::Cmd,
) -> Result<Value, StorageError> {
    server.ask_here(Question::Command(command), servers.deadline(Operation::Stats)).await
}
