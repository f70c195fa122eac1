//! Where the sessions lie: one server, the primary of a Sentinel group, or a Cluster.
//!
//! A URL ([`url`]) and a configuration ([`crate::config`]) are two ways to write a [`Sketch`]; what
//! is checked is checked here, once for both. Nothing in this module shows a password, and nothing
//! leads to another host in plain text unless somebody has written that it may.

mod after_others;
mod endpoint;
mod host;
mod portions;
mod secret;
mod sketch;
mod socket;
mod url;

use std::fmt;
use std::sync::Arc;

pub(crate) use endpoint::{Access, Endpoint};
pub(crate) use host::HostPort;
pub(crate) use portions::Portions;
pub(crate) use secret::{Credentials, Secret};
pub(crate) use sketch::{Place, Sketch};
pub(crate) use socket::{Link, Stream};

/// The port of a server whose address names none.
pub(crate) const SERVER_PORT: u16 = 6379;

/// The port of a Sentinel whose address names none.
pub(crate) const SENTINEL_PORT: u16 = 26379;

/// Where the sessions lie.
#[derive(Clone)]
pub(crate) enum Topology {
    /// One server.
    Standalone(Endpoint),
    /// Whichever server the Sentinels call the primary.
    Sentinel(SentinelGroup),
    /// Some of a Cluster's nodes; the others are learnt from them.
    Cluster(ClusterSeeds),
}

/// The Sentinels to ask, and what to say to the primary that they name.
#[derive(Clone)]
pub(crate) struct SentinelGroup {
    /// Whom to ask, at least one.
    pub(crate) sentinels: Vec<Endpoint>,
    /// The name under which the Sentinels know the primary.
    pub(crate) master: Arc<str>,
    /// How to get in where the data lie.
    pub(crate) data: Access,
}

/// The nodes that are asked for the Cluster's map, and how to get in at all the others.
#[derive(Clone)]
pub(crate) struct ClusterSeeds {
    /// Whom to ask, at least one.
    pub(crate) nodes: Vec<Endpoint>,
    /// How to get in at a node that the map names.
    pub(crate) data: Access,
}

impl fmt::Display for Topology {
    /// Hosts and ports, for people; never credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |endpoints: &[Endpoint]| {
            endpoints.iter().map(Endpoint::name).collect::<Vec<_>>().join(", ")
        };
        match self {
            Self::Standalone(endpoint) => f.write_str(endpoint.name()),
            Self::Sentinel(group) => {
                write!(
                    f,
                    "the primary {} of the Sentinels {}",
                    group.master,
                    list(&group.sentinels)
                )
            }
            Self::Cluster(seeds) => write!(f, "the Cluster of {}", list(&seeds.nodes)),
        }
    }
}

#[cfg(test)]
mod tests;
