//! [`ClusterConfig`]: the nodes of a Cluster that are asked for the others.

use serde::{Deserialize, Serialize};

/// The nodes of a Cluster that are asked for the others.
///
/// ```
/// use cloakroom_redis::{ClusterConfig, RedisSessionStorage, TlsConfig};
///
/// let cluster = ClusterConfig::new(["n1.internal:6379", "n2.internal:6379"]);
/// let builder = RedisSessionStorage::builder().cluster(cluster).tls(TlsConfig::new());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ClusterConfig {
    /// `host` or `host:port` of some of them (default port: 6379). One that answers is enough.
    pub nodes: Vec<String>,
}

impl ClusterConfig {
    /// A Cluster that these nodes belong to.
    pub fn new<I>(nodes: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Self { nodes: nodes.into_iter().map(Into::into).collect() }
    }
}
