//! [`Choice`]: which of flags, environment, file and default say where the sessions are.
//!
//! What a flag names stands alone; the environment says only what neither the flags nor the file do.
//! A URL replaces the way in that a file tells, and the login of the environment goes to the server
//! of the environment: no password reaches a server that it was not meant for.

use std::path::PathBuf;

use cloakroom_redis::{Password, Plaintext, RedisStorageConfig};

use super::environment::Environment;
use super::file::File;
use super::url::Login;
use crate::failure::Failure;

/// What the flags name.
pub(super) struct Choice<'a> {
    pub(super) url: Option<&'a String>,
    pub(super) config: Option<&'a PathBuf>,
    pub(super) prefix: Option<&'a String>,
}

/// Where the server that counts was named.
enum Named<'a> {
    ByFlag(&'a String),
    ByFileOfFlag,
    ByEnvironment(&'a String),
    ByFileOfEnvironment,
    Nowhere,
}

impl Choice<'_> {
    /// The whole configuration.
    pub(super) fn complete(
        &self,
        environment: &Environment,
    ) -> Result<RedisStorageConfig, Failure> {
        let path = self.config.or(environment.config.as_ref());
        let file = path.map(|path| File::read(path)).transpose()?.unwrap_or_default();
        let named = self.server(environment, &file);
        let is_prefix_of_flag = self.config.is_some() && file.names_prefix;
        let mut config = file.config;
        if let Named::ByFlag(url) | Named::ByEnvironment(url) = named {
            forget_the_server(&mut config);
            config.url.clone_from(url);
        }
        // Read in any case: a contradiction is a mistake even where it does no harm.
        let password = environment.password()?;
        if self.is_for(&named, &config, environment) {
            log_in(&mut config, environment.username.as_deref(), password);
        }
        let prefix = self.prefix.or(environment.prefix.as_ref().filter(|_| !is_prefix_of_flag));
        if let Some(prefix) = prefix {
            config.prefix.clone_from(prefix);
        }
        Ok(config)
    }

    fn server<'a>(&'a self, environment: &'a Environment, file: &File) -> Named<'a> {
        if let Some(url) = self.url {
            return Named::ByFlag(url);
        }
        if self.config.is_some() && file.names_server {
            return Named::ByFileOfFlag;
        }
        match (&environment.url, self.config, &environment.config) {
            (Some(url), ..) => Named::ByEnvironment(url),
            (None, Some(_), _) => Named::ByFileOfFlag,
            (None, None, Some(_)) => Named::ByFileOfEnvironment,
            (None, None, None) => Named::Nowhere,
        }
    }

    /// Whether the environment's login is meant for this server.
    fn is_for(
        &self,
        named: &Named<'_>,
        config: &RedisStorageConfig,
        environment: &Environment,
    ) -> bool {
        let names_none = environment.url.is_none() && environment.config.is_none();
        let is_same_file = environment.url.is_none() && environment.config.as_ref() == self.config;
        match named {
            Named::ByFlag(url) => names_none || environment.url.as_ref() == Some(*url),
            Named::ByFileOfFlag => {
                let user = environment.username.as_ref();
                (names_none || is_same_file)
                    && config.password.is_none()
                    && (user.is_none()
                        || config.username.is_none()
                        || config.username.as_ref() == user)
            }
            Named::ByEnvironment(_) | Named::ByFileOfEnvironment | Named::Nowhere => true,
        }
    }
}

/// Introduces somebody with the login of the environment. What stands in a URL was meant for it.
fn log_in(config: &mut RedisStorageConfig, user: Option<&str>, password: Option<Password>) {
    match Login::of(&config.url) {
        Login::Whole => return,
        // The URL says who it is. Another one's password is no use.
        Login::User(named) if user.is_some_and(|user| user != named) => return,
        Login::User(_) => {}
        Login::Nobody => {
            if let Some(user) = user {
                config.username = Some(user.to_owned());
            }
        }
    }
    if password.is_some() {
        config.password = password;
    }
}

/// Leaves what is the storage's own.
fn forget_the_server(config: &mut RedisStorageConfig) {
    config.username = None;
    config.password = None::<Password>;
    config.database = None;
    config.plaintext = Plaintext::default();
    config.sentinel = None;
    config.cluster = None;
    config.tls = None;
}
