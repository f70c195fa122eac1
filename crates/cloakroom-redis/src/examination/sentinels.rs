//! The Sentinels: whether enough of them answer, and whether they name the same primary.

use futures_util::future::join_all;

use super::Task;
use super::finding::{Finding, Severity, Topic};
use super::line::Silence;
use super::servers::{Found, Server, Standing, line_to, no_answer};
use crate::address::{Endpoint, SentinelGroup};

/// Fewer cannot outvote one that has lost its network.
const ENOUGH: usize = 3;

/// Asks every Sentinel that the configuration names.
pub(super) async fn find(group: &SentinelGroup, task: &Task) -> Found {
    let asked = group.sentinels.iter().map(|sentinel| ask(sentinel, &group.master, task));
    let mut found = Found::default();
    let mut named: Vec<(String, u16)> = Vec::new();
    let mut answered = 0;
    for answer in join_all(asked).await {
        match answer {
            Ok(address) => {
                answered += 1;
                if !named.contains(&address) {
                    named.push(address);
                }
            }
            Err(finding) => found.findings.push(finding),
        }
    }
    if answered > 0 {
        // The others can do without this one, for now.
        let errors = found.findings.iter_mut().filter(|it| it.severity == Severity::Error);
        errors.for_each(|finding| finding.severity = Severity::Warning);
        found.findings.push(agreement(&named, group, answered));
    }
    for (host, port) in named {
        match group.data.at(&host, port) {
            Ok(endpoint) => {
                found.servers.push(Server { endpoint, standing: Standing::Watched });
            }
            Err(problem) => {
                let finding = Finding::error(Topic::Sentinels, problem.to_string());
                found.findings.push(finding);
            }
        }
    }
    found
}

fn agreement(named: &[(String, u16)], group: &SentinelGroup, answered: usize) -> Finding {
    let places: Vec<_> = named.iter().map(|(host, port)| format!("{host}:{port}")).collect();
    let (master, places) = (&group.master, places.join(" and "));
    if named.len() > 1 {
        return Finding::warning(
            Topic::Sentinels,
            format!("the Sentinels disagree: they call {places} the primary {master}"),
        )
        .because("what is written to the one that loses is lost")
        .remedy("look again in a minute; if it stays, check which Sentinels see which servers");
    }
    let who =
        if answered == 1 { "1 Sentinel calls" } else { &format!("{answered} Sentinels call") };
    let text = format!("{who} {places} the primary {master}");
    if group.sentinels.len() < ENOUGH {
        return Finding::warning(Topic::Sentinels, format!("{text}; no more are configured"))
            .remedy(
                "run three Sentinels or more on machines that fail apart, and name all of them",
            );
    }
    Finding::ok(Topic::Sentinels, text)
}

async fn ask(sentinel: &Endpoint, master: &str, task: &Task) -> Result<(String, u16), Finding> {
    let mut line = line_to(sentinel, Topic::Sentinels, task).await?;
    let mut question = redis::cmd("SENTINEL");
    question.arg("GET-MASTER-ADDR-BY-NAME").arg(master);
    let name = sentinel.name();
    let answer = match line.ask(&question).await {
        Ok(answer) => answer,
        Err(Silence::Hidden(_)) => {
            let seen = format!("the Sentinel at {name} does not let the user ask for the primary");
            return Err(Finding::error(Topic::Sentinels, seen)
                .remedy("give the user what `cloakroom acl --sentinel` prints"));
        }
        Err(Silence::Refused(_)) => {
            return Err(Finding::error(
                Topic::Sentinels,
                format!("what answers at {name} is no Sentinel"),
            )
            .remedy("check host and port; for a server without Sentinels write redis://"));
        }
        Err(silence) => return Err(no_answer(Topic::Sentinels, &silence, &line, sentinel)),
    };
    match redis::from_redis_value::<Option<(String, u16)>>(answer) {
        Ok(Some(address)) => Ok(address),
        _ => Err(Finding::error(
            Topic::Sentinels,
            format!("the Sentinel at {name} knows no primary called {master}"),
        )
        .remedy("check the name, as `sentinel monitor NAME` has it in sentinel.conf")),
    }
}
