//! [`Environment`]: the variables that say where the sessions are.

use std::ffi::OsString;
use std::path::PathBuf;

use cloakroom_redis::Password;

use crate::failure::Failure;

const PASSWORD: &str = "CLOAKROOM_REDIS_PASSWORD";
const PASSWORD_FILE: &str = "CLOAKROOM_REDIS_PASSWORD_FILE";

/// What the variables say. An empty one says nothing.
#[derive(Default)]
pub(super) struct Environment {
    pub(super) url: Option<String>,
    pub(super) config: Option<PathBuf>,
    pub(super) prefix: Option<String>,
    pub(super) username: Option<String>,
    password: Option<Password>,
    password_file: Option<PathBuf>,
}

impl Environment {
    pub(super) fn read() -> Result<Self, Failure> {
        Self::of(|name| std::env::var_os(name))
    }

    pub(super) fn of(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, Failure> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let text = |name: &str| match variable(name).map(OsString::into_string) {
            None => Ok(None),
            Some(Ok(text)) => Ok(Some(text)),
            Some(Err(_)) => Err(Failure::new(format!("{name} holds what is no text"))),
        };
        Ok(Self {
            url: text("CLOAKROOM_REDIS_URL")?,
            config: variable("CLOAKROOM_REDIS_CONFIG").map(PathBuf::from),
            prefix: text("CLOAKROOM_REDIS_PREFIX")?,
            username: text("CLOAKROOM_REDIS_USERNAME")?,
            password: text(PASSWORD)?.map(Password::from),
            password_file: variable(PASSWORD_FILE).map(PathBuf::from),
        })
    }

    /// The password, or the file that it is in.
    pub(super) fn password(&self) -> Result<Option<Password>, Failure> {
        match (&self.password, &self.password_file) {
            (Some(_), Some(_)) => {
                let text = format!("{PASSWORD} and {PASSWORD_FILE} exclude each other; keep one");
                Err(Failure::new(text))
            }
            (password, file) => Ok(password.clone().or_else(|| file.clone().map(Password::file))),
        }
    }
}
