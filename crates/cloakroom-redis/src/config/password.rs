//! [`Password`]: a password, or the place where it is kept, so that none has to stand in a file that
//! others read.

use std::fmt;
use std::path::PathBuf;

use cloakroom::Problem;
use serde::{Deserialize, Serialize};

use crate::address::Secret;

/// A password, or the place where it is kept.
///
/// In a file it is the text itself, `{ file = "/run/secrets/redis" }` or
/// `{ env = "REDIS_PASSWORD" }`. It is read when the storage is built; a line break at its end does
/// not count.
///
/// ```
/// use cloakroom_redis::Password;
///
/// let shown = format!("{:?} {:?}", Password::from("correct-horse"), Password::env("REDIS"));
/// assert_eq!(shown, r#"Text(..) Env("REDIS")"#);
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
#[non_exhaustive]
pub enum Password {
    /// The password itself.
    Text(String),
    /// A file that holds it.
    File(PathBuf),
    /// The name of an environment variable that holds it.
    Env(String),
}

/// The shape in configuration files.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged, expecting = "a password, { file = \"path\" } or { env = \"NAME\" }")]
enum Written {
    Text(String),
    Elsewhere(Elsewhere),
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Elsewhere {
    File(PathBuf),
    Env(String),
}

impl Password {
    /// The password that a file holds.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::File(path.into())
    }

    /// The password that an environment variable holds.
    pub fn env(name: impl Into<String>) -> Self {
        Self::Env(name.into())
    }

    /// Fetches it from where it is.
    pub(crate) fn fetch(&self, field: &'static str) -> Result<Secret, Problem> {
        let kept = match self {
            Self::Text(text) => return Ok(Secret::new(text)),
            Self::File(path) => std::fs::read_to_string(path).map_err(|error| {
                let path = path.display();
                Problem::new(field, format!("the file {path} cannot be read: {error}"))
            })?,
            Self::Env(name) => std::env::var(name).map_err(|_| {
                let message = format!("there is no environment variable {name} with a text in it");
                Problem::new(field, message)
            })?,
        };
        let kept = kept.strip_suffix('\n').unwrap_or(&kept);
        let kept = kept.strip_suffix('\r').unwrap_or(kept);
        if kept.is_empty() {
            return Err(Problem::new(field, format!("{self:?} is empty")));
        }
        Ok(Secret::new(kept))
    }
}

impl From<Written> for Password {
    fn from(written: Written) -> Self {
        match written {
            Written::Text(text) => Self::Text(text),
            Written::Elsewhere(Elsewhere::File(path)) => Self::File(path),
            Written::Elsewhere(Elsewhere::Env(name)) => Self::Env(name),
        }
    }
}

impl From<Password> for Written {
    fn from(password: Password) -> Self {
        match password {
            Password::Text(text) => Self::Text(text),
            Password::File(path) => Self::Elsewhere(Elsewhere::File(path)),
            Password::Env(name) => Self::Elsewhere(Elsewhere::Env(name)),
        }
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(..)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Env(name) => f.debug_tuple("Env").field(name).finish(),
        }
    }
}
