//! `cloakroom revoke-before`: ends every session that was created before a moment, after a breach or
//! when an old copy of the data was restored.
//!
//! It is a walk in bounded steps. However it ends, it tells where it can be taken up again, with the
//! same moment.

use cloakroom::{Position, Timestamp};
use serde::Serialize;

use crate::cutoff::{Cutoff, exact};
use crate::ending::Ending;
use crate::failure::Failure;
use crate::revocation::{self, Mode};
use crate::table::thousands;
use crate::walk::{Stop, Walk};
use crate::{installation, output};

pub(crate) const EXAMPLES: &str = "\
It looks at every session there is, a thousand at a time. If it is ended before it is done (exit
code 130) or the storage does not answer (1), it prints how to go on where it stood.

Examples:
  cloakroom revoke-before 2026-03-01T12:00:00Z --dry-run
  cloakroom revoke-before 2h --yes
  cloakroom revoke-before 2026-03-01T12:00:00Z --resume 12288@127.0.0.1:6379#5d41402a";

/// From when on sessions may live.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The moment in RFC 3339, or how long ago it was by the storage's clock, such as 2h
    #[arg(value_name = "MOMENT")]
    cutoff: Cutoff,
    /// Go on where an earlier run has stopped
    #[arg(long, value_name = "POSITION")]
    resume: Option<Position>,
    #[command(flatten)]
    revocation: revocation::Options,
    #[command(flatten)]
    installation: installation::Options,
    #[command(flatten)]
    output: output::Options,
}

/// What machines are told.
#[derive(Serialize)]
struct Told {
    place: String,
    dry_run: bool,
    before: String,
    /// How many have ended, or would; at least so many where a step was repeated.
    ended: u64,
    looked_at: u64,
    /// How many were left alone because they cannot be read; a walk may meet one twice.
    unreadable: u64,
    /// Whether it has come to its end and could read everything.
    complete: bool,
    /// Where to go on, unless it has come to its end.
    position: Option<String>,
    /// Whether more may have ended than is told.
    at_least: bool,
    #[serde(skip)]
    place_flags: String,
}

/// Ends them.
pub(crate) async fn run(options: Options) -> Result<Ending, Failure> {
    options.revocation.check("This ends every session that was created before a moment.")?;
    let installation = options.installation.resolve()?;
    let place = installation.place.clone();
    let purpose = options.revocation.mode().purpose();
    let (engine, storage) = installation.engine_and_storage(purpose).await?;
    let from = options.resume.unwrap_or_default();
    if !storage.goes_on_at(&from)? {
        output::remark(
            "the position is of other servers, or of another run of them: the walk begins anew",
        );
    }
    let moment = options.cutoff.moment(engine.now().await.map_err(Failure::new)?)?;
    let before = exact(moment);
    let question = format!("This ends every session in {place} that was created before {before}.");
    options.revocation.ask(&format!("{question} Go on?"))?;
    let mode = options.revocation.mode();
    let mut told = Told {
        place,
        dry_run: mode == Mode::Trial,
        before,
        ended: 0,
        looked_at: 0,
        unreadable: 0,
        complete: false,
        position: None,
        at_least: false,
        place_flags: options.installation.repeated(),
    };
    let what = if told.dry_run { "counting the sessions" } else { "ending sessions" };
    let mut walk = Walk::begin(&engine, from, what)?;
    let walked = told.take(&mut walk, mode, moment).await;
    told.complete = walked.is_ok() && told.unreadable == 0;
    told.position = walk.position().map(ToString::to_string);
    told.at_least = walk.has_repeated() || walked.is_err();
    drop(walk);
    options.output.open().write(&told, text)?;
    walked.map_err(|stop| told.cut_short(&stop))?;
    if mode == Mode::Earnest {
        revocation::all_were_read(told.unreadable)?;
    }
    Ok(Ending::Done)
}

impl Told {
    async fn take(&mut self, walk: &mut Walk, mode: Mode, before: Timestamp) -> Result<(), Stop> {
        match mode {
            Mode::Trial => {
                while let Some(sessions) = walk.next().await? {
                    self.looked_at += sessions.len() as u64;
                    let older = sessions.iter().filter(|facts| facts.is_created_before(before));
                    self.ended += older.count() as u64;
                    self.unreadable = walk.unreadable();
                }
            }
            Mode::Earnest => {
                while let Some(page) = walk.revoke_next(before).await? {
                    self.looked_at += page.seen as u64;
                    self.ended += page.ended as u64;
                    self.unreadable += page.unreadable as u64;
                }
            }
        }
        Ok(())
    }

    fn cut_short(&self, stop: &Stop) -> Failure {
        let trial = if self.dry_run { " --dry-run" } else { "" };
        let resume = match self.position.as_deref() {
            None | Some("") => String::new(),
            Some(position) => format!(" --resume {position}"),
        };
        let (before, place) = (&self.before, &self.place_flags);
        let hint =
            format!("go on there with: cloakroom revoke-before {before}{resume}{trial}{place}");
        match stop {
            Stop::Interrupted => Failure::interrupted(format!("ended before it was done; {hint}")),
            Stop::Failed(error) => Failure::new(format!("{error}; {hint}")),
        }
    }
}

fn text(told: &Told) -> String {
    let verb = match (told.dry_run, told.ended) {
        (true, _) => "would end",
        (false, 1) => "has ended",
        (false, _) => "have ended",
    };
    let sessions = if told.ended == 1 { "session" } else { "sessions" };
    let least = if told.at_least && !told.dry_run { "at least " } else { "" };
    let so_far = if told.position.is_none() { "" } else { " so far" };
    let alone = revocation::left_alone(told.unreadable);
    format!(
        "{least}{} {sessions} created before {} {verb}{so_far}, {} were looked at{alone}\n",
        thousands(told.ended),
        told.before,
        thousands(told.looked_at),
    )
}
