//! [`OpenError`]: why a connection could not be opened, for supervisors, requests and whoever starts
//! the application.

use std::time::Duration;

use cloakroom::{Operation, StorageError, StorageErrorKind};
use redis::RedisError;

use crate::error::{ClientError, is_denied};

/// Why a connection could not be opened.
#[derive(Clone, Debug)]
pub(crate) enum OpenError {
    TimedOut {
        elapsed: Duration,
    },
    /// The server does not let this user in.
    Denied(ClientError),
    Failed(ClientError),
    /// The user may not send a command without which nothing can be done.
    NotAllowed(&'static str),
    /// The server lacks what the storage needs.
    Unsupported(String),
    /// The server is a replica, or about to become the primary.
    NotPrimary,
    /// The Sentinels do not know the primary's name.
    NoPrimary,
    /// No Sentinel could be reached.
    NoSentinel(ClientError),
    /// A Sentinel does not let this user in.
    SentinelDenied(ClientError),
    /// What answers at an address that was said to be a Sentinel's is none.
    NotSentinel(String),
    /// A node of a Cluster that serves nothing, and knows nobody who does.
    NoSlots,
    /// Somebody has named a server that may not be connected to.
    Forbidden(String),
    /// Nobody knows: it broke at once, or the task that opened it has ended with its runtime.
    Lost,
}

impl From<RedisError> for OpenError {
    fn from(error: RedisError) -> Self {
        let kept = ClientError::new(&error);
        if is_denied(&error) { Self::Denied(kept) } else { Self::Failed(kept) }
    }
}

impl OpenError {
    /// Why a command was not answered that every user has to be allowed.
    pub(super) fn of_command(command: &'static str, error: RedisError) -> Self {
        if error.code() == Some("NOPERM") { Self::NotAllowed(command) } else { error.into() }
    }

    /// What a failed replacement means to a request.
    pub(super) fn storage_error(
        &self,
        operation: Operation,
        host: &str,
        timeout: Duration,
    ) -> StorageError {
        let unavailable = || {
            let message = format!("no connection to Redis at {host}: {self}");
            StorageError::new(StorageErrorKind::Unavailable, operation, message)
        };
        match self {
            Self::TimedOut { elapsed } => {
                StorageError::timeout(operation, "connection timeout", timeout, *elapsed)
            }
            Self::Denied(source) => {
                let message = format!("Redis at {host} refused the user name or password");
                StorageError::new(StorageErrorKind::Denied, operation, message)
                    .with_source(source.clone())
            }
            Self::NotAllowed(command) => {
                let message = format!("Redis at {host} does not let the user send {command}");
                StorageError::new(StorageErrorKind::Denied, operation, message)
            }
            Self::Failed(source) | Self::NoSentinel(source) | Self::SentinelDenied(source) => {
                unavailable().with_source(source.clone())
            }
            _ => unavailable(),
        }
    }
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TimedOut { elapsed } => write!(f, "no answer within {elapsed:?}"),
            Self::Denied(error) => write!(f, "refused ({error})"),
            Self::Failed(error) => write!(f, "{error}"),
            Self::Unsupported(lack) | Self::Forbidden(lack) => f.write_str(lack),
            Self::NotPrimary => f.write_str("the server is not the primary"),
            Self::NoPrimary => f.write_str("no Sentinel knows a primary of this name"),
            Self::NoSentinel(error) => write!(f, "no Sentinel can be reached ({error})"),
            Self::SentinelDenied(error) => {
                write!(f, "a Sentinel refused the credentials ({error})")
            }
            Self::NotSentinel(address) => write!(f, "what answers at {address} is no Sentinel"),
            Self::NotAllowed(command) => write!(f, "the user may not send {command}"),
            Self::NoSlots => f.write_str("it serves no hash slot"),
            Self::Lost => f.write_str("it broke at once"),
        }
    }
}
