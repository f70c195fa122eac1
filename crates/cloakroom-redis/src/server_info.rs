//! [`ServerInfo`]: what a server tells about itself, and whether this crate can work with it.
//!
//! It is asked for on every new connection. Whatever a server leaves out has a value that claims
//! nothing; only a version that is known to be too old is refused.

#[cfg(test)]
mod tests;

use std::fmt;

use cloakroom::{ConfigError, ConfigErrorKind};
use redis::{Cmd, Value};

/// The oldest Redis whose `SET` knows `PXAT`.
const OLDEST: Version = Version { major: 6, minor: 2, patch: 0 };

/// What answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Product {
    Redis,
    Valkey,
    /// Something that speaks the protocol and does not tell its name.
    #[default]
    Other,
}

/// A server's version. What cannot be read is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    pub(crate) major: u32,
    pub(crate) minor: u32,
    pub(crate) patch: u32,
}

/// What a server is to others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// It takes writes.
    Primary,
    /// It follows another one.
    Replica,
    /// It keeps no data.
    Sentinel,
    #[default]
    Unknown,
}

/// What a server tells about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerInfo {
    pub(crate) product: Product,
    /// The product's own version.
    pub(crate) version: Version,
    pub(crate) role: Role,
    /// Changes when the process begins anew.
    pub(crate) run_id: String,
    /// Changes when another server becomes the primary.
    pub(crate) replication_id: String,
    pub(crate) connected_replicas: u32,
    /// How many bytes the server may take; 0 without a bound.
    pub(crate) maxmemory: u64,
    /// What is given up when they are taken.
    pub(crate) maxmemory_policy: String,
    /// Whether it still reads its data from the disk.
    pub(crate) loading: bool,
    /// Whether it is a Cluster's node.
    pub(crate) cluster: bool,
}

impl ServerInfo {
    /// The command that asks for it. Redis 6.2 takes one section at a time or, without a name, all
    /// that are needed here.
    pub(crate) fn ask() -> Cmd {
        redis::cmd("INFO")
    }

    /// Reads the answer: text, in either version of the protocol. `None` where it is none.
    pub(crate) fn read(answer: &Value) -> Option<Self> {
        match answer {
            Value::BulkString(text) => Some(Self::parse(&String::from_utf8_lossy(text))),
            Value::SimpleString(text) | Value::VerbatimString { text, .. } => {
                Some(Self::parse(text))
            }
            _ => None,
        }
    }

    /// Whether what was written to one is there on the other: the same process, following the same
    /// history. What a server does not tell is taken for the same.
    pub(crate) fn has_same_history(&self, other: &Self) -> bool {
        let same = |one: &str, other: &str| one.is_empty() || other.is_empty() || one == other;
        same(&self.run_id, &other.run_id) && same(&self.replication_id, &other.replication_id)
    }

    /// Reads lines of `name:value`. Unknown ones and headings are passed over.
    pub(crate) fn parse(text: &str) -> Self {
        let mut info = Self::default();
        let mut valkey = None;
        for (name, value) in text.lines().filter_map(|line| line.trim_end().split_once(':')) {
            match name {
                "redis_version" => info.version = Version::parse(value),
                "valkey_version" => valkey = Some(Version::parse(value)),
                "role" => info.role = Role::parse(value),
                "redis_mode" if value == "sentinel" => info.role = Role::Sentinel,
                "redis_mode" | "server_mode" if value == "cluster" => info.cluster = true,
                "cluster_enabled" => info.cluster = value == "1",
                "run_id" => info.run_id = value.to_owned(),
                "master_replid" => info.replication_id = value.to_owned(),
                "connected_slaves" => info.connected_replicas = value.parse().unwrap_or(0),
                "maxmemory" => info.maxmemory = value.parse().unwrap_or(0),
                "maxmemory_policy" => info.maxmemory_policy = value.to_owned(),
                "loading" => info.loading = value == "1",
                _ => {}
            }
        }
        // Valkey says `redis_version:7.2.4` as well, for programs that know only that name.
        (info.product, info.version) = match valkey {
            Some(version) => (Product::Valkey, version),
            None if info.version == Version::default() => (Product::Other, info.version),
            None => (Product::Redis, info.version),
        };
        info
    }

    /// Whether this crate can work with the server at `host`.
    ///
    /// # Errors
    /// What the server lacks, and what to use instead.
    pub(crate) fn check(&self, host: &str) -> Result<(), ConfigError> {
        let message = match (self.product, self.role) {
            (_, Role::Sentinel) => format!(
                "what answers at {host} is a Sentinel; write \
                 redis+sentinel://{host}/NAME, with the name that stands in sentinel.conf"
            ),
            (Product::Redis, _) if self.version < OLDEST => format!(
                "Redis at {host} has version {}, and sessions need 6.2 or later: they are written \
                 with SET ... PXAT, which older ones do not know; upgrade it, or use Valkey",
                self.version
            ),
            _ => return Ok(()),
        };
        Err(ConfigError::new(ConfigErrorKind::Invalid, "url", message))
    }

    /// The policy by which the server gives up live sessions when its memory is full; `None` where
    /// it gives up none.
    pub(crate) fn evicts(&self) -> Option<&str> {
        let policy = self.maxmemory_policy.as_str();
        let keeps = self.maxmemory == 0 || policy.is_empty() || policy == "noeviction";
        (!keeps).then_some(policy)
    }
}

impl Version {
    fn parse(text: &str) -> Self {
        let mut parts = text.trim().split('.').map(|part| {
            let digits = part.find(|it: char| !it.is_ascii_digit()).unwrap_or(part.len());
            part.get(..digits).and_then(|part| part.parse().ok()).unwrap_or(0)
        });
        let mut next = || parts.next().unwrap_or(0);
        Self { major: next(), minor: next(), patch: next() }
    }
}

impl Role {
    /// Reads the answer to `ROLE`.
    pub(crate) fn read(answer: &Value) -> Self {
        match answer {
            Value::Array(parts) => match parts.first() {
                Some(Value::BulkString(name)) => Self::parse(&String::from_utf8_lossy(name)),
                Some(Value::SimpleString(name)) => Self::parse(name),
                _ => Self::Unknown,
            },
            _ => Self::Unknown,
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "master" | "primary" => Self::Primary,
            "slave" | "replica" => Self::Replica,
            "sentinel" => Self::Sentinel,
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Redis => "Redis",
            Self::Valkey => "Valkey",
            Self::Other => "an unknown server",
        })
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Primary => "primary",
            Self::Replica => "replica",
            Self::Sentinel => "sentinel",
            Self::Unknown => "unknown",
        })
    }
}
