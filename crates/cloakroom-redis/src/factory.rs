//! [`SessionStorageFactory`]: a storage from configuration. It lives beside Redis because the core
//! does not know Redis.

use std::time::Duration;

use cloakroom::{
    AnyStorage, ConfigError, DEFAULT_MAX_BYTES, DEFAULT_MAX_SESSION_BYTES, DEFAULT_MAX_SESSIONS,
    DEFAULT_TTL, FingerprintMode, MemorySessionStorage,
};
use serde::{Deserialize, Serialize};

use crate::builder::{DEFAULT_COMMAND_TIMEOUT, DEFAULT_CONNECTION_TIMEOUT};
use crate::config::{DEFAULT_POOL_SIZE, DEFAULT_URL};
use crate::keys::DEFAULT_PREFIX;
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

/// The Redis storage's settings.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RedisStorageConfig {
    /// Where Redis is (default: `redis://localhost:6379`).
    pub url: String,
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
                    .url(&config.url)
                    .prefix(&config.prefix)
                    .pool_size(config.pool_size)
                    .connection_timeout(config.connection_timeout)
                    .command_timeout(config.command_timeout)
                    .default_ttl(config.default_ttl)
                    .max_session_bytes(config.max_session_bytes)
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
            prefix: DEFAULT_PREFIX.to_owned(),
            pool_size: DEFAULT_POOL_SIZE,
            connection_timeout: DEFAULT_CONNECTION_TIMEOUT,
            command_timeout: DEFAULT_COMMAND_TIMEOUT,
            default_ttl: DEFAULT_TTL,
            max_session_bytes: DEFAULT_MAX_SESSION_BYTES,
        }
    }
}

impl std::fmt::Debug for RedisStorageConfig {
    /// The URL may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisStorageConfig")
            .field("prefix", &self.prefix)
            .field("pool_size", &self.pool_size)
            .field("connection_timeout", &self.connection_timeout)
            .field("command_timeout", &self.command_timeout)
            .finish_non_exhaustive()
    }
}
