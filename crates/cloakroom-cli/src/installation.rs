//! [`Options`]: where the sessions are, for every command that looks at them.
//!
//! A flag counts before the environment, the environment before a file, a file before the default. A
//! URL replaces all that the file says about the server and the way in, so that no password of the
//! file ever goes to a server that the file does not name.

mod environment;
mod file;
mod url;

use std::path::PathBuf;

use cloakroom::{ConfigError, Engine, Policy};
use cloakroom_redis::{Password, Plaintext, RedisSessionStorage, RedisStorageConfig};

use crate::failure::Failure;
use crate::output::remark;
use environment::Environment;

const INSTEAD: &str = "write it into CLOAKROOM_REDIS_PASSWORD, or as password = { file = \"…\" } into \
                       the file that --config names";

/// Where the sessions are.
#[derive(clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Where the sessions are")]
pub(crate) struct Options {
    /// Redis or Valkey, with redis, rediss, unix, redis+sentinel or redis+cluster as its scheme
    /// [env: CLOAKROOM_REDIS_URL] [default: redis://localhost:6379]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The application's configuration of the storage, in TOML [env: CLOAKROOM_REDIS_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// What the names of the storage's keys begin with [env: CLOAKROOM_REDIS_PREFIX]
    /// [default: cloakroom:session:]
    #[arg(long)]
    prefix: Option<String>,
}

/// Where the sessions are, altogether.
pub(crate) struct Installation {
    pub(crate) config: RedisStorageConfig,
    /// Its name for people, without credentials.
    pub(crate) place: String,
}

impl Options {
    /// Reads flags, environment and file.
    pub(crate) fn resolve(&self) -> Result<Installation, Failure> {
        if let Some(url) = &self.url {
            warn_of_password("--url", url, INSTEAD);
        }
        let config = self.merge(&Environment::read()?)?;
        let place = format!("Redis at {}", config.server().place()?);
        Ok(Installation { config, place })
    }

    fn merge(&self, environment: &Environment) -> Result<RedisStorageConfig, Failure> {
        let file = self.config.clone().or_else(|| environment.config.clone());
        let mut config =
            file.map_or_else(|| Ok(RedisStorageConfig::default()), |it| file::read(&it))?;
        let url = self.url.as_ref().or(environment.url.as_ref());
        if let Some(url) = url {
            forget_the_server(&mut config);
            config.url.clone_from(url);
        }
        // What stands in a URL was meant for it.
        if !url.is_some_and(|url| url::holds_credentials(url)) {
            if let Some(password) = environment.password()? {
                config.password = Some(password);
            }
            if let Some(user) = &environment.username {
                config.username = Some(user.clone());
            }
        }
        if let Some(prefix) = self.prefix.as_ref().or(environment.prefix.as_ref()) {
            config.prefix.clone_from(prefix);
        }
        Ok(config)
    }
}

/// Says so where a URL with a password stands on the command line, whichever option it belongs to. One
/// that came in by the environment is nobody else's to read.
pub(crate) fn warn_of_password(option: &str, url: &str, instead: &str) {
    let is_argument = || std::env::args_os().any(|it| it.to_string_lossy().contains(url));
    if url::holds_password(url) && is_argument() {
        remark(&format!("every user of this machine can read the password in {option}; {instead}"));
    }
}

impl Installation {
    /// Opens the storage, with every one of the configuration's values.
    pub(crate) async fn open(&self) -> Result<RedisSessionStorage, ConfigError> {
        let config = &self.config;
        RedisSessionStorage::builder()
            .server(config.server())
            .prefix(&config.prefix)
            .connection_timeout(config.connection_timeout)
            .command_timeout(config.command_timeout)
            .default_ttl(config.default_ttl)
            .max_session_bytes(config.max_session_bytes)
            .near_cache(config.near_cache)
            .build()
            .await
    }

    /// Opens what finds and ends sessions. It needs no near-cache, and none of the application's policy.
    pub(crate) async fn engine(mut self) -> Result<Engine, ConfigError> {
        self.config.near_cache = None;
        Engine::builder(self.open().await?).policy(Policy::default()).build()
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

#[cfg(test)]
mod tests;
