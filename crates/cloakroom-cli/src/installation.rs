//! [`Options`]: where the sessions are, for every command that looks at them.
//!
//! ```text
//! environment.rs  the variables             file.rs  the application's configuration
//! precedence.rs   which of them counts      url.rs   passwords in URLs
//! role.rs         whether the servers are primaries
//! ```

mod environment;
mod file;
mod precedence;
mod role;
mod url;

use std::path::PathBuf;

use cloakroom::{ConfigError, Engine, EngineBuilder, Policy};
use cloakroom_redis::{DEFAULT_PREFIX, RedisSessionStorage, RedisStorageConfig};

use crate::failure::Failure;
use crate::output::remark;
use crate::shown::shown;
use environment::Environment;
use precedence::Choice;

pub(crate) use file::can_all_read;
pub(crate) use role::Purpose;

/// What to do instead of writing a password into `--url`.
const INSTEAD: &str = "write it into CLOAKROOM_REDIS_PASSWORD, or as password = { file = \"…\" } \
                       into the file that --config names";

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
    /// Its name for people, without credentials: the server, and the database and the prefix unless
    /// they are the usual ones, because several installations may share a server.
    pub(crate) place: String,
}

impl Options {
    /// Reads flags, environment and file.
    pub(crate) fn resolve(&self) -> Result<Installation, Failure> {
        if let Some(url) = &self.url {
            warn_of_password("--url", url, INSTEAD);
        }
        let config = self.merge(&Environment::read()?)?;
        let mut place = format!("Redis at {}", config.server().place()?);
        if config.prefix != DEFAULT_PREFIX {
            place += &format!(", prefix {}", shown(&config.prefix));
        }
        Ok(Installation { config, place })
    }

    /// Whether a flag names a server.
    pub(crate) fn has_url(&self) -> bool {
        self.url.is_some()
    }

    /// The flags as they can be written once more, without passwords.
    pub(crate) fn repeated(&self) -> String {
        let url = self.url.as_deref().map(|url| if url::holds_password(url) { "…" } else { url });
        let config = self.config.as_ref().map(|path| path.to_string_lossy());
        let words =
            [("url", url), ("config", config.as_deref()), ("prefix", self.prefix.as_deref())];
        let words = words.into_iter().filter_map(|(name, value)| Some((name, value?)));
        words.map(|(name, value)| format!(" --{name} {}", quoted(value))).collect()
    }

    fn merge(&self, environment: &Environment) -> Result<RedisStorageConfig, Failure> {
        let Self { url, config, prefix } = self;
        let choice = Choice { url: url.as_ref(), config: config.as_ref(), prefix: prefix.as_ref() };
        choice.complete(environment)
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
    pub(crate) async fn engine(self, purpose: Purpose) -> Result<Engine, Failure> {
        self.engine_and_storage(purpose).await.map(|(engine, _)| engine)
    }

    /// The same for whoever asks what only a Redis can tell.
    pub(crate) async fn engine_and_storage(
        self,
        purpose: Purpose,
    ) -> Result<(Engine, RedisSessionStorage), Failure> {
        self.engine_with(purpose, |engine| engine).await
    }

    /// The same for whoever has a policy or an observer of their own.
    pub(crate) async fn engine_with(
        mut self,
        purpose: Purpose,
        own: impl FnOnce(EngineBuilder) -> EngineBuilder,
    ) -> Result<(Engine, RedisSessionStorage), Failure> {
        self.config.near_cache = None;
        let storage = self.open().await?;
        let engine = own(Engine::builder(storage.clone()).policy(Policy::default())).build()?;
        purpose.check(&engine.health())?;
        Ok((engine, storage))
    }
}

/// As a shell reads one word.
fn quoted(word: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "-_./:@%+=,".contains(it);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests;
