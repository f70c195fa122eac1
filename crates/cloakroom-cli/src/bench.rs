//! `cloakroom bench`: measures for some seconds what an installation can do.
//!
//! It goes through the storage that applications use, on sessions of its own: their names begin with
//! the prefix and `bench:`, and they live for a few minutes should nobody be left to remove them.
//!
//! ```text
//! plan.rs   what is done, how long and by how many    load.rs      the work, phase by phase
//! deed.rs   one operation on one session              worker.rs    one of those who work at once
//! figures.rs  rates and times                         report.rs    what they mean, in words
//! ```

mod deed;
mod figures;
mod load;
mod plan;
mod report;
mod worker;

use crate::failure::Failure;
use crate::signals::Signals;
use crate::{consent, installation, output};
use load::Load;
use plan::Plan;

pub(crate) const EXAMPLES: &str = "\
It asks before it loads another machine; where nobody can be asked, that needs --yes.
Ctrl-C ends it, and what it has made is removed all the same (exit code 130).
Where operations fail it ends with 1, after the figures of the others.

Examples:
  cloakroom bench --url redis://localhost:6379
  cloakroom bench --config session.toml --seconds 30 --concurrency 256 --yes --json";

/// What comes behind the prefix in the names of the sessions.
const OWN_PREFIX: &str = "bench:";

/// How much is done.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    installation: installation::Options,
    /// How long reads, writes and the mix are measured altogether
    #[arg(long, default_value = "5", value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// How many sessions there are
    #[arg(long, default_value = "2000", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    sessions: u64,
    /// How many requests are under way at once
    #[arg(long, default_value = "64", value_parser = clap::value_parser!(u16).range(1..=4096))]
    concurrency: u16,
    #[command(flatten)]
    consent: consent::Options,
    #[command(flatten)]
    output: output::Options,
}

/// Measures and prints.
pub(crate) async fn run(options: Options) -> Result<(), Failure> {
    let mut installation = options.installation.resolve()?;
    let plan = Plan::new(options.seconds, options.sessions, options.concurrency.into());
    if !installation.config.server().is_local()? {
        let question = format!(
            "This loads {} as much as it can for about {} s, and whoever uses it will feel it. Go on?",
            installation.place,
            options.seconds + 2
        );
        options.consent.ask(&question)?;
    }
    installation.config.prefix.push_str(OWN_PREFIX);
    installation.config.default_ttl = plan.life();
    // What is measured is the server.
    installation.config.near_cache = None;
    let storage = installation.open().await?;
    let signals = Signals::listen().map_err(Failure::new)?;
    let mut measured = Load::new(storage, plan).run(signals).await?;
    let (failed, first) = (measured.failed(), measured.first_failure.take());
    let told = report::Told::new(installation.place, &plan, measured);
    options.output.open().write(&told, report::text)?;
    match first {
        Some(first) => Err(Failure::new(format!(
            "operations that failed: {failed}; the first because: {first}; `cloakroom doctor` may \
             know more"
        ))),
        None => Ok(()),
    }
}
