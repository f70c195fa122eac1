//! [`Connector`]: opens one connection and proves that it works.

use std::time::{Duration, Instant};

use cloakroom::{
    ConfigError, ConfigErrorKind, Operation, StorageError, StorageErrorKind, Timestamp,
};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ErrorKind, RedisError};

/// How many commands a connection takes over before the next ones wait for their turn: more than the
/// pool gives to one connection while another is free.
const QUEUE: usize = 256;

/// Knows where the server is and how long opening a connection may take.
#[derive(Debug)]
pub(crate) struct Connector {
    client: Client,
    host: String,
    timeout: Duration,
}

/// A new connection, and the server's time when it was opened.
pub(super) struct Opened {
    pub(super) connection: MultiplexedConnection,
    pub(super) now: Timestamp,
}

/// Why a connection could not be opened.
#[derive(Debug)]
pub(super) enum OpenError {
    TimedOut { elapsed: Duration },
    Failed(RedisError),
}

impl Connector {
    /// Reads a URL such as `redis://user:password@host:6379/0`.
    pub(crate) fn new(url: &str, timeout: Duration) -> Result<Self, ConfigError> {
        let client = Client::open(url).map_err(|_| {
            let message = "not a Redis URL; write redis://localhost:6379, with a user and password \
                           redis://user:password@host:6379/0, for a socket unix:///path";
            ConfigError::new(ConfigErrorKind::Invalid, "redis_url", message)
        })?;
        let host = client.get_connection_info().addr().to_string();
        Ok(Self { client, host, timeout })
    }

    /// The server's host and port, without credentials.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Opens a connection and asks it for a PONG and for the time, all within the timeout.
    pub(super) async fn open(&self) -> Result<Opened, OpenError> {
        let start = Instant::now();
        let opened = tokio::time::timeout(self.timeout, self.open_unbounded()).await;
        opened
            .map_err(|_| OpenError::TimedOut { elapsed: start.elapsed() })?
            .map_err(OpenError::Failed)
    }

    /// Asks a connection for a PONG within the timeout.
    pub(super) async fn prove(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> Result<(), OpenError> {
        let start = Instant::now();
        let ping = redis::cmd("PING");
        let proven = tokio::time::timeout(self.timeout, ping.query_async(connection)).await;
        proven
            .map_err(|_| OpenError::TimedOut { elapsed: start.elapsed() })?
            .map_err(OpenError::Failed)
    }

    async fn open_unbounded(&self) -> Result<Opened, RedisError> {
        // Both limits are ours: the client's own ones name neither the operation nor the setting.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(QUEUE);
        let mut connection =
            self.client.get_multiplexed_async_connection_with_config(&config).await?;
        // One after the other: the error of a pipeline does not tell the server's code.
        let _: String = redis::cmd("PING").query_async(&mut connection).await?;
        let (seconds, micros): (u64, u64) = redis::cmd("TIME").query_async(&mut connection).await?;
        Ok(Opened { connection, now: Timestamp::from_millis(seconds * 1000 + micros / 1000) })
    }

    /// What a failed start means to a person: the host, never the password, and the remedy.
    pub(super) fn config_error(&self, error: OpenError) -> ConfigError {
        let host = &self.host;
        match error {
            OpenError::TimedOut { elapsed } => ConfigError::new(
                ConfigErrorKind::Timeout,
                "connection_timeout",
                format!(
                    "Redis at {host} did not answer within the connection timeout of {:?} \
                     (elapsed: {elapsed:?}); check that the server is running and reachable",
                    self.timeout
                ),
            ),
            OpenError::Failed(error) if is_denied(&error) => ConfigError::new(
                ConfigErrorKind::Denied,
                "redis_url",
                format!(
                    "Redis at {host} refused the credentials; check user name, password and ACL"
                ),
            )
            .with_source(error),
            OpenError::Failed(error) if error.code().is_some() => ConfigError::new(
                ConfigErrorKind::Denied,
                "redis_url",
                format!(
                    "Redis at {host} refused the connection ({} {}); check the number of the \
                     database, and that the server is ready",
                    error.code().unwrap_or_default(),
                    error.detail().unwrap_or_default()
                ),
            )
            .with_source(error),
            OpenError::Failed(error) => ConfigError::new(
                ConfigErrorKind::Unreachable,
                "redis_url",
                format!(
                    "Redis at {host} cannot be reached ({}); check host and port, and that the \
                     server is running",
                    error.category()
                ),
            )
            .with_source(error),
        }
    }

    /// What a failed replacement means to a request.
    pub(super) fn storage_error(&self, error: OpenError, operation: Operation) -> StorageError {
        match error {
            OpenError::TimedOut { elapsed } => {
                StorageError::timeout(operation, "connection timeout", self.timeout, elapsed)
            }
            OpenError::Failed(error) => {
                let kind = if is_denied(&error) {
                    StorageErrorKind::Denied
                } else {
                    StorageErrorKind::Unavailable
                };
                let message = format!("no connection to Redis at {}", self.host);
                StorageError::new(kind, operation, message).with_source(error)
            }
        }
    }
}

fn is_denied(error: &RedisError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed
        || matches!(error.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM"))
}
