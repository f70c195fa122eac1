//! From the client's errors to ours: the one place that knows what a server's error code means.

use cloakroom::{Operation, StorageError, StorageErrorKind};
use redis::{ErrorKind, RedisError};

/// What a server's error means for one operation.
pub(crate) fn storage_error(error: RedisError, operation: Operation, host: &str) -> StorageError {
    let (kind, message) = match error.code() {
        Some("WRONGTYPE") => {
            (StorageErrorKind::Corrupt, "what lies under the key is not a string".to_owned())
        }
        Some("OOM") => (
            StorageErrorKind::Full,
            format!("Redis at {host} is out of memory; raise maxmemory or remove other data"),
        ),
        Some("READONLY") => (
            StorageErrorKind::ReadOnly,
            format!("Redis at {host} is a read-only replica; connect to the primary"),
        ),
        Some("NOAUTH" | "WRONGPASS" | "NOPERM") => (
            StorageErrorKind::Denied,
            format!("Redis at {host} refused the user's credentials or a command"),
        ),
        Some(code @ ("LOADING" | "MASTERDOWN" | "CLUSTERDOWN" | "TRYAGAIN" | "BUSY")) => {
            (StorageErrorKind::Unavailable, format!("Redis at {host} is not ready ({code})"))
        }
        Some(code @ ("MISCONF" | "NOREPLICAS")) => (
            StorageErrorKind::ReadOnly,
            format!("Redis at {host} accepts no writes at present ({code})"),
        ),
        _ if error.kind() == ErrorKind::AuthenticationFailed => {
            (StorageErrorKind::Denied, format!("Redis at {host} refused the user name or password"))
        }
        _ if error.is_io_error() || error.is_unrecoverable_error() => {
            (StorageErrorKind::Unavailable, format!("no connection to Redis at {host}"))
        }
        Some(code) => (StorageErrorKind::Backend, format!("Redis at {host} answered with {code}")),
        None => (StorageErrorKind::Backend, format!("unexpected answer of Redis at {host}")),
    };
    StorageError::new(kind, operation, message).with_source(error)
}

/// An answer that no script of ours gives.
pub(crate) fn unexpected(operation: Operation) -> StorageError {
    StorageError::new(StorageErrorKind::Backend, operation, "Redis gave an unexpected answer")
}
