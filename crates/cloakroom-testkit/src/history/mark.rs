//! [`Mark`]: what was done to the servers while clients were at work.

use super::Moment;

/// Something that happened to the servers. The bounds of the invariants count from these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mark {
    /// From now on something is broken. Faults may overlap; each one is ended by itself.
    FaultBegan,
    /// What was broken is whole again.
    FaultEnded,
    /// Another server has taken over and accepts writes; what the old one had not passed on is
    /// lost. Mark it as soon as it is known, between the marks of the fault that has led to it.
    /// Where an old primary went on by itself (a split brain), mark its end once more.
    FailedOver,
    /// The storage came back with the data of an earlier moment; with none at all that is
    /// [`Moment::START`]. Mark it before the end of the fault.
    RestoredFrom(Moment),
    /// The fault that has begun hands answers to the wrong questions. Until it ends, and for the
    /// time of a failover after it, nobody can tell a wrong "there is no such session" from a right
    /// one, so a rejection does not say that the session is lost. Mark it within the fault.
    Confused,
}

impl Mark {
    /// The mark's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FaultBegan => "fault began",
            Self::FaultEnded => "fault ended",
            Self::FailedOver => "failed over",
            Self::RestoredFrom(_) => "restored",
            Self::Confused => "confused",
        }
    }
}
