//! [`Failure`]: why a command did not do what it was told, in one line for a person.

use std::fmt;

use cloakroom::ConfigError;

/// Why a command failed, in one line.
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(text: impl fmt::Display) -> Self {
        Self(text.to_string())
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let messages: Vec<_> = error.problems().iter().map(|it| it.message.as_str()).collect();
        Self(messages.join("; "))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.replace(['\r', '\n'], " "))
    }
}
