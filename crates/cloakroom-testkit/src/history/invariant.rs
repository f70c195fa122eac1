//! [`Invariant`]: the eight things that must hold whatever is done to the servers.

use std::fmt;

/// What must always hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// INV-1: no request sees data of another session or visitor.
    OwnData,
    /// INV-2: no ticket opens anything after its end was acknowledged, outside of the documented
    /// windows.
    FinalEnd,
    /// INV-3: what one client sees of a session never goes back.
    NoStepBack,
    /// INV-4: nothing that was acknowledged is lost, and nothing is applied twice.
    NothingLost,
    /// INV-5: no ticket opens a session beyond its absolute deadline.
    AbsoluteDeadline,
    /// INV-6: no operation takes longer than it may.
    InTime,
    /// INV-7: memory, files and tasks return to where they were before the faults.
    NoLeak,
    /// INV-8: a storage that cannot answer never takes a cookie away, and a visitor with a ticket
    /// is never treated as one without.
    NoFalseSignOut,
}

impl Invariant {
    /// All invariants by number.
    pub const ALL: [Self; 8] = [
        Self::OwnData,
        Self::FinalEnd,
        Self::NoStepBack,
        Self::NothingLost,
        Self::AbsoluteDeadline,
        Self::InTime,
        Self::NoLeak,
        Self::NoFalseSignOut,
    ];

    /// The invariant's number, from 1.
    pub const fn number(self) -> usize {
        self as usize + 1
    }

    /// What is counted as checked.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::OwnData => "reads",
            Self::FinalEnd => "uses of ended tickets",
            Self::NoStepBack => "repeated reads",
            Self::NothingLost => "reads and rejections",
            Self::AbsoluteDeadline => "uses of tickets",
            Self::InTime => "operations with a deadline",
            Self::NoLeak => "figures of the process",
            Self::NoFalseSignOut => "answers to tickets",
        }
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "INV-{}", self.number())
    }
}
