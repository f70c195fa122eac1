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

use cloakroom::{Engine, Position, SessionFacts, SessionStorage};
use serde::Serialize;

use crate::ending::Ending;
use crate::failure::Failure;
use crate::installation::Purpose;
use crate::output::remark;
use crate::walk::{Stop, Walk};
use crate::{installation, output};
use tally::{Tally, Walked};

pub(crate) const EXAMPLES: &str = "\
It counts on a walk over all keys, while others go on: it says \"about so many\". It reads the
beginning of each session's record, two kilobytes, and none of its values.

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
    let (engine, storage) = installation.engine_and_storage(Purpose::Look).await?;
    let mut told = Told { place, sessions: 0, bytes: 0, server: BTreeMap::new(), walked: None };
    told.count(&engine, options.full).await?;
    match storage.backend_metrics().await {
        Ok(figures) => told.server = figures,
        Err(error) => remark(&format!("the server's own figures are not known: {error}")),
    }
    told.server.retain(|name, _| SERVER.contains(&name.as_str()));
    options.output.open().write(&told, report::text)?;
    Ok(Ending::Done)
}

impl Told {
    async fn count(&mut self, engine: &Engine, full: bool) -> Result<(), Failure> {
        let mut walk = Walk::begin(engine, Position::start(), "counting the sessions")?;
        let mut tally = full.then(Tally::new).transpose()?;
        loop {
            let sessions = match walk.next().await {
                Ok(Some(sessions)) => sessions,
                Ok(None) => break,
                Err(stop) => return Err(cut_short(&stop)),
            };
            self.sessions += sessions.len() as u64;
            self.bytes += sessions.iter().map(SessionFacts::size).sum::<u64>();
            if let Some(tally) = &mut tally {
                sessions.iter().for_each(|facts| tally.add(facts));
            }
        }
        self.walked = tally.map(|tally| tally.walked(walk.unreadable()));
        Ok(())
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
