//! [`ConfigError`]: what a person has to mend before the application can start.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// A start-up that was refused: every problem at once, each with its field and its remedy.
#[derive(Clone)]
pub struct ConfigError {
    kind: ConfigErrorKind,
    problems: Vec<Problem>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// Why a start-up was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigErrorKind {
    /// A setting makes no sense.
    Invalid,
    /// The storage's server could not be reached.
    Unreachable,
    /// The storage's server did not answer in time.
    Timeout,
    /// The storage's server refused the credentials or the command.
    Denied,
}

/// One setting that has to change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The setting's name, as it is written in code and configuration.
    pub field: &'static str,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl Problem {
    /// A problem with one setting.
    pub fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}

impl ConfigError {
    /// One problem of a kind.
    pub fn new(kind: ConfigErrorKind, field: &'static str, message: impl Into<String>) -> Self {
        Self { kind, problems: vec![Problem::new(field, message)], source: None }
    }

    /// `Ok` where the list is empty, otherwise an error with all of it.
    ///
    /// # Errors
    /// The given problems, with the kind [`ConfigErrorKind::Invalid`].
    pub fn check(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() {
            return Ok(());
        }
        Err(Self { kind: ConfigErrorKind::Invalid, problems, source: None })
    }

    /// The same error with its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Why the start-up was refused.
    pub fn kind(&self) -> ConfigErrorKind {
        self.kind
    }

    /// All that has to change.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Debug for ConfigError {
    /// The text for people as well: it is what a `main` that returns the error prints.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConfigError({self})")
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            let separator = if at == 0 { "" } else { "; " };
            write!(f, "{separator}{}: {}", problem.field, problem.message)?;
        }
        Ok(())
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
