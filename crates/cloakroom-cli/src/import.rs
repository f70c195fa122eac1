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

use cloakroom_import::{Import, Interrupted, Library, OwnerField};
use cloakroom_redis::{ForeignCursor, RedisConfig, RedisSessionStorage};

use crate::ending::Ending;
use crate::failure::Failure;
use crate::installation::{Installation, warn_of_password};
use crate::output::remark;
use crate::shown::shown;
use crate::{consent, installation, output};
use outcome::Outcome;
use watch::Watch;

const FROM_URL: &str = "CLOAKROOM_IMPORT_FROM_URL";

/// Where axum-login keeps the user, and what it would look at beside that.
const AXUM_LOGIN: &str = "axum-login.data.user_id";
const UNCHECKED: &str = "axum-login also compares auth_hash with the user's present one, and signs out \
                         who has changed the password elsewhere; this import cannot. \
                         docs/moving/tower-sessions.md shows how a program does";

pub(crate) const EXAMPLES: &str = "\
It asks before it writes; where nobody can be asked, that needs --yes. Ctrl-C stops it after the
round that is under way, and the report says how to go on (exit code 130); a second one ends it at
once.

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
    /// [env: CLOAKROOM_IMPORT_FROM_URL]
    #[arg(long, value_name = "URL")]
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
    // What is begun is gone on with.
    let is_first = !options.dry_run && options.resume.is_none();
    if let Some(path) = options.owner_field.as_ref().filter(|_| is_first)
        && !import.finds_an_owner().await.map_err(Failure::new)?
    {
        return Err(Failure::new(format!(
            "nobody is signed in to any of the sessions by the field {}; nothing was written. \
             --dry-run without --owner-field counts the sessions, and leaving it out takes them \
             with nobody signed in",
            shown(path)
        )));
    }
    let watch = Watch::start()?;
    let from = options.resume.clone().unwrap_or_default();
    let ran = import.run(from, |report| watch.show(report)).await;
    let is_stopped = watch.is_stopped();
    drop(watch);
    let (report, failure) = match ran {
        Ok(report) => {
            let stopped = report.resume.as_ref();
            let stopped = stopped.map(|_| Failure::interrupted("the import was stopped"));
            (report, stopped)
        }
        Err(interrupted) => {
            // Whoever has asked for the end has got it.
            let failure = match is_stopped {
                true => Failure::interrupted(&interrupted),
                false => Failure::new(&interrupted),
            };
            let Interrupted { report, .. } = interrupted;
            (report, Some(failure))
        }
    };
    let outcome = Outcome::of(&report, options.dry_run);
    options.output.open().write(&outcome, Outcome::text)?;
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
        if let Some(url) = &self.from_url {
            warn_of_password(
                "--from-url",
                url,
                "write the whole URL into CLOAKROOM_IMPORT_FROM_URL",
            );
        }
        let variable = std::env::var(FROM_URL).ok().filter(|url| !url.is_empty());
        let source = match self.from_url.as_ref().or(variable.as_ref()) {
            Some(url) => RedisConfig::from_url(url),
            None => installation.config.server(),
        };
        let prefix = self.from_prefix.as_deref();
        let mut import = Import::connect(self.from, source, prefix, target).await?;
        if let Some(path) = &self.owner_field {
            if path == AXUM_LOGIN {
                remark(UNCHECKED);
            }
            import = import.owner_field(OwnerField::new(path));
        }
        Ok(if self.dry_run { import.dry_run() } else { import })
    }
}
