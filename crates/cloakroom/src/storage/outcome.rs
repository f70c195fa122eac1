//! What became of a touch, of a removal, and of many removals.

use std::ops::AddAssign;

use crate::record::Stamp;

/// What became of a touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Touched {
    /// The record lives now until the stamp's idle deadline.
    Extended(Stamp),
    /// The record already lives as long as it may.
    Unchanged,
    /// There is no such record (any more); nothing was created.
    Gone,
}

/// What became of a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Destroyed {
    /// The record was there and is gone.
    Removed(Durability),
    /// There was none.
    Absent(Durability),
    /// The server could not be reached or took no writes. This storage refuses the record from now
    /// on and removes it as soon as the server answers; other nodes may still serve it until then.
    Pending,
}

/// What became of the removal of what was created before a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct DestroyedBefore {
    /// Records that were there and are gone.
    pub removed: usize,
    /// What lies in the place of a record and is none that this release can read: when it was created
    /// cannot be told, so it was left alone.
    pub unreadable: usize,
}

impl AddAssign for DestroyedBefore {
    fn add_assign(&mut self, more: Self) {
        self.removed += more.removed;
        self.unreadable += more.unreadable;
    }
}

/// How many servers are known to have carried out a removal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Durability {
    /// Replicas that have confirmed it, beside the primary.
    pub replicas: u32,
    /// Replicas that were asked for; see the storage's builder.
    pub asked: u32,
}

impl Durability {
    /// The primary alone, as was asked for.
    pub const LOCAL: Self = Self { replicas: 0, asked: 0 };

    /// What so many of the replicas that were asked for have confirmed.
    pub const fn replicas(confirmed: u32, asked: u32) -> Self {
        Self { replicas: confirmed, asked }
    }

    /// Whether as many replicas have confirmed as were asked for.
    pub const fn is_met(self) -> bool {
        self.replicas >= self.asked
    }
}
