//! [`Connector`]: opens one connection and proves that it works.

use std::time::{Duration, Instant};

use cloakroom::{
    ConfigError, ConfigErrorKind, Operation, StorageError, StorageErrorKind, Timestamp,
};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, Value};

use super::address;
use crate::error::{ClientError, is_broken, is_denied};
use crate::server_clock::ServerClock;

/// How many commands a connection takes over before the next ones wait for their turn: more than the
/// pool gives to one connection while another is free.
const QUEUE: usize = 256;

/// Knows where the server is and how long opening a connection may take. It has no debug form: the
/// client in it knows the password.
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
#[derive(Clone, Debug)]
pub(super) enum OpenError {
    TimedOut {
        elapsed: Duration,
    },
    /// The server does not let this user in.
    Denied(ClientError),
    Failed(ClientError),
    /// Nobody knows: it broke at once, or the task that opened it has ended with its runtime.
    Lost,
}

/// What a connection that was asked for a sign of life did.
pub(super) enum Proof {
    Answered,
    Broken,
    Silent,
}

impl Connector {
    /// Reads a URL such as `redis://user:password@host:6379/0`.
    pub(crate) fn new(url: &str, timeout: Duration) -> Result<Self, ConfigError> {
        let client = address::client(url)?;
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
        opened.map_err(|_| OpenError::TimedOut { elapsed: start.elapsed() })?.map_err(|error| {
            let kept = ClientError::new(&error);
            if is_denied(&error) { OpenError::Denied(kept) } else { OpenError::Failed(kept) }
        })
    }

    /// Asks a connection for a PONG.
    pub(super) async fn prove(
        &self,
        connection: &mut MultiplexedConnection,
        limit: Duration,
    ) -> Proof {
        let ping = redis::cmd("PING");
        match tokio::time::timeout(limit, ping.query_async::<Value>(connection)).await {
            Err(_) => Proof::Silent,
            Ok(Err(error)) if is_broken(&error) => Proof::Broken,
            // A refusal is an answer too.
            Ok(_) => Proof::Answered,
        }
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
        let now = ServerClock::ask().query_async(&mut connection).await?;
        let now = ServerClock::read(now)?;
        Ok(Opened { connection, now })
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
            OpenError::Denied(error) => ConfigError::new(
                ConfigErrorKind::Denied,
                "url",
                format!(
                    "Redis at {host} refused the credentials; check user name, password and ACL"
                ),
            )
            .with_source(error),
            OpenError::Failed(ClientError::Refused(code)) => ConfigError::new(
                ConfigErrorKind::Denied,
                "url",
                format!(
                    "Redis at {host} refused the connection ({code}); check the number of the \
                     database, and that the server is ready"
                ),
            )
            .with_source(ClientError::Refused(code)),
            OpenError::Failed(error) => ConfigError::new(
                ConfigErrorKind::Unreachable,
                "url",
                format!("Redis at {host} cannot be reached ({error}); {}", error.remedy()),
            )
            .with_source(error),
            OpenError::Lost => ConfigError::new(
                ConfigErrorKind::Unreachable,
                "url",
                format!("the connection to Redis at {host} broke at once; try again"),
            ),
        }
    }

    /// What a failed replacement means to a request.
    pub(super) fn storage_error(&self, error: OpenError, operation: Operation) -> StorageError {
        let message = || format!("no connection to Redis at {}", self.host);
        let (kind, source) = match error {
            OpenError::TimedOut { elapsed } => {
                return StorageError::timeout(
                    operation,
                    "connection timeout",
                    self.timeout,
                    elapsed,
                );
            }
            OpenError::Denied(source) => (StorageErrorKind::Denied, source),
            OpenError::Failed(source) => (StorageErrorKind::Unavailable, source),
            OpenError::Lost => {
                return StorageError::new(StorageErrorKind::Unavailable, operation, message());
            }
        };
        StorageError::new(kind, operation, message()).with_source(source)
    }
}
