//! [`Failure`]: why a command did not do what it was told, in one line for a person.

use std::fmt;

use cloakroom::{ConfigError, ConfigErrorKind};

use crate::ending::Ending;

/// Why a command failed, in one line.
#[derive(Debug)]
pub(crate) struct Failure {
    text: String,
    ending: Ending,
}

impl Failure {
    pub(crate) fn new(text: impl fmt::Display) -> Self {
        Self { text: text.to_string(), ending: Ending::Failed }
    }

    /// The arguments make no sense, or not here.
    pub(crate) fn misused(text: impl fmt::Display) -> Self {
        Self { text: text.to_string(), ending: Ending::Misused }
    }

    /// What was asked for is not there.
    pub(crate) fn not_found(text: impl fmt::Display) -> Self {
        Self { text: text.to_string(), ending: Ending::NotFound }
    }

    /// Somebody has ended it before it was done.
    pub(crate) fn interrupted(text: impl fmt::Display) -> Self {
        Self { text: text.to_string(), ending: Ending::Interrupted }
    }

    /// The exit code that goes with it.
    pub(crate) fn ending(&self) -> Ending {
        self.ending
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let messages: Vec<_> = error.problems().iter().map(|it| it.message.as_str()).collect();
        let text = messages.join("; ");
        // A script has to tell a typing mistake from an outage.
        match error.kind() {
            ConfigErrorKind::Invalid => Self::misused(text),
            _ => Self::new(text),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text.replace(['\r', '\n'], " "))
    }
}
