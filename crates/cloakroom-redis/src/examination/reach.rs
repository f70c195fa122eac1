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
    /// Whether everything that the configuration names lies on this machine: loopback addresses and
    /// sockets. Programs that load a server ask before they load another machine's.
    ///
    /// ```
    /// use cloakroom_redis::RedisConfig;
    ///
    /// assert!(RedisConfig::from_url("redis://localhost:6379").is_local()?);
    /// assert!(!RedisConfig::from_url("redis+cluster://db.internal?plaintext=allow").is_local()?);
    /// # Ok::<(), cloakroom::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// As building a storage with this configuration would report them, without connecting.
    pub fn is_local(&self) -> Result<bool, ConfigError> {
        let topology = self.topology()?;
        let named = match &topology {
            Topology::Standalone(endpoint) => std::slice::from_ref(endpoint),
            Topology::Sentinel(group) => &group.sentinels,
            Topology::Cluster(seeds) => &seeds.nodes,
        };
        Ok(named.iter().all(|endpoint| Reach::of(endpoint) == Reach::Here))
    }
}
