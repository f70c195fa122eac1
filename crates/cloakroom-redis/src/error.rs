//! From the client's errors to ours: the one place that knows what a server's error code means, and
//! the one that sees a server's own words.
//!
//! Those words never leave it. A server repeats what it did not understand, and among the commands
//! that open a connection is the one with the password.

use std::error::Error;
use std::sync::Arc;
use std::{fmt, io};

use cloakroom::{Operation, StorageError, StorageErrorKind};
use redis::{ErrorKind, RedisError};

use crate::acl::{AclRight, session_rights};
use crate::tls::TlsProblem;

/// What is kept of a client's error: the server's code, or what went wrong on the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ClientError {
    /// The server answered with an error of this code, for example `WRONGPASS`.
    Refused(String),
    /// The operating system reported an error.
    Io(io::ErrorKind),
    /// Encryption did not come about.
    Tls(TlsProblem),
    /// Anything else, in the client's fixed words for it.
    Other(String),
}

/// How the client holds the operating system's error.
type Shared = Arc<dyn Error + Send + Sync>;

impl ClientError {
    /// Leaves behind whatever may hold a secret.
    pub(crate) fn new(error: &RedisError) -> Self {
        if let Some(code) = code(error) {
            return Self::Refused(plain(code).to_owned());
        }
        if let Some(problem) = TlsProblem::of(error) {
            return Self::Tls(problem);
        }
        let source = error.source().and_then(|source| source.downcast_ref::<Shared>());
        match source.and_then(|source| source.downcast_ref::<io::Error>()) {
            Some(error) => Self::Io(error.kind()),
            None => Self::Other(error.category().to_owned()),
        }
    }

    /// The server's code, where it has answered with one.
    #[cfg(feature = "tracing")]
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(code) => Some(code.as_str()).filter(|code| is_code(code)),
            Self::Io(_) | Self::Tls(_) | Self::Other(_) => None,
        }
    }

    /// What a person may do about a server that cannot be reached.
    pub(crate) fn remedy(&self) -> &'static str {
        match self {
            Self::Tls(problem) => problem.remedy(),
            Self::Io(io::ErrorKind::NotFound) => {
                "there is no such socket; check the path and that the server is running"
            }
            Self::Io(io::ErrorKind::ConnectionRefused) => {
                "check host and port, and that the server is running"
            }
            Self::Io(
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::UnexpectedEof,
            ) => {
                "check host and port, that the server is running, and for one with TLS write \
                 rediss://"
            }
            Self::Io(_) => {
                "check that the host's name is spelt right, the port, and that the server is running"
            }
            Self::Refused(_) | Self::Other(_) => {
                "what answers there does not seem to be Redis; check host and port, and for a server \
                 with TLS write rediss://"
            }
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(text) | Self::Other(text) => f.write_str(text),
            Self::Io(kind) => write!(f, "{kind}"),
            Self::Tls(problem) => write!(f, "{problem}"),
        }
    }
}

impl Error for ClientError {}

/// The server's code, as newer servers tell it.
///
/// A right that is missing within a script is no `NOPERM` on any server, and before 7.0 Redis wraps
/// everything that went wrong there into an error of the script: what it was stands in the text alone.
/// (The text is looked at and goes no further.)
pub(crate) fn code(error: &RedisError) -> Option<&str> {
    let code = error.code()?;
    let detail = error.detail().filter(|_| code == "ERR").unwrap_or_default();
    if DENIED_IN_SCRIPT.iter().any(|words| detail.contains(words)) {
        return Some("NOPERM");
    }
    if !detail.starts_with("Error running script") {
        return Some(code);
    }
    let within = |known: &&str| {
        detail.contains(&format!(": -{known} ")) || detail.contains(&format!(": {known} "))
    };
    let known = ["WRONGTYPE", "OOM", "READONLY", "MISCONF", "NOREPLICAS", "MASTERDOWN", "LOADING"];
    known.into_iter().find(within).or(Some(code))
}

/// What servers say of a right that the user lacks within a script: before 7.2, and since.
const DENIED_IN_SCRIPT: [&str; 2] =
    ["The user executing the script can't", "ACL failure in script"];

/// What the user lacks, as far as the server tells: a command of ours, or the keys.
fn lacking(error: &RedisError) -> String {
    let detail = error.detail().unwrap_or_default();
    let named = |right: &&AclRight| detail.contains(&format!("'{}'", right.command));
    match session_rights().iter().find(named) {
        Some(right) => format!("send {} ({})", right.command, right.purpose),
        None if detail.contains(" key") => "touch keys with the prefix of the sessions".to_owned(),
        None => "send a command that is needed".to_owned(),
    }
}

/// Whether the server does not let this user in, or not do this.
pub(crate) fn is_denied(error: &RedisError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed
        || matches!(code(error), Some("NOAUTH" | "WRONGPASS" | "NOPERM"))
}

/// Whether the server does not know the command, as where its owner has taken it away.
pub(crate) fn is_unknown_command(error: &RedisError) -> bool {
    let detail = error.detail().filter(|_| error.code() == Some("ERR")).unwrap_or_default();
    detail.starts_with("unknown command")
}

/// Whether the connection is of no use any more.
pub(crate) fn is_broken(error: &RedisError) -> bool {
    error.is_unrecoverable_error() || error.is_connection_dropped()
}

/// What a server's error means for one operation.
pub(crate) fn storage_error(error: &RedisError, operation: Operation, host: &str) -> StorageError {
    let (kind, message) = match code(error) {
        Some("WRONGTYPE") => {
            (StorageErrorKind::Corrupt, "what lies under the key is of another type".to_owned())
        }
        Some("OOM") => (
            StorageErrorKind::Full,
            format!("Redis at {host} is out of memory; raise maxmemory or remove other data"),
        ),
        Some("READONLY") => (
            StorageErrorKind::ReadOnly,
            format!("Redis at {host} is a read-only replica; connect to the primary"),
        ),
        Some("NOAUTH" | "WRONGPASS") => {
            (StorageErrorKind::Denied, format!("Redis at {host} refused the user's credentials"))
        }
        Some("NOPERM") => {
            let lacking = lacking(error);
            let remedy = "`cloakroom acl` prints the rule with all rights";
            let message = format!("Redis at {host} does not let the user {lacking}; {remedy}");
            (StorageErrorKind::Denied, message)
        }
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
        Some(code) => {
            (StorageErrorKind::Backend, format!("Redis at {host} answered with {}", plain(code)))
        }
        None => (StorageErrorKind::Backend, format!("unexpected answer of Redis at {host}")),
    };
    StorageError::new(kind, operation, message).with_source(ClientError::new(error))
}

/// An answer that no script of ours gives.
pub(crate) fn unexpected(operation: Operation) -> StorageError {
    StorageError::new(StorageErrorKind::Backend, operation, "Redis gave an unexpected answer")
}

/// An error's code is the first word of the server's text. What does not look like a code is a word
/// like any other.
fn plain(code: &str) -> &str {
    if is_code(code) { code } else { "an error without a code" }
}

fn is_code(text: &str) -> bool {
    text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}
