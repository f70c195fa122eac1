//! [`StorageError`]: the storage could not say. Never to be mistaken for "no session".

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// An operation whose outcome the storage could not tell.
///
/// For a write that means *unknown*: it may have been applied. [`StorageError::is_transient`] says
/// whether the same call may succeed later.
#[derive(Clone, Debug)]
pub struct StorageError {
    /// Boxed, because every answer of a storage carries the room for it.
    parts: Box<Parts>,
}

#[derive(Clone, Debug)]
struct Parts {
    kind: StorageErrorKind,
    operation: Operation,
    message: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// Why a storage could not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StorageErrorKind {
    /// No connection to the server, or it is still loading its data.
    Unavailable,
    /// The server did not answer within the limit.
    Timeout {
        /// The limit that was set.
        limit: Duration,
        /// The time that had passed.
        elapsed: Duration,
    },
    /// The call was refused before it was sent, to protect the server.
    Rejected,
    /// What lies under the key is not a record that can be read, or is another session's. It is left
    /// as it is.
    Corrupt,
    /// The server refused the credentials, or the user lacks a permission.
    Denied,
    /// The storage is full. What it holds is untouched and can still be read.
    Full,
    /// The server is a read-only replica. What it holds can still be read.
    ReadOnly,
    /// The removal could not be carried out yet. The storage refuses the record on this node and
    /// removes it as soon as its server answers.
    Pending,
    /// The session is larger than the storage's limit; nothing was sent.
    TooLarge {
        /// The size in bytes that the record would have.
        size: usize,
        /// The limit in bytes.
        limit: usize,
        /// The name of the field that takes the most room.
        largest_field: String,
    },
    /// Any other answer of the server.
    Backend,
}

impl StorageErrorKind {
    /// The kind's name in logs and metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Timeout { .. } => "timeout",
            Self::Rejected => "rejected",
            Self::Corrupt => "corrupt",
            Self::Denied => "denied",
            Self::Full => "full",
            Self::ReadOnly => "read_only",
            Self::Pending => "pending",
            Self::TooLarge { .. } => "too_large",
            Self::Backend => "backend",
        }
    }
}

/// What was asked of the storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Read one record.
    Load,
    /// Write one record.
    Commit,
    /// Move one record's idle deadline.
    Touch,
    /// Remove one record.
    Destroy,
    /// Read or change the index of one owner's sessions.
    Index,
    /// Read what may be seen of several sessions.
    Facts,
    /// Walk over all sessions.
    Walk,
    /// Count sessions and read the server's figures.
    Stats,
    /// Ask whether the server answers.
    Ping,
}

impl Operation {
    /// All operations, for whoever has to know them before one is asked for.
    pub const ALL: &'static [Self] = &[
        Self::Load,
        Self::Commit,
        Self::Touch,
        Self::Destroy,
        Self::Index,
        Self::Facts,
        Self::Walk,
        Self::Stats,
        Self::Ping,
    ];

    /// The operation's name in errors, events and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Commit => "commit",
            Self::Touch => "touch",
            Self::Destroy => "destroy",
            Self::Index => "index",
            Self::Facts => "facts",
            Self::Walk => "walk",
            Self::Stats => "stats",
            Self::Ping => "ping",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl StorageError {
    /// An error of a kind; the message must hold no token and no value.
    pub fn new(kind: StorageErrorKind, operation: Operation, message: impl Into<String>) -> Self {
        let parts = Parts { kind, operation, message: message.into(), source: None };
        Self { parts: Box::new(parts) }
    }

    /// The server did not answer in time.
    pub fn timeout(operation: Operation, name: &str, limit: Duration, elapsed: Duration) -> Self {
        let message = format!("{name} of {limit:?} passed (elapsed: {elapsed:?})");
        Self::new(StorageErrorKind::Timeout { limit, elapsed }, operation, message)
    }

    /// A removal that is still to come.
    pub fn pending() -> Self {
        let message = "the removal is pending: the session is refused on this node from now on, and \
                       removed as soon as the storage's server answers";
        Self::new(StorageErrorKind::Pending, Operation::Destroy, message)
    }

    /// The same error with its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.parts.source = Some(Arc::new(source));
        self
    }

    /// Why the storage could not answer.
    pub const fn kind(&self) -> &StorageErrorKind {
        &self.parts.kind
    }

    /// What was asked of the storage.
    pub fn operation(&self) -> Operation {
        self.parts.operation
    }

    /// Whether the same call may succeed in a moment; such errors become HTTP 503.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.parts.kind,
            StorageErrorKind::Unavailable
                | StorageErrorKind::Timeout { .. }
                | StorageErrorKind::Rejected
                | StorageErrorKind::Full
                | StorageErrorKind::ReadOnly
                | StorageErrorKind::Pending
        )
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {}: {}", self.parts.operation, self.parts.message)
    }
}

impl Error for StorageError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.parts.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_in_the_list() {
        let source = include_str!("storage.rs");
        let (_, body) = source.split_once("pub enum Operation {\n").unwrap();
        let (body, _) = body.split_once("\n}\n").unwrap();
        let defined = body.lines().filter(|line| !line.trim().starts_with("///"));
        let listed = Operation::ALL.iter().map(|operation| format!("    {operation:?},"));
        assert_eq!(defined.collect::<Vec<_>>(), listed.collect::<Vec<_>>());
    }
}
