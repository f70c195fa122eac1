//! `cloakroom doctor`: prints what an examination of the servers has found.
//!
//! The examination is the library's, and so are its words; here is what they look like.

mod report;

use cloakroom_redis::{Diagnosis, Examination, Verdict};
use serde::Serialize;

use crate::ending::Ending;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{installation, output};

pub(crate) const EXAMPLES: &str = "\
Exit codes:
  0  nothing is worse than good to know
  1  nothing could be examined: unreachable, or refused
  2  the configuration makes no sense
  3  there are warnings
  4  there are errors

Examples:
  cloakroom doctor --url redis://localhost:6379
  cloakroom doctor --config session.toml --json
  cloakroom doctor --problems || mail -s 'sessions are at risk' operators";

/// What is examined, and how it is told.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    installation: installation::Options,
    /// How many times the latency is measured
    #[arg(long, default_value_t = Examination::DEFAULT_ROUNDS)]
    rounds: u32,
    /// Print warnings and errors only
    #[arg(long)]
    problems: bool,
    #[command(flatten)]
    output: output::Options,
}

/// What machines are told.
#[derive(Serialize)]
struct Told {
    verdict: Verdict,
    #[serde(flatten)]
    diagnosis: Diagnosis,
}

/// Examines and prints.
pub(crate) async fn run(options: Options) -> Result<Ending, Failure> {
    let installation = options.installation.resolve()?;
    let progress = Progress::waiting(format!("Looking at {}", installation.place));
    let diagnosis = Examination::new(installation.config).rounds(options.rounds).run().await?;
    drop(progress);
    let verdict = diagnosis.verdict();
    let mut told = Told { verdict, diagnosis };
    let counted = report::counted(&told.diagnosis);
    if options.problems {
        let problems = told.diagnosis.problems().cloned().collect();
        told.diagnosis.findings = problems;
    }
    options.output.open().write(&told, |told| report::text(&told.diagnosis, &counted))?;
    Ok(match verdict {
        Verdict::Sound => Ending::Done,
        Verdict::Warnings => Ending::Warnings,
        Verdict::Errors => Ending::Errors,
        _ => Ending::Failed,
    })
}
