//! [`Description`]: what is told of one session, to machines and in full to people. Facts only: no
//! value, no field name, nothing of a ticket.

use std::time::Duration;

use cloakroom::{SessionFacts, Timestamp};
use indicatif::HumanBytes;
use serde::Serialize;

use crate::shown::shown;
use crate::span::short;
use crate::table::thousands;

/// Stands for a moment that nobody knows, because the session was imported.
const IMPORTED: &str = "before the move";

/// What is told of one session.
#[derive(Serialize)]
pub(crate) struct Description {
    id: String,
    owner: Option<String>,
    browser: Option<String>,
    user_agent: Option<String>,
    address: Option<String>,
    created: Option<String>,
    signed_in: Option<String>,
    last_seen: String,
    ends: String,
    idle_deadline: String,
    absolute_deadline: String,
    age_seconds: Option<u64>,
    idle_seconds: u64,
    idle_timeout_seconds: u64,
    commits: u64,
    bytes: u64,
}

impl From<&SessionFacts> for Description {
    fn from(facts: &SessionFacts) -> Self {
        Self {
            id: facts.id().to_string(),
            owner: facts.owner().map(str::to_owned),
            browser: facts.browser(),
            user_agent: facts.user_agent().map(str::to_owned),
            address: facts.address().map(str::to_owned),
            created: facts.created().map(|moment| moment.to_string()),
            signed_in: facts.signed_in().map(|moment| moment.to_string()),
            last_seen: facts.last_seen().to_string(),
            ends: end(facts).to_string(),
            idle_deadline: facts.idle_deadline().to_string(),
            absolute_deadline: facts.absolute_deadline().to_string(),
            age_seconds: facts.age().map(|age| age.as_secs()),
            idle_seconds: facts.idle().as_secs(),
            idle_timeout_seconds: facts.idle_timeout().as_secs(),
            commits: facts.generation(),
            bytes: facts.size(),
        }
    }
}

/// When the session ends unless it is used.
pub(crate) fn end(facts: &SessionFacts) -> Timestamp {
    facts.idle_deadline().min(facts.absolute_deadline())
}

/// The text for people, a line for each fact.
pub(crate) fn text(facts: &SessionFacts) -> String {
    let now = facts.as_of();
    let ago = |moment: Timestamp| told(moment, moment.until(now), "ago");
    let ahead = |moment: Timestamp| told(moment, now.until(moment), "from now");
    let unknown = |text: Option<&str>| text.map_or_else(|| "unknown".to_owned(), shown);
    let moment =
        |known: Option<Timestamp>, otherwise: &str| known.map_or_else(|| otherwise.to_owned(), ago);
    let lines = [
        ("session", facts.id().to_string()),
        ("owner", facts.owner().map_or_else(|| "nobody is signed in".to_owned(), shown)),
        ("signed in", moment(facts.signed_in(), facts.owner().map_or("-", |_| IMPORTED))),
        ("created", moment(facts.created(), IMPORTED)),
        ("last seen", ago(facts.last_seen())),
        ("ends", format!("{} unless it is used", ahead(end(facts)))),
        ("at the latest", ahead(facts.absolute_deadline())),
        ("idle timeout", short(facts.idle_timeout())),
        ("browser", unknown(facts.browser().as_deref())),
        ("user agent", unknown(facts.user_agent())),
        ("address", unknown(facts.address())),
        ("commits", thousands(facts.generation())),
        ("size", HumanBytes(facts.size()).to_string()),
    ];
    lines.iter().map(|(name, value)| format!("{name:<15}{value}\n")).collect()
}

fn told(moment: Timestamp, distance: Duration, direction: &str) -> String {
    format!("{moment}, {} {direction}", short(distance))
}
