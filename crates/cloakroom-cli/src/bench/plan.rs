//! [`Plan`]: what is done, for how long, and by how many at once.

use std::time::Duration;

/// How many bytes of data a session holds: about what a signed-in visitor's does.
pub(super) const SESSION_BYTES: usize = 1024;

/// What is added to a run's length before its sessions end by themselves.
const SLACK: Duration = Duration::from_secs(120);

/// What is done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) length: Duration,
    pub(super) sessions: u64,
    pub(super) concurrency: usize,
}

/// One kind of work that is measured by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Makes the sessions.
    SignIn,
    /// Reads them.
    Read,
    /// Reads and changes them.
    Write,
    /// What visitors do.
    Mixed,
    /// Ends the sessions.
    SignOut,
}

impl Plan {
    /// No more work at once than there are sessions: each worker has its own.
    pub(super) fn new(seconds: u32, sessions: u64, concurrency: usize) -> Self {
        let most = usize::try_from(sessions).unwrap_or(usize::MAX);
        let length = Duration::from_secs(seconds.into());
        Self { length, sessions, concurrency: concurrency.min(most) }
    }

    /// How long a phase may take.
    pub(super) fn limit(&self, phase: Phase) -> Duration {
        match phase {
            Phase::Read | Phase::Write | Phase::Mixed => self.length / 3,
            Phase::SignIn | Phase::SignOut => self.length,
        }
    }

    /// How long a session lives without being used.
    pub(super) fn life(&self) -> Duration {
        self.length * 3 + SLACK
    }
}

impl Phase {
    /// In the order in which they follow each other.
    pub(super) const ALL: [Self; 5] =
        [Self::SignIn, Self::Read, Self::Write, Self::Mixed, Self::SignOut];

    /// What it is called in tables and JSON.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign in",
            Self::Read => "read",
            Self::Write => "write",
            Self::Mixed => "mixed",
            Self::SignOut => "sign out",
        }
    }
}
