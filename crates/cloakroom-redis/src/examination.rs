//! [`Examination`]: looks at the servers that sessions are to lie on, and tells what it has found.
//!
//! `cloakroom doctor` prints it; an application may run it at its start. It asks and changes nothing:
//! no setting, no data but one session of its own on each primary, which lives for ten seconds and is
//! removed before that. Whatever the user is not allowed to ask is told as such, so the user of
//! [`AclRule`](crate::AclRule) is enough.
//!
//! ```text
//! servers.rs   which servers there are          line.rs     questions, each within its limit
//! visit.rs     one server from door to door     facts.rs    what INFO and CONFIG GET have told
//! finding.rs   what was found                   diagnosis.rs   all of it, and the verdict
//! ```
//!
//! The other files are what is looked at, each by its topic.

mod clock;
mod cluster;
mod connections;
mod diagnosis;
mod door;
mod encryption;
mod facts;
mod finding;
mod forks;
mod latency;
mod line;
mod memory;
mod near_cache;
mod persistence;
mod reach;
mod replication;
mod rights;
mod role;
mod scripts;
mod sentinels;
mod servers;
mod settings;
mod user;
mod version;
mod visit;

use std::time::Duration;

use cloakroom::{ConfigError, ConfigErrorKind};
use futures_util::{StreamExt, stream};

use crate::factory::RedisStorageConfig;
use crate::keys::Keys;

pub use diagnosis::{Diagnosis, Verdict};
pub use finding::{Finding, Severity, Topic};

use line::Limits;
use servers::Found;
use visit::Visit;

/// How many servers are looked at side by side.
const SIDE_BY_SIDE: usize = 8;

/// Looks at the servers of a configuration.
///
/// Each server may take the configuration's `connection_timeout` to be reached, and its
/// `command_timeout` for the first question that it does not answer; the others are then left out. A
/// frozen server costs no more than that. A slow one may take five `command_timeout` beside the
/// `connection_timeout` for all questions together.
///
/// ```no_run
/// # // Needs a server: the crate's tests run the same against ones that they start.
/// # async fn example() -> Result<(), cloakroom::ConfigError> {
/// use cloakroom_redis::{Examination, RedisStorageConfig, Verdict};
///
/// let mut config = RedisStorageConfig::default();
/// config.url = "redis://localhost:6379".to_owned();
/// let diagnosis = Examination::new(config).run().await?;
/// for finding in diagnosis.problems() {
///     eprintln!("{}: {}", finding.topic.name(), finding.seen);
/// }
/// assert_ne!(diagnosis.verdict(), Verdict::Errors);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "an examination looks at nothing before `run`"]
pub struct Examination {
    config: RedisStorageConfig,
    rounds: u32,
}

/// What every look at a server needs.
struct Task {
    keys: Keys,
    rounds: u32,
    connection_timeout: Duration,
    command_timeout: Duration,
    wants_near_cache: bool,
}

impl Task {
    /// How long a server may take, from now on.
    fn limits(&self) -> Limits {
        Limits::new(self.connection_timeout, self.command_timeout)
    }
}

impl Examination {
    /// How many times the latency is measured unless told otherwise.
    pub const DEFAULT_ROUNDS: u32 = 200;

    /// Looks at the servers that a storage of this configuration would use.
    pub fn new(config: RedisStorageConfig) -> Self {
        Self { config, rounds: Self::DEFAULT_ROUNDS }
    }

    /// How many times the latency of `PING` and `GET` is measured (default: 200, and no longer than
    /// for a second each).
    pub fn rounds(mut self, rounds: u32) -> Self {
        self.rounds = rounds;
        self
    }

    /// Looks at every primary. A server that cannot be reached is a finding, not an error.
    ///
    /// # Errors
    /// [`ConfigError`] where the configuration makes no sense, so that there is nothing to look at.
    pub async fn run(&self) -> Result<Diagnosis, ConfigError> {
        let topology = self.config.server().topology()?;
        let keys = Keys::new(&self.config.prefix).map_err(|problem| {
            ConfigError::new(ConfigErrorKind::Invalid, problem.field, problem.message)
        })?;
        let task = Task {
            keys,
            rounds: self.rounds,
            connection_timeout: self.config.connection_timeout,
            command_timeout: self.config.command_timeout,
            wants_near_cache: self.config.near_cache.is_some(),
        };
        let mut diagnosis = Diagnosis::new(topology.to_string());
        let Found { servers, findings } = servers::find(topology, &task).await;
        diagnosis.extend(findings);
        let visits = servers.iter().map(|server| Visit::pay(server, &task));
        let mut visits = stream::iter(visits).buffered(SIDE_BY_SIDE);
        while let Some(visit) = visits.next().await {
            diagnosis.take(visit);
        }
        Ok(diagnosis)
    }
}
