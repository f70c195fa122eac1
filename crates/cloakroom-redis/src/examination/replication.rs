//! The replicas of a primary: how many, how far behind, and whether writes wait for them.

use super::facts::Facts;
use super::finding::{Finding, Topic};
use super::servers::Standing;
use super::visit::Visit;
use crate::server_info::Role;

/// A replica that was silent for longer has lost its primary, as `min-replicas-max-lag` sees it.
const LAG: u64 = 10;

/// A replica, as `INFO replication` tells of it.
#[derive(Debug, PartialEq, Eq)]
struct Replica<'a> {
    place: String,
    state: &'a str,
    lag: u64,
}

pub(super) fn find(visit: &Visit<'_>) -> Vec<Finding> {
    let Some(info) = &visit.info else { return vec![Finding::hidden(Topic::Replication, "+info")] };
    if info.about.role != Role::Primary {
        return Vec::new();
    }
    let replicas = replicas(info);
    let wanted = visit.setting("min-replicas-to-write").and_then(|it| it.parse::<u64>().ok());
    let mut found = shortage(info, wanted);
    if replicas.is_empty() {
        found.push(alone(visit));
        return found;
    }
    let behind: Vec<_> =
        replicas.iter().filter(|it| it.state != "online" || it.lag > LAG).collect();
    found.extend(behind.iter().map(|replica| replica.finding()));
    if behind.is_empty() {
        let text = match replicas.len() {
            1 => "one replica, close behind".to_owned(),
            count => format!("{count} replicas, all of them close behind"),
        };
        found.push(Finding::ok(Topic::Replication, text));
    }
    if wanted == Some(0) {
        found.push(
            Finding::info(Topic::Replication, "writes are taken also while no replica is there")
                .because("a primary that is cut off takes sign-outs that the next primary undoes")
                .remedy(
                    "with two replicas or more `CONFIG SET min-replicas-to-write 1`, which \
                     `CONFIG REWRITE` keeps; and let sign-outs be confirmed by a replica (the \
                     builder's `replicas`)",
                ),
        );
    }
    found
}

impl Replica<'_> {
    /// What is the matter with one that is behind.
    fn finding(&self) -> Finding {
        let Self { place, state, lag } = self;
        if *state != "online" {
            let text = format!("the replica {place} is being filled ({state})");
            return Finding::warning(Topic::Replication, text)
                .remedy("look again in a minute; if it stays, look into both servers' logs");
        }
        let text = format!("the replica {place} was heard last {lag} s ago");
        Finding::warning(Topic::Replication, text)
            .remedy("check that it is running, and the network between the two")
    }
}

/// Whether the primary refuses writes for want of replicas.
fn shortage(info: &Facts, wanted: Option<u64>) -> Vec<Finding> {
    // Told only where a number is wanted.
    let Some(good) = info.number("min_slaves_good_slaves") else { return Vec::new() };
    match wanted {
        Some(wanted) if good < wanted => vec![
            Finding::error(
                Topic::Replication,
                format!(
                    "{good} replicas are close behind, and {wanted} are needed for every write"
                ),
            )
            .because("until then every write is refused, so nobody can sign in or out")
            .remedy("bring the replicas back, or lower min-replicas-to-write"),
        ],
        _ => Vec::new(),
    }
}

fn alone(visit: &Visit<'_>) -> Finding {
    match visit.server.standing {
        Standing::Alone => Finding::info(Topic::Replication, "it has no replica")
            .remedy("a replica and three Sentinels take over when the server is lost"),
        Standing::Watched | Standing::Node(_) => {
            Finding::warning(Topic::Replication, "it has no replica, so nobody can take its place")
                .remedy("bring its replica back, or add one")
        }
    }
}

fn replicas(info: &Facts) -> Vec<Replica<'_>> {
    let lines = (0..info.count("connected_slaves")).map(|at| info.text(&format!("slave{at}")));
    lines.flatten().map(read).collect()
}

/// Reads `ip=127.0.0.1,port=6380,state=online,offset=14,lag=0`.
fn read(line: &str) -> Replica<'_> {
    let part = |name: &str| {
        let mut parts = line.split(',').filter_map(|part| part.split_once('='));
        parts.find(|(of, _)| *of == name).map_or("?", |(_, value)| value)
    };
    let place = format!("{}:{}", part("ip"), part("port"));
    Replica { place, state: part("state"), lag: part("lag").parse().unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_are_read_out_of_their_lines() {
        let facts = Facts::parse(
            "connected_slaves:2\r\n\
             slave0:ip=127.0.0.1,port=6380,state=online,offset=14,lag=0\r\n\
             slave1:ip=10.0.0.2,port=6380,state=wait_bgsave,offset=0,lag=12\r\n",
        );
        let found = replicas(&facts);
        assert_eq!(found[0], Replica { place: "127.0.0.1:6380".into(), state: "online", lag: 0 });
        assert_eq!((found[1].state, found[1].lag), ("wait_bgsave", 12));
    }

    #[test]
    fn too_few_replicas_stop_every_write() {
        let facts = Facts::parse("min_slaves_good_slaves:0");
        assert_eq!(shortage(&facts, Some(1)).len(), 1);
        assert!(shortage(&facts, Some(0)).is_empty() && shortage(&facts, None).is_empty());
    }
}
