//! [`SessionStorageFactory`]: a storage from configuration. It lives beside Redis because the core
//! does not know Redis.

use std::time::Duration;

use cloakroom::{
    AnyStorage, ConfigError, DEFAULT_MAX_BYTES, DEFAULT_MAX_SESSION_BYTES, DEFAULT_MAX_SESSIONS,
    DEFAULT_TTL, FingerprintMode, MemorySessionStorage,
};
use serde::{Deserialize, Serialize};

use crate::builder::{DEFAULT_COMMAND_TIMEOUT, DEFAULT_CONNECTION_TIMEOUT};
use crate::config::{
    ClusterConfig, DEFAULT_POOL_SIZE, DEFAULT_URL, Password, Plaintext, PoolConfig, RedisConfig,
    SentinelConfig, TlsConfig,
};
use crate::keys::DEFAULT_PREFIX;
use crate::near_cache::NearCache;
use crate::storage::RedisSessionStorage;

/// Which storage an application uses, in a form that configuration files can hold.
///
/// ```
/// use cloakroom_redis::StorageConfig;
///
/// let config: StorageConfig = serde_json::from_str(
///     r#"{ "backend": "redis", "url": "redis://localhost:6379", "command_timeout": "500ms" }"#,
/// )?;
/// assert!(matches!(config, StorageConfig::Redis(_)));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "backend", rename_all = "lowercase")]
#[non_exhaustive]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one of them, made at start; a box would show in every match"
)]
pub enum StorageConfig {
    /// The embedded storage.
    Memory(MemoryStorageConfig),
    /// Redis or Valkey.
    Redis(RedisStorageConfig),
}

/// The embedded storage's settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct MemoryStorageConfig {
    /// How many sessions may live at once (default: 1,000,000).
    pub max_sessions: usize,
    /// How many bytes all records may take together (default: 1 GiB).
    pub max_bytes: usize,
    /// How many bytes one record may take (default: 64 KiB).
    pub max_session_bytes: usize,
    /// The idle timeout of sessions that are set without one (default: 30 minutes).
    #[serde(with = "cloakroom::duration_text")]
    pub default_ttl: Duration,
}

/// The Redis storage's settings: those of [`RedisConfig`], and the storage's own.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RedisStorageConfig {
    /// Where Redis is (default: `redis://localhost:6379`).
    pub url: String,
    /// Who connects, unless the URL says so.
    pub username: Option<String>,
    /// The password that goes with it, or that of the default user.
    pub password: Option<Password>,
    /// The number of the database, unless the URL says so (default: 0).
    pub database: Option<u32>,
    /// Where sessions may travel unencrypted (default: on this machine only).
    pub plaintext: Plaintext,
    /// What all key names begin with (default: `cloakroom:session:`).
    pub prefix: String,
    /// How many connections are opened (default: 10).
    pub pool_size: usize,
    /// How long opening a connection may take (default: 5 s).
    #[serde(with = "cloakroom::duration_text")]
    pub connection_timeout: Duration,
    /// How long a command may take (default: 3 s).
    #[serde(with = "cloakroom::duration_text")]
    pub command_timeout: Duration,
    /// The idle timeout of sessions that are set without one (default: 30 minutes).
    #[serde(with = "cloakroom::duration_text")]
    pub default_ttl: Duration,
    /// How many bytes one record may take (default: 64 KiB).
    pub max_session_bytes: usize,
    /// The Sentinels that know where the primary is, instead of a URL.
    pub sentinel: Option<SentinelConfig>,
    /// The nodes of a Cluster, instead of a URL.
    pub cluster: Option<ClusterConfig>,
    /// The certificates of encrypted connections, as in [`RedisConfig`].
    pub tls: Option<TlsConfig>,
    /// Copies of sessions in memory (default: none).
    pub near_cache: Option<NearCache>,
}

/// Makes storages from configuration.
#[derive(Clone, Copy, Debug, Default)]
pub struct SessionStorageFactory;

impl SessionStorageFactory {
    /// Makes the storage that the configuration names, with every one of its values.
    ///
    /// A Redis that cannot be reached is an error. It is never replaced by the embedded storage:
    /// two storages are two sets of sessions.
    ///
    /// # Errors
    /// [`ConfigError`] where a value makes no sense or Redis cannot be reached.
    pub async fn create_storage(
        config: &StorageConfig,
        fingerprint_mode: FingerprintMode,
    ) -> Result<AnyStorage, ConfigError> {
        match config {
            StorageConfig::Memory(config) => {
                let storage = MemorySessionStorage::builder()
                    .max_sessions(config.max_sessions)
                    .max_bytes(config.max_bytes)
                    .max_session_bytes(config.max_session_bytes)
                    .default_ttl(config.default_ttl)
                    .fingerprint_mode(fingerprint_mode)
                    .build()?;
                Ok(AnyStorage::new(storage))
            }
            StorageConfig::Redis(config) => {
                let storage = RedisSessionStorage::builder()
                    .server(config.server())
                    .prefix(&config.prefix)
                    .connection_timeout(config.connection_timeout)
                    .command_timeout(config.command_timeout)
                    .default_ttl(config.default_ttl)
                    .max_session_bytes(config.max_session_bytes)
                    .near_cache(config.near_cache)
                    .fingerprint_mode(fingerprint_mode)
                    .build()
                    .await?;
                Ok(AnyStorage::new(storage))
            }
        }
    }
}

impl Default for MemoryStorageConfig {
    fn default() -> Self {
        Self {
            max_sessions: DEFAULT_MAX_SESSIONS,
            max_bytes: DEFAULT_MAX_BYTES,
            max_session_bytes: DEFAULT_MAX_SESSION_BYTES,
            default_ttl: DEFAULT_TTL,
        }
    }
}

impl Default for RedisStorageConfig {
    fn default() -> Self {
        Self {
            url: DEFAULT_URL.to_owned(),
            username: None,
            password: None,
            database: None,
            plaintext: Plaintext::default(),
            prefix: DEFAULT_PREFIX.to_owned(),
            pool_size: DEFAULT_POOL_SIZE,
            connection_timeout: DEFAULT_CONNECTION_TIMEOUT,
            command_timeout: DEFAULT_COMMAND_TIMEOUT,
            default_ttl: DEFAULT_TTL,
            max_session_bytes: DEFAULT_MAX_SESSION_BYTES,
            sentinel: None,
            cluster: None,
            tls: None,
            near_cache: None,
        }
    }
}

impl RedisStorageConfig {
    /// Where Redis is and how to get in, without what is the storage's own.
    pub fn server(&self) -> RedisConfig {
        let mut server =
            RedisConfig::from_url(&self.url).with_pool(PoolConfig::new(self.pool_size));
        server.username.clone_from(&self.username);
        server.password.clone_from(&self.password);
        server.database = self.database;
        server.plaintext = self.plaintext;
        server.sentinel.clone_from(&self.sentinel);
        server.cluster.clone_from(&self.cluster);
        server.tls.clone_from(&self.tls);
        server
    }
}

impl std::fmt::Debug for RedisStorageConfig {
    /// The URL may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisStorageConfig")
            .field("server", &self.server())
            .field("prefix", &self.prefix)
            .field("connection_timeout", &self.connection_timeout)
            .field("command_timeout", &self.command_timeout)
            .finish_non_exhaustive()
    }
}
