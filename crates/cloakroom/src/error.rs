//! What can go wrong, sorted by who has to act.
//!
//! [`ConfigError`] is for a person at start-up, [`StorageError`] says that the storage could not
//! answer, [`SessionError`] is what a handler or the end of a request meets. A malformed, unknown,
//! expired or superseded ticket is none of these: it means "no session" and an
//! [`Event`](crate::Event). No error here ever holds a token or a value.

mod config;
mod session;
mod storage;

pub use config::{ConfigError, ConfigErrorKind, Problem};
pub use session::SessionError;
pub use storage::{Operation, StorageError, StorageErrorKind};

/// The operating system gave no random bytes, so no ticket could be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomError;

impl std::fmt::Display for RandomError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the operating system gave no random bytes")
    }
}

impl std::error::Error for RandomError {}
