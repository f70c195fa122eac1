//! Cloakroom sessions in Redis or Valkey.
//!
//! One string per session, read with `GET`, written by one compare-and-set script per commit. The
//! layout and the scripts' contracts stand in `docs/protocol.md`.
//!
//! ```no_run
//! # // Needs a server: the crate's tests run the same against one that they start.
//! # async fn connect() -> Result<(), cloakroom::ConfigError> {
//! use cloakroom::Engine;
//! use cloakroom_redis::RedisSessionStorage;
//!
//! let engine = Engine::builder(RedisSessionStorage::new().await?).build()?;
//! # Ok(())
//! # }
//! ```

mod acl;
mod address;
mod batch;
mod breaker;
mod builder;
mod config;
mod connection;
mod error;
mod examination;
mod factory;
mod foreign;
mod inspect;
mod journal;
mod keys;
mod marks;
mod near_cache;
mod owners;
mod records;
mod removal;
mod retry_budget;
mod scripts;
mod second_look;
mod server_clock;
mod server_info;
mod signals;
mod stats;
mod storage;
mod tls;

pub use acl::{AclCheck, AclRight, AclRule};
pub use breaker::BreakerPolicy;
pub use builder::{
    DEFAULT_COMMAND_TIMEOUT, DEFAULT_COMMIT_TIMEOUT, DEFAULT_CONNECTION_TIMEOUT,
    DEFAULT_DESTROY_TIMEOUT, DEFAULT_HEARTBEAT_INTERVAL, DEFAULT_LOAD_TIMEOUT,
    DEFAULT_MAX_IN_FLIGHT, DEFAULT_REPLICA_TIMEOUT, RedisSessionStorageBuilder, Start,
};
pub use config::{
    ClusterConfig, DEFAULT_POOL_SIZE, DEFAULT_URL, Password, Plaintext, PoolConfig, RedisConfig,
    SentinelConfig, TlsConfig,
};
pub use examination::{Diagnosis, Examination, Finding, Severity, Topic, Verdict};
pub use factory::{MemoryStorageConfig, RedisStorageConfig, SessionStorageFactory, StorageConfig};
pub use foreign::{
    BadCursor, FOREIGN_RIGHTS, FOREIGN_VALUE_LIMIT, ForeignCursor, ForeignEntry, ForeignKeys,
    ForeignPage, ForeignValue,
};
pub use keys::DEFAULT_PREFIX;
pub use near_cache::NearCache;
pub use storage::RedisSessionStorage;
