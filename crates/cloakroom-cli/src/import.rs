//! `cloakroom import`: takes the sessions of another library into the application's storage.
//!
//! ```text
//! question.rs  whether it may begin      progress.rs  how far it is, and Ctrl-C
//! outcome.rs   the report, for people and for machines
//! ```
//!
//! The report goes to the standard output, everything else to the standard error output. Neither
//! ever holds a whole key's name, a value or a URL.

mod outcome;
mod progress;
mod question;

use std::io::{self, Write};

use cloakroom_import::{Import, Interrupted, Library, OwnerField};
use cloakroom_redis::{
    DEFAULT_PREFIX, DEFAULT_URL, ForeignCursor, RedisConfig, RedisSessionStorage,
};

use crate::failure::Failure;
use progress::Progress;

/// Where the sessions come from, where they go, and how.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The library that the sessions come from: tower-sessions, actix-session, connect-redis or
    /// spring-session
    #[arg(long, value_name = "LIBRARY")]
    from: Library,
    /// The Redis that the application's sessions go into
    #[arg(long, env = "CLOAKROOM_REDIS_URL", default_value = DEFAULT_URL, hide_env_values = true)]
    url: String,
    /// The Redis that the other library has used [default: the same]
    #[arg(long, env = "CLOAKROOM_IMPORT_FROM_URL", hide_env_values = true, value_name = "URL")]
    from_url: Option<String>,
    /// What the names of the application's keys begin with
    #[arg(long, default_value = DEFAULT_PREFIX)]
    prefix: String,
    /// What the names of the other library's keys begin with [default: what it uses by itself]
    #[arg(long, value_name = "PREFIX")]
    from_prefix: Option<String>,
    /// Which field holds the user, for example passport.user; without it nobody is signed in
    #[arg(long, value_name = "PATH")]
    owner_field: Option<String>,
    /// How many bytes a session may take, as the application's storage was told
    #[arg(long, value_name = "BYTES", default_value_t = cloakroom::DEFAULT_MAX_SESSION_BYTES)]
    max_session_bytes: usize,
    /// Where an earlier import has stopped
    #[arg(long, value_name = "CURSOR")]
    resume: Option<ForeignCursor>,
    /// Read everything and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask before it begins
    #[arg(long)]
    yes: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Imports, and prints what has become of the sessions.
pub(crate) async fn run(options: Options) -> Result<(), Failure> {
    if !options.dry_run && !options.yes {
        question::ask(options.from)?;
    }
    let import = options.import().await?;
    let progress = Progress::start();
    let from = options.resume.clone().unwrap_or_default();
    let ran = import.run(from, |report| progress.show(report)).await;
    progress.end();
    let (report, failure) = match ran {
        Ok(report) => {
            let stopped = report.resume.as_ref().map(|_| Failure::new("the import was stopped"));
            (report, stopped)
        }
        Err(interrupted) => {
            let failure = Failure::new(&interrupted);
            let Interrupted { report, .. } = interrupted;
            (report, Some(failure))
        }
    };
    let text = match options.json {
        true => outcome::json(&report, options.dry_run),
        false => outcome::text(&report, options.dry_run),
    };
    writeln!(io::stdout(), "{text}").map_err(Failure::new)?;
    failure.map_or(Ok(()), Err)
}

impl Options {
    async fn import(&self) -> Result<Import<RedisSessionStorage>, Failure> {
        let target = RedisSessionStorage::builder()
            .url(&self.url)
            .prefix(&self.prefix)
            .max_session_bytes(self.max_session_bytes)
            .build()
            .await?;
        let source = RedisConfig::from_url(self.from_url.as_ref().unwrap_or(&self.url));
        let prefix = self.from_prefix.as_deref();
        let mut import = Import::connect(self.from, source, prefix, target).await?;
        if let Some(path) = &self.owner_field {
            import = import.owner_field(OwnerField::new(path));
        }
        Ok(if self.dry_run { import.dry_run() } else { import })
    }
}
