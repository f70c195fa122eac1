//! What the commands that end sessions have in common: the trial, the question, the wait for what the
//! server has not taken yet, and the words for what cannot be read.
//!
//! A removal that a server does not take is remembered by the process that asked for it. This process
//! ends, so it waits; what is pending then is a failure, and is called one.

use std::time::Duration;

use cloakroom::Engine;

use crate::consent;
use crate::failure::Failure;
use crate::installation::Purpose;
use crate::progress::Progress;
use crate::signals::Signals;
use crate::table::thousands;

/// How long it is waited for what is pending.
const PATIENCE: Duration = Duration::from_secs(10);

/// How something is ended.
#[derive(Clone, Copy, clap::Args)]
#[group(skip)]
pub(crate) struct Options {
    /// Tell what would end, and end nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    consent: consent::Options,
}

/// Whether anything ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Trial,
    Earnest,
}

impl Mode {
    pub(crate) fn purpose(self) -> Purpose {
        match self {
            Self::Trial => Purpose::Look,
            Self::Earnest => Purpose::End,
        }
    }
}

impl Options {
    pub(crate) fn mode(self) -> Mode {
        if self.dry_run { Mode::Trial } else { Mode::Earnest }
    }

    /// An error where a question will come that nobody can answer.
    pub(crate) fn check(self, question: &str) -> Result<(), Failure> {
        if self.dry_run { Ok(()) } else { self.consent.check(question) }
    }

    /// Asks, unless nothing ends.
    pub(crate) fn ask(self, question: &str) -> Result<(), Failure> {
        if self.dry_run { Ok(()) } else { self.consent.ask(question) }
    }
}

/// Does it until it is done, or somebody ends it. What goes on is shown meanwhile.
pub(crate) async fn until_ended<T>(
    progress: Progress,
    work: impl AsyncFnOnce(&Progress) -> T,
) -> Result<T, Failure> {
    let mut signals = Signals::listen().map_err(Failure::new)?;
    tokio::select! {
        done = work(&progress) => Ok(done),
        () = signals.next() => Err(Failure::interrupted(
            "ended before it was done; sessions that should end may still live, run it again",
        )),
    }
}

/// Waits until the storage has everything that it was told to end. An error where it has not, although
/// whoever asked for it will be gone in a moment.
pub(crate) async fn settle(engine: &Engine) -> Result<(), Failure> {
    engine.drain(PATIENCE).await;
    let pending = engine.health().pending_removals;
    if pending == 0 {
        // What else was under way is the owners' indexes, which their readers mend.
        return Ok(());
    }
    let (count, it) = match pending {
        1 => ("1 session".to_owned(), "it"),
        pending => (format!("{pending} sessions"), "them"),
    };
    Err(Failure::new(format!(
        "{count} may still live: the server did not take the end of {it} within {} s, and nobody \
         tries again when this command has ended; run it again",
        PATIENCE.as_secs()
    )))
}

/// An error where sessions that should have ended were left alone, because this release cannot read
/// what lies in their place: another release has written it, or it is damaged.
pub(crate) fn all_were_read(unreadable: u64) -> Result<(), Failure> {
    if unreadable == 0 {
        return Ok(());
    }
    let (them, it) = match unreadable {
        1 => ("1 cannot be read by this release and was".to_owned(), "it"),
        many => (format!("{} cannot be read by this release and were", thousands(many)), "them"),
    };
    Err(Failure::new(format!(
        "not all are known to have ended: {them} left alone; where another release has written \
         {it}, run that release's command as well"
    )))
}

/// The same for the line that tells how many have ended.
pub(crate) fn left_alone(unreadable: u64) -> String {
    match unreadable {
        0 => String::new(),
        unreadable => format!(", {} cannot be read and left alone", thousands(unreadable)),
    }
}
