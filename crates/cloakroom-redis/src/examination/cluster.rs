//! The Cluster's map: which primaries there are, and whether they serve every slot.

use futures_util::future::join_all;

use super::Task;
use super::finding::{Finding, Severity, Topic};
use super::line::Silence;
use super::servers::{Found, Server, Standing, line_to, no_answer};
use crate::address::{ClusterSeeds, Endpoint};
use crate::connection::{Served, read_slots};

/// How many slots every Cluster has.
const SLOTS: usize = 16_384;

/// Asks every node that the configuration names for the map, and believes the fullest one.
pub(super) async fn find(seeds: &ClusterSeeds, task: &Task) -> Found {
    let asked = seeds.nodes.iter().map(|seed| ask(seed, task));
    let mut found = Found::default();
    let mut map: Vec<Served> = Vec::new();
    for answer in join_all(asked).await {
        match answer {
            Ok(served) if count(&served) > count(&map) => map = served,
            Ok(_) => {}
            Err(finding) => found.findings.push(finding),
        }
    }
    if map.is_empty() {
        return found;
    }
    // The others know the Cluster without this one.
    let errors = found.findings.iter_mut().filter(|it| it.severity == Severity::Error);
    errors.for_each(|finding| finding.severity = Severity::Warning);
    let mut nodes: Vec<((String, u16), Vec<Served>)> = Vec::new();
    for range in map {
        let address = (range.host.clone(), range.port);
        match nodes.iter_mut().find(|(known, _)| *known == address) {
            Some((_, ranges)) => ranges.push(range),
            None => nodes.push((address, vec![range])),
        }
    }
    found.findings.push(coverage(&nodes));
    for ((host, port), ranges) in nodes {
        match seeds.data.at(&host, port) {
            Ok(endpoint) => {
                found.servers.push(Server { endpoint, standing: Standing::Node(ranges) });
            }
            Err(problem) => {
                found.findings.push(Finding::error(Topic::Cluster, problem.to_string()));
            }
        }
    }
    found
}

fn coverage(nodes: &[((String, u16), Vec<Served>)]) -> Finding {
    let served: usize = nodes.iter().map(|(_, ranges)| count(ranges)).sum();
    let text = format!("{} primaries serve {served} of {SLOTS} slots", nodes.len());
    if served == SLOTS {
        return Finding::ok(Topic::Cluster, text);
    }
    Finding::error(Topic::Cluster, text)
        .remedy("bring the missing primary or its replica back, or assign its slots to others")
}

fn count(ranges: &[Served]) -> usize {
    ranges.iter().map(|range| usize::from(range.last - range.first) + 1).sum()
}

async fn ask(seed: &Endpoint, task: &Task) -> Result<Vec<Served>, Finding> {
    let mut line = line_to(seed, Topic::Cluster, task).await?;
    let mut question = redis::cmd("CLUSTER");
    question.arg("SLOTS");
    let name = seed.name();
    let answer = match line.ask(&question).await {
        Ok(answer) => answer,
        Err(Silence::Refused(_)) => {
            let seen = format!("{name} belongs to no Cluster");
            return Err(Finding::error(Topic::Cluster, seen)
                .remedy(format!("write redis://{name}, or set cluster-enabled to yes there")));
        }
        Err(Silence::Hidden(_)) => {
            let seen = format!("{name} does not let the user send CLUSTER SLOTS");
            return Err(Finding::error(Topic::Cluster, seen)
                .remedy("give the user what `cloakroom acl` prints, +cluster|slots among it"));
        }
        Err(silence) => return Err(no_answer(Topic::Cluster, &silence, &line, seed)),
    };
    let host = name.rsplit_once(':').map_or("", |(host, _)| host);
    let served = read_slots(&answer, host.trim_matches(['[', ']'])).unwrap_or_default();
    if served.is_empty() {
        let seen = format!("{name} serves no slot and knows nobody who does");
        return Err(Finding::error(Topic::Cluster, seen)
            .remedy("set the Cluster up with `redis-cli --cluster create`"));
    }
    Ok(served)
}
