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
    /// The arguments or the configuration make no sense, or not here.
    Misused,
    /// What was examined has warnings.
    Warnings,
    /// What was examined has errors.
    Errors,
    /// There is no such session.
    NotFound,
    /// Somebody has ended it, with Ctrl-C or SIGTERM, before it was done: one code for both, the one that
    /// shells have for Ctrl-C.
    Interrupted,
}

impl Ending {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Misused => 2,
            Self::Warnings => 3,
            Self::Errors => 4,
            Self::NotFound => 5,
            Self::Interrupted => 130,
        }
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(ending.code())
    }
}
