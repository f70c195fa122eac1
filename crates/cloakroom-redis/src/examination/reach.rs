//! [`Reach`]: whether what is sent to a server leaves this machine.

use cloakroom::ConfigError;

use crate::address::{Endpoint, HostPort, SERVER_PORT, Topology};
use crate::config::RedisConfig;

/// Whether what is sent there leaves this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// A loopback address or a socket.
    Here,
    /// Another machine, as far as the address tells.
    Beyond,
}

impl Reach {
    pub(super) fn of(endpoint: &Endpoint) -> Self {
        let name = endpoint.name();
        let is_here = name.starts_with('/')
            || HostPort::read(name, SERVER_PORT).is_ok_and(|address| address.is_loopback());
        if is_here { Self::Here } else { Self::Beyond }
    }
}

impl RedisConfig {
    /// Whether it is certain that what is sent there stays on this machine: one server, at a loopback
    /// address or a socket. Programs that load a server ask before they load another machine's.
    ///
    /// Sentinels and a Cluster's nodes are asked where the servers are, and may name any machine,
    /// wherever they lie themselves. A port that is forwarded to another machine looks like this one.
    ///
    /// ```
    /// use cloakroom_redis::RedisConfig;
    ///
    /// assert!(RedisConfig::from_url("redis://localhost:6379").is_local()?);
    /// assert!(!RedisConfig::from_url("redis+sentinel://localhost/sessions").is_local()?);
    /// # Ok::<(), cloakroom::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// As building a storage with this configuration would report them, without connecting.
    pub fn is_local(&self) -> Result<bool, ConfigError> {
        Ok(match self.topology()? {
            Topology::Standalone(endpoint) => Reach::of(&endpoint) == Reach::Here,
            Topology::Sentinel(_) | Topology::Cluster(_) => false,
        })
    }
}
