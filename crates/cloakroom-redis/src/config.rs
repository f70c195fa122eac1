//! [`RedisConfig`]: where Redis is, in a form that configuration files can hold.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How many connections a storage opens unless told otherwise.
pub const DEFAULT_POOL_SIZE: usize = 10;

/// The URL of a storage that was given none.
pub const DEFAULT_URL: &str = "redis://localhost:6379";

/// Where Redis is.
///
/// ```
/// use cloakroom_redis::{PoolConfig, RedisConfig};
///
/// let config = RedisConfig::from_url("redis://localhost:6379").with_pool(PoolConfig::new(4));
/// assert_eq!(config.pool.map(|pool| pool.max_size), Some(4));
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RedisConfig {
    /// For example `redis://user:password@host:6379/0` (default: `redis://localhost:6379`).
    pub url: String,
    /// The connections (default: 10 of them).
    pub pool: Option<PoolConfig>,
}

/// The connections to Redis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PoolConfig {
    /// How many connections are opened (default: 10). Each carries many commands at once.
    pub max_size: usize,
}

/// The certificates of encrypted connections. What the server shows is always checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TlsConfig {
    /// A PEM file with the authorities that issue the servers' certificates, instead of those that
    /// the system trusts.
    pub ca_file: Option<PathBuf>,
    /// A PEM file with the client's certificate, where the server wants to see one.
    pub cert_file: Option<PathBuf>,
    /// A PEM file with the private key that belongs to `cert_file`.
    pub key_file: Option<PathBuf>,
}

/// Where sessions may travel unencrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Plaintext {
    /// To this machine only: 127.0.0.0/8, `::1`, `localhost` and sockets.
    #[default]
    Loopback,
    /// To any host. For networks on which nobody else can listen.
    Allow,
}

impl RedisConfig {
    /// A server with the default pool.
    pub fn from_url(url: impl Into<String>) -> Self {
        Self { url: url.into(), pool: None }
    }

    /// The same with another pool.
    #[must_use]
    pub fn with_pool(mut self, pool: PoolConfig) -> Self {
        self.pool = Some(pool);
        self
    }
}

impl PoolConfig {
    /// A pool of that many connections.
    pub fn new(max_size: usize) -> Self {
        Self { max_size }
    }
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self::from_url(DEFAULT_URL)
    }
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self::new(DEFAULT_POOL_SIZE)
    }
}

impl std::fmt::Debug for RedisConfig {
    /// The URL may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisConfig").field("pool", &self.pool).finish_non_exhaustive()
    }
}
