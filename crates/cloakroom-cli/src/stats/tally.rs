//! [`Tally`]: what is counted while each session is looked at.

use std::collections::HashSet;

use cloakroom::{OwnerKey, SessionFacts};
use hdrhistogram::Histogram;
use serde::Serialize;

use super::ages::Ages;
use crate::failure::Failure;

/// Of a size, so many digits are kept.
const DIGITS: u8 = 3;

/// What is counted.
pub(super) struct Tally {
    signed_in: u64,
    anonymous: u64,
    owners: HashSet<OwnerKey>,
    sizes: Histogram<u64>,
    ages: Ages,
    idle: Ages,
}

/// What was counted.
#[derive(Serialize)]
pub(super) struct Walked {
    pub(super) signed_in: u64,
    pub(super) anonymous: u64,
    /// How many are signed in, each counted once.
    pub(super) owners: u64,
    /// Keys below the prefix that hold something else.
    pub(super) unreadable: u64,
    pub(super) median_bytes: u64,
    pub(super) p99_bytes: u64,
    pub(super) largest_bytes: u64,
    pub(super) ages: Ages,
    pub(super) idle: Ages,
}

impl Tally {
    pub(super) fn new() -> Result<Self, Failure> {
        let sizes = Histogram::new(DIGITS).map_err(Failure::new)?;
        let (owners, ages) = (HashSet::new(), Ages::new());
        Ok(Self { signed_in: 0, anonymous: 0, owners, sizes, ages: ages.clone(), idle: ages })
    }

    pub(super) fn add(&mut self, facts: &SessionFacts) {
        match facts.owner() {
            Some(owner) => {
                self.signed_in += 1;
                self.owners.insert(OwnerKey::of(owner));
            }
            None => self.anonymous += 1,
        }
        self.sizes.saturating_record(facts.size());
        if let Some(age) = facts.age() {
            self.ages.add(age);
        }
        self.idle.add(facts.idle());
    }

    pub(super) fn walked(self, unreadable: u64) -> Walked {
        Walked {
            signed_in: self.signed_in,
            anonymous: self.anonymous,
            owners: self.owners.len() as u64,
            unreadable,
            median_bytes: self.sizes.value_at_quantile(0.5),
            p99_bytes: self.sizes.value_at_quantile(0.99),
            largest_bytes: self.sizes.max(),
            ages: self.ages,
            idle: self.idle,
        }
    }
}
