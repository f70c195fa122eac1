//! [`Sketch`]: what a URL or a configuration says, read but not yet believed.
//!
//! [`Sketch::topology`] checks it as a whole and makes of it what can be connected to.

use std::path::Path;
use std::sync::Arc;

use cloakroom::{ConfigError, Problem};
use redis::ProtocolVersion;

use super::endpoint::{Access, Endpoint};
use super::host::HostPort;
use super::secret::Credentials;
use super::{ClusterSeeds, SentinelGroup, Topology};
use crate::config::Plaintext;
use crate::tls::{Encryption, Wire};

/// What was written, in one form for all ways to write it.
pub(crate) struct Sketch {
    pub(crate) place: Place,
    /// For the servers that hold the data.
    pub(crate) credentials: Credentials,
    pub(crate) database: u32,
    pub(crate) encryption: Encryption,
    pub(crate) plaintext: Plaintext,
    /// The protocol that was asked for; `None` leaves it to the connection.
    pub(crate) protocol: Option<ProtocolVersion>,
}

/// What is to be connected to.
pub(crate) enum Place {
    Server(Target),
    Sentinel { sentinels: Vec<HostPort>, master: String, credentials: Credentials },
    Cluster(Vec<HostPort>),
}

/// One address.
#[derive(Clone)]
pub(crate) enum Target {
    Tcp(HostPort),
    Socket(Arc<Path>),
}

impl Sketch {
    /// Checks everything that can be checked without connecting, and reads the certificates.
    pub(crate) fn topology(self) -> Result<Topology, ConfigError> {
        let mut problems = Vec::new();
        if let Place::Cluster(_) = self.place
            && self.database != 0
        {
            let message = "a Cluster has one database only, number 0; leave the number out";
            problems.push(Problem::new("database", message));
        }
        let none = match &self.place {
            Place::Server(_) => None,
            Place::Sentinel { sentinels, .. } => sentinels
                .is_empty()
                .then(|| Problem::new("sentinel", "name at least one Sentinel, host:26379")),
            Place::Cluster(nodes) => nodes
                .is_empty()
                .then(|| Problem::new("cluster", "name at least one node, host:6379")),
        };
        problems.extend(none);
        if let Place::Sentinel { master, .. } = &self.place
            && master.is_empty()
        {
            let message = "the primary's name is missing, the one that stands in sentinel.conf \
                           after `sentinel monitor`; write redis+sentinel://host:26379/NAME";
            problems.push(Problem::new("master", message));
        }
        // A user without a password would not be introduced at all.
        let is_half = |it: &Credentials| it.user.is_some() && it.password.is_none();
        let is_half_at_sentinels = match &self.place {
            Place::Sentinel { credentials, .. } => is_half(credentials),
            Place::Server(_) | Place::Cluster(_) => false,
        };
        if is_half(&self.credentials) || is_half_at_sentinels {
            let message = "a user is named without a password; keep the password beside the URL, or \
                           where the user needs none write an empty one, as in user:@host";
            problems.push(Problem::new("url", message));
        }
        ConfigError::check(problems)?;
        let wire = Wire::new(self.encryption, self.plaintext)?;
        let data = Access::new(self.credentials, self.database, wire.clone(), self.protocol);
        let all = |hosts: Vec<HostPort>, access: &Access| -> Result<Vec<Endpoint>, ConfigError> {
            hosts.into_iter().map(|host| access.to(Target::Tcp(host))).collect()
        };
        Ok(match self.place {
            Place::Server(target) => Topology::Standalone(data.to(target)?),
            Place::Cluster(nodes) => {
                Topology::Cluster(ClusterSeeds { nodes: all(nodes, &data)?, data })
            }
            Place::Sentinel { sentinels, master, credentials } => {
                let access = Access::new(credentials, 0, wire, self.protocol);
                let sentinels = all(sentinels, &access)?;
                Topology::Sentinel(SentinelGroup { sentinels, master: master.into(), data })
            }
        })
    }
}
