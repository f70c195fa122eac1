//! [`Ending`]: the exit codes. `docs/cli.md` lists them for the people who write scripts.
//!
//! Where arguments make no sense clap ends the process by itself, with the code of
//! [`Ending::Misused`].

use std::process::ExitCode;

/// How a command has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It did what it was told; what was examined is sound.
    Done,
    /// It did not.
    Failed,
    /// The arguments make no sense, or not here.
    Misused,
    /// What was examined has warnings.
    Warnings,
    /// What was examined has errors.
    Errors,
    /// There is no such session.
    NotFound,
    /// Somebody has ended it, with Ctrl-C or SIGTERM; shells use 128 and the number of the signal.
    Interrupted,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(match ending {
            Ending::Done => 0,
            Ending::Failed => 1,
            Ending::Misused => 2,
            Ending::Warnings => 3,
            Ending::Errors => 4,
            Ending::NotFound => 5,
            Ending::Interrupted => 130,
        })
    }
}
