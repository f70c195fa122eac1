//! `cloakroom import`: takes the sessions of another library into the application's storage.
//!
//! ```text
//! watch.rs     how far it is, and Ctrl-C    outcome.rs   the report, for people and for machines
//! ```
//!
//! The report goes to the standard output, everything else to the standard error output. Neither
//! ever holds a whole key's name, a value or a URL.

mod outcome;
mod watch;

use std::io::{self, Write};

use cloakroom_import::{Import, Interrupted, Library, OwnerField};
use cloakroom_redis::{ForeignCursor, RedisConfig, RedisSessionStorage};

use crate::ending::Ending;
use crate::failure::Failure;
use crate::installation::Installation;
use crate::{consent, installation, output};
use watch::Watch;

pub(crate) const EXAMPLES: &str = "\
It asks before it writes; where nobody can be asked, that needs --yes. Ctrl-C stops it after the
round that is under way, and the report says how to go on (exit code 130).

Examples:
  cloakroom import --from connect-redis --owner-field passport.user --dry-run
  cloakroom import --from tower-sessions --from-url redis://old:6379 --yes";

/// Where the sessions come from, where they go, and how.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The library that the sessions come from: tower-sessions, actix-session, connect-redis or
    /// spring-session
    #[arg(long, value_name = "LIBRARY")]
    from: Library,
    #[command(flatten)]
    installation: installation::Options,
    /// The Redis that the other library has used [default: the same]
    #[arg(long, env = "CLOAKROOM_IMPORT_FROM_URL", hide_env_values = true, value_name = "URL")]
    from_url: Option<String>,
    /// What the names of the other library's keys begin with [default: what it uses by itself]
    #[arg(long, value_name = "PREFIX")]
    from_prefix: Option<String>,
    /// Which field holds the user, for example passport.user; without it nobody is signed in
    #[arg(long, value_name = "PATH")]
    owner_field: Option<String>,
    /// How many bytes a session may take [default: what the configuration says, else 65536]
    #[arg(long, value_name = "BYTES")]
    max_session_bytes: Option<usize>,
    /// Where an earlier import has stopped
    #[arg(long, value_name = "CURSOR")]
    resume: Option<ForeignCursor>,
    /// Read everything and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    consent: consent::Options,
    #[command(flatten)]
    output: output::Options,
}

/// Imports, and prints what has become of the sessions.
pub(crate) async fn run(options: Options) -> Result<Ending, Failure> {
    let installation = options.installation()?;
    if !options.dry_run {
        let (from, place) = (options.from, &installation.place);
        options.consent.ask(&format!("Write the sessions of {from} into {place}?"))?;
    }
    let import = options.import(&installation).await?;
    let watch = Watch::start()?;
    let from = options.resume.clone().unwrap_or_default();
    let ran = import.run(from, |report| watch.show(report)).await;
    drop(watch);
    let (report, failure) = match ran {
        Ok(report) => {
            let stopped = report.resume.as_ref();
            let stopped = stopped.map(|_| Failure::interrupted("the import was stopped"));
            (report, stopped)
        }
        Err(interrupted) => {
            let failure = Failure::new(&interrupted);
            let Interrupted { report, .. } = interrupted;
            (report, Some(failure))
        }
    };
    let text = match options.output.json {
        true => outcome::json(&report, options.dry_run),
        false => outcome::text(&report, options.dry_run),
    };
    writeln!(io::stdout(), "{text}").map_err(Failure::new)?;
    failure.map_or(Ok(Ending::Done), Err)
}

impl Options {
    /// Where the sessions go.
    fn installation(&self) -> Result<Installation, Failure> {
        let mut installation = self.installation.resolve()?;
        if let Some(bytes) = self.max_session_bytes {
            installation.config.max_session_bytes = bytes;
        }
        Ok(installation)
    }

    async fn import(
        &self,
        installation: &Installation,
    ) -> Result<Import<RedisSessionStorage>, Failure> {
        let target = installation.open().await?;
        let source = match &self.from_url {
            Some(url) => RedisConfig::from_url(url),
            None => installation.config.server(),
        };
        let prefix = self.from_prefix.as_deref();
        let mut import = Import::connect(self.from, source, prefix, target).await?;
        if let Some(path) = &self.owner_field {
            import = import.owner_field(OwnerField::new(path));
        }
        Ok(if self.dry_run { import.dry_run() } else { import })
    }
}
