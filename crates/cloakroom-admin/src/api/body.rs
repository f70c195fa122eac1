//! What the JSON interface reads and writes. Moments are RFC 3339 in UTC, spans seconds.

use cloakroom::SessionFacts;
use serde::{Deserialize, Serialize};

use crate::listing::Listing;

/// Some sessions, and where the list goes on.
#[derive(Debug, Serialize)]
pub(crate) struct Sessions {
    sessions: Vec<Facts>,
    looked_at: usize,
    unreadable: usize,
    /// For `at`; `null` at the end.
    next: Option<String>,
    /// How far the walk is, from 0 to 1; an estimate. `null` within a step.
    done: Option<f64>,
}

/// A session's facts, as they are: texts from visitors among them. Escape them.
#[derive(Debug, Serialize)]
pub(crate) struct Facts {
    id: String,
    owner: Option<String>,
    address: Option<String>,
    /// The user agent in words.
    browser: Option<String>,
    user_agent: Option<String>,
    created: Option<String>,
    signed_in: Option<String>,
    last_seen: String,
    idle_deadline: String,
    absolute_deadline: String,
    age_seconds: Option<u64>,
    idle_seconds: u64,
    idle_timeout_seconds: u64,
    commits: u64,
    bytes: u64,
    as_of: String,
}

/// Whose sessions end.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnerOrder {
    pub(crate) owner: String,
}

/// From before which moment sessions end, and where that goes on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BeforeOrder {
    pub(crate) moment: String,
    #[serde(default)]
    pub(crate) position: String,
}

impl Sessions {
    pub(crate) fn of(listing: &Listing) -> Self {
        Self {
            sessions: listing.rows.iter().map(Facts::of).collect(),
            looked_at: listing.looked_at,
            unreadable: listing.unreadable,
            next: listing.next.as_ref().map(ToString::to_string),
            done: listing.done,
        }
    }
}

impl Facts {
    pub(crate) fn of(facts: &SessionFacts) -> Self {
        Self {
            id: facts.id().to_string(),
            owner: facts.owner().map(str::to_owned),
            address: facts.address().map(str::to_owned),
            browser: facts.browser(),
            user_agent: facts.user_agent().map(str::to_owned),
            created: facts.created().map(|moment| moment.to_string()),
            signed_in: facts.signed_in().map(|moment| moment.to_string()),
            last_seen: facts.last_seen().to_string(),
            idle_deadline: facts.idle_deadline().to_string(),
            absolute_deadline: facts.absolute_deadline().to_string(),
            age_seconds: facts.age().map(|age| age.as_secs()),
            idle_seconds: facts.idle().as_secs(),
            idle_timeout_seconds: facts.idle_timeout().as_secs(),
            commits: facts.generation(),
            bytes: facts.size(),
            as_of: facts.as_of().to_string(),
        }
    }
}
