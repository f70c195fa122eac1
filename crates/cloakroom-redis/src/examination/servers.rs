//! [`find`]: which servers there are to look at.

use super::finding::{Finding, Topic};
use super::line::{Line, Silence};
use super::{Task, cluster, sentinels};
use crate::address::{Endpoint, Topology};
use crate::connection::{OpenError, Served, config_error};
use crate::error::ClientError;

/// A server to look at.
pub(super) struct Server {
    pub(super) endpoint: Endpoint,
    pub(super) standing: Standing,
}

/// What a server is to the sessions.
pub(super) enum Standing {
    /// It has all of them, and nobody takes its place.
    Alone,
    /// It has all of them as long as the Sentinels call it the primary.
    Watched,
    /// It has those in these slots.
    Node(Vec<Served>),
}

/// The servers, and what was found on the way to them.
#[derive(Default)]
pub(super) struct Found {
    pub(super) servers: Vec<Server>,
    pub(super) findings: Vec<Finding>,
}

pub(super) async fn find(topology: Topology, task: &Task) -> Found {
    match topology {
        Topology::Standalone(endpoint) => {
            let server = Server { endpoint, standing: Standing::Alone };
            Found { servers: vec![server], findings: Vec::new() }
        }
        Topology::Sentinel(group) => sentinels::find(&group, task).await,
        Topology::Cluster(seeds) => cluster::find(&seeds, task).await,
    }
}

impl Server {
    /// Whether a key belongs to this server.
    pub(super) fn holds(&self, key: &[u8]) -> bool {
        match &self.standing {
            Standing::Alone | Standing::Watched => true,
            Standing::Node(ranges) => ranges.iter().any(|range| range.holds(key)),
        }
    }
}

/// Opens a line to somebody who is asked where the servers are.
///
/// # Errors
/// The finding that nobody answers there.
pub(super) async fn line_to(
    endpoint: &Endpoint,
    topic: Topic,
    task: &Task,
) -> Result<Line, Finding> {
    let opened = Line::open(endpoint, task.limits()).await;
    opened.map_err(|error| unreachable(topic, error, endpoint, task))
}

/// That a server did not let anybody in, with what to do about it.
pub(super) fn unreachable(
    topic: Topic,
    error: OpenError,
    endpoint: &Endpoint,
    task: &Task,
) -> Finding {
    let hint = endpoint.access().when_silent();
    let error = config_error(error, endpoint.name(), task.connection_timeout, hint);
    let texts: Vec<_> = error.problems().iter().map(|it| it.message.as_str()).collect();
    let text = texts.join("; ");
    // The library's own words: what is the matter, and behind a semicolon what to do.
    match text.split_once("; ") {
        Some((seen, remedy)) => Finding::error(topic, seen).remedy(remedy),
        None => Finding::error(topic, text),
    }
}

/// Why somebody who was reached did not answer the question.
pub(super) fn no_answer(
    topic: Topic,
    silence: &Silence,
    line: &Line,
    endpoint: &Endpoint,
) -> Finding {
    let name = endpoint.name();
    match silence {
        Silence::Hidden(_) => Finding::error(topic, format!("{name} does not let the user ask")),
        Silence::Refused(error) => {
            let code = ClientError::new(error);
            Finding::error(topic, format!("{name} refused the question ({code})"))
        }
        Silence::Over => {
            let end = line.end().map(ToString::to_string).unwrap_or_default();
            Finding::error(topic, format!("{name}: {end}"))
                .remedy("check that it is running, not frozen and not overloaded")
        }
    }
}
