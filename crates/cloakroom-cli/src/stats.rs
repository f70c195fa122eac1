//! `cloakroom stats`: how many sessions there are and what they take; with `--full` also whose they
//! are, how large, how old and how long unused.
//!
//! ```text
//! tally.rs    what is counted on a walk    ages.rs   how many fall into each span of time
//! report.rs   the text for people
//! ```

mod ages;
mod report;
mod tally;

use std::collections::BTreeMap;

use cloakroom::{Engine, Position, SessionStorage};
use serde::Serialize;

use crate::ending::Ending;
use crate::failure::Failure;
use crate::installation::Purpose;
use crate::progress::Progress;
use crate::signals::Signals;
use crate::walk::{Stop, Walk};
use crate::{installation, output};
use tally::{Tally, Walked};

pub(crate) const EXAMPLES: &str = "\
It counts on a walk over all keys, while others go on: it says \"about so many\". With --full it
also reads the beginning of each session's record, two kilobytes, and none of its values.

Examples:
  cloakroom stats --url redis://localhost:6379
  cloakroom stats --full --json";

/// The storage's own figures that say something to whoever asks from outside of the application.
const SERVER: [&str; 7] = [
    "nodes",
    "used_memory",
    "used_memory_peak",
    "used_memory_rss",
    "maxmemory",
    "maxmemory_policy",
    "mem_fragmentation_ratio",
];

/// What is counted.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Look at each session: owners, sizes, ages
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    installation: installation::Options,
    #[command(flatten)]
    output: output::Options,
}

/// What machines are told.
#[derive(Serialize)]
struct Told {
    place: String,
    sessions: u64,
    bytes: u64,
    server: BTreeMap<String, String>,
    #[serde(flatten)]
    walked: Option<Walked>,
}

/// Counts and prints.
pub(crate) async fn run(options: Options) -> Result<Ending, Failure> {
    let installation = options.installation.resolve()?;
    let place = installation.place.clone();
    let engine = installation.engine(Purpose::Look).await?;
    let mut told = count(&engine, place).await?;
    if options.full {
        told.walked = Some(walk(&engine).await?);
    }
    options.output.open().write(&told, report::text)?;
    Ok(Ending::Done)
}

async fn count(engine: &Engine, place: String) -> Result<Told, Failure> {
    let progress = Progress::waiting(format!("Counting in {place}"));
    let mut signals = Signals::listen().map_err(Failure::new)?;
    let stats = tokio::select! {
        stats = engine.storage().stats() => stats.map_err(Failure::new)?,
        () = signals.next() => return Err(cut_short(&Stop::Interrupted)),
    };
    drop(progress);
    let mut server = stats.backend_metrics;
    server.retain(|name, _| SERVER.contains(&name.as_str()));
    let (sessions, bytes) = (stats.total_sessions, stats.total_bytes);
    Ok(Told { place, sessions, bytes, server, walked: None })
}

async fn walk(engine: &Engine) -> Result<Walked, Failure> {
    let mut walk = Walk::begin(engine, Position::start(), "looking at the sessions")?;
    let mut tally = Tally::new()?;
    loop {
        match walk.next().await {
            Ok(Some(sessions)) => sessions.iter().for_each(|facts| tally.add(facts)),
            Ok(None) => return Ok(tally.walked(walk.unreadable())),
            Err(stop) => return Err(cut_short(&stop)),
        }
    }
}

fn cut_short(stop: &Stop) -> Failure {
    match stop {
        Stop::Interrupted => Failure::interrupted("ended before all sessions were counted"),
        Stop::Failed(error) => {
            Failure::new(format!("not all sessions could be looked at: {error}"))
        }
    }
}
