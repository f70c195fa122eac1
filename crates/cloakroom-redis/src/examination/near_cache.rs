//! Whether the server calls back what a near-cache holds: RESP3 and `CLIENT TRACKING`.

use redis::ProtocolVersion;

use super::finding::{Finding, Severity, Topic};
use super::line::{Line, Silence};
use super::visit::Visit;

pub(super) async fn find(visit: &mut Visit<'_>) -> Vec<Finding> {
    if visit.line.end().is_some() {
        return Vec::new();
    }
    let lack = match track(visit).await {
        Ok(()) => return vec![Finding::ok(Topic::NearCache, "the server takes CLIENT TRACKING")],
        Err(lack) => lack,
    };
    let severity = match (lack, visit.task.wants_near_cache) {
        (Lack::Unknown, _) => Severity::Hidden,
        (_, true) => Severity::Error,
        (_, false) => Severity::Info,
    };
    let (seen, remedy) = lack.words();
    vec![Finding::new(Topic::NearCache, severity, seen).remedy(remedy)]
}

/// Why there can be no near-cache.
#[derive(Clone, Copy)]
enum Lack {
    OldProtocol,
    NotAllowed,
    Refused,
    Unknown,
}

async fn track(visit: &Visit<'_>) -> Result<(), Lack> {
    let endpoint = &visit.server.endpoint;
    if visit.line.protocol() == ProtocolVersion::RESP2 {
        return Err(Lack::OldProtocol);
    }
    // A line of its own, so that nothing is said on the other one without being asked.
    let opened = Line::open(endpoint, visit.limits).await;
    let mut line = opened.map_err(|_| Lack::Unknown)?;
    let mut question = redis::cmd("CLIENT");
    match line.ask(question.arg("TRACKING").arg("ON")).await {
        Ok(_) => Ok(()),
        Err(Silence::Hidden(_)) => Err(Lack::NotAllowed),
        Err(Silence::Refused(_)) => Err(Lack::Refused),
        Err(Silence::Over) => Err(Lack::Unknown),
    }
}

impl Lack {
    fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::OldProtocol => (
                "no near-cache: the connection speaks RESP2 only",
                "take protocol=resp2 out of the URL, and connect without a proxy that does not know \
                 HELLO",
            ),
            Self::NotAllowed => (
                "no near-cache: the user may not send CLIENT TRACKING",
                "give the user what `cloakroom acl` prints, +client|tracking among it",
            ),
            Self::Refused => (
                "no near-cache: the server does not take CLIENT TRACKING",
                "connect to Redis 6 or newer directly",
            ),
            Self::Unknown => (
                "whether the server takes CLIENT TRACKING could not be tried",
                "look again when the server has connections and time to spare",
            ),
        }
    }
}
