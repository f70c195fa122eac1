//! [`Report`]: what an import has done so far. It holds no id and no value.

use std::collections::BTreeMap;

use cloakroom_redis::ForeignCursor;

use crate::old_session::Unreadable;

/// How many names of keys are kept for each reason.
const EXAMPLES: usize = 5;

/// How many kinds of objects that were left behind are told apart.
const KINDS: usize = 100;

/// A field that was left behind: its name and its class.
pub(crate) type Kind = (String, String);

/// What has become of the sessions that were met. A key that the server shows twice counts twice.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// Keys that are sessions of the library by their names.
    pub read: u64,
    /// Sessions that are in the storage now and were not before; in a dry run those that would be.
    pub written: u64,
    /// Of these, those that somebody is signed in to.
    pub with_owner: u64,
    /// Sessions that are in the storage already. Nothing was changed.
    pub present: u64,
    /// Sessions that an earlier import has noted and that are not there, so they are not written
    /// again: they have ended since, or that import was cut off before it had written them.
    pub ended: u64,
    /// Sessions whose owner has too many to take in another one: 500 are imported. In a dry run
    /// they are among those that would be written.
    pub owner_full: u64,
    /// Sessions that are over.
    pub expired: u64,
    /// Sessions that hold nothing that could be taken.
    pub empty: u64,
    /// Keys that could not be read, or in whose place in the target something lies that cannot.
    pub unreadable: BTreeMap<Unreadable, Tally>,
    /// Fields of sessions that were written without them: their names and classes, how often.
    pub left_behind: BTreeMap<(String, String), u64>,
    /// Whether the walk has begun anew, because a server is not the one any more that the cursor was
    /// of. What was counted before is counted again.
    pub began_anew: bool,
    /// How much of the walk is done, from 0 to 1; a guess.
    pub done: f64,
    /// Where to go on; `None` where the walk has come to its end.
    pub resume: Option<ForeignCursor>,
}

/// How many keys have something in common, and a few of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// The beginnings of a few names. A whole name would hold the id of a live session.
    pub examples: Vec<String>,
}

impl Report {
    /// How many keys could not be read.
    pub fn unreadable_keys(&self) -> u64 {
        self.unreadable.values().map(|tally| tally.count).sum()
    }

    pub(crate) fn add_unreadable(&mut self, why: Unreadable, prefix: &str, id: &str) {
        let tally = self.unreadable.entry(why).or_default();
        tally.count += 1;
        if tally.examples.len() < EXAMPLES {
            let start: String = id.chars().take(4).collect();
            tally.examples.push(format!("{prefix}{start}…"));
        }
    }

    pub(crate) fn add_left_behind(&mut self, left: Vec<Kind>) {
        for kind in left {
            if self.left_behind.len() < KINDS || self.left_behind.contains_key(&kind) {
                *self.left_behind.entry(kind).or_default() += 1;
            }
        }
    }
}
