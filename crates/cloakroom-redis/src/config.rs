//! [`RedisConfig`]: where Redis is and how to get in, in a form that configuration files can hold.
//!
//! [`RedisStorageConfig`](crate::RedisStorageConfig) has the same fields beside those of the
//! storage. [`place`] makes of either what can be connected to.

mod cluster;
mod password;
mod place;
mod sentinel;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use cluster::ClusterConfig;
pub use password::Password;
pub use sentinel::SentinelConfig;

/// How many connections a storage opens unless told otherwise.
pub const DEFAULT_POOL_SIZE: usize = 10;

/// The URL of a storage that was given none.
pub const DEFAULT_URL: &str = "redis://localhost:6379";

/// Where Redis is, and how to get in.
///
/// ```
/// use cloakroom_redis::{PoolConfig, RedisConfig};
///
/// let config = RedisConfig::from_url("redis://localhost:6379").with_pool(PoolConfig::new(4));
/// assert_eq!(config.pool.map(|pool| pool.max_size), Some(4));
/// ```
///
/// As a file, here in TOML, one of `url`, `sentinel` and `cluster`:
///
/// ```
/// # use cloakroom_redis::RedisConfig;
/// let config: RedisConfig = toml::from_str(r#"
///     username = "app"
///     password = { file = "/run/secrets/redis" }    # or { env = "REDIS_PASSWORD" }
///     database = 2
///
///     [sentinel]
///     sentinels = ["s1.internal:26379", "s2.internal:26379", "s3.internal:26379"]
///     master = "sessions"
///     sentinel_username = "app"
///     sentinel_password = { file = "/run/secrets/sentinel" }
///
///     [tls]
///     ca_file = "/etc/ssl/redis-ca.pem"
///     cert_file = "/etc/ssl/app.pem"
///     key_file = "/etc/ssl/app.key"
/// "#)?;
/// assert_eq!(config.sentinel.map(|sentinel| sentinel.sentinels.len()), Some(3));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RedisConfig {
    /// For example `rediss://user:password@host:6379/0` (default: `redis://localhost:6379`).
    pub url: String,
    /// Who connects, unless the URL says so.
    pub username: Option<String>,
    /// The password that goes with it, or that of the default user.
    pub password: Option<Password>,
    /// The number of the database, unless the URL says so (default: 0).
    pub database: Option<u32>,
    /// Where sessions may travel unencrypted (default: on this machine only).
    pub plaintext: Plaintext,
    /// The connections (default: 10 of them).
    pub pool: Option<PoolConfig>,
    /// The Sentinels that know where the primary is, instead of a URL.
    pub sentinel: Option<SentinelConfig>,
    /// The nodes of a Cluster, instead of a URL.
    pub cluster: Option<ClusterConfig>,
    /// The certificates of encrypted connections. With `sentinel` or `cluster` its presence, if only
    /// as `tls = {}`, encrypts; with a URL `rediss://` does.
    pub tls: Option<TlsConfig>,
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
///
/// Files that change while the application runs are read again before the next connection is opened.
///
/// ```
/// use cloakroom_redis::{RedisSessionStorage, TlsConfig};
///
/// let tls = TlsConfig::new().with_authority("/etc/ssl/redis-ca.pem");
/// let builder = RedisSessionStorage::builder().url("rediss://redis.internal").tls(tls);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TlsConfig {
    /// A PEM file with the authorities that issue the servers' certificates (default: those that the
    /// system trusts).
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
    /// On this machine only: 127.0.0.0/8, `::1`, `localhost` and sockets.
    #[default]
    Loopback,
    /// To any host. For networks on which nobody else can listen.
    Allow,
}

impl RedisConfig {
    /// A server with the default pool.
    pub fn from_url(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }

    /// The primary of a Sentinel group.
    pub fn from_sentinel(sentinel: SentinelConfig) -> Self {
        Self { sentinel: Some(sentinel), ..Self::default() }
    }

    /// A Cluster.
    pub fn from_cluster(cluster: ClusterConfig) -> Self {
        Self { cluster: Some(cluster), ..Self::default() }
    }

    /// The same with another pool.
    #[must_use]
    pub fn with_pool(mut self, pool: PoolConfig) -> Self {
        self.pool = Some(pool);
        self
    }

    /// The same with a user and password.
    #[must_use]
    pub fn with_credentials(
        mut self,
        username: impl Into<String>,
        password: impl Into<Password>,
    ) -> Self {
        self.username = Some(username.into());
        self.password = Some(password.into());
        self
    }

    /// The same with certificates.
    #[must_use]
    pub fn with_tls(mut self, tls: TlsConfig) -> Self {
        self.tls = Some(tls);
        self
    }

    /// The same, with another word on plain text.
    #[must_use]
    pub fn with_plaintext(mut self, plaintext: Plaintext) -> Self {
        self.plaintext = plaintext;
        self
    }
}

impl PoolConfig {
    /// A pool of that many connections.
    pub fn new(max_size: usize) -> Self {
        Self { max_size }
    }
}

impl TlsConfig {
    /// Trusts the authorities that the system trusts, and shows no certificate.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Trusts the authorities in a PEM file, and no others.
    #[must_use]
    pub fn with_authority(mut self, ca_file: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(ca_file.into());
        self
    }

    /// Shows the server a certificate, from PEM files with it and its private key.
    #[must_use]
    pub fn with_certificate(
        mut self,
        cert_file: impl Into<PathBuf>,
        key_file: impl Into<PathBuf>,
    ) -> Self {
        self.cert_file = Some(cert_file.into());
        self.key_file = Some(key_file.into());
        self
    }
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            url: DEFAULT_URL.to_owned(),
            username: None,
            password: None,
            database: None,
            plaintext: Plaintext::default(),
            pool: None,
            sentinel: None,
            cluster: None,
            tls: None,
        }
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
        f.debug_struct("RedisConfig")
            .field("username", &self.username)
            .field("password", &self.password)
            .field("database", &self.database)
            .field("plaintext", &self.plaintext)
            .field("pool", &self.pool)
            .field("sentinel", &self.sentinel)
            .field("cluster", &self.cluster)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}
