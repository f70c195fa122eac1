//! [`Sample`]: what can be said of all sessions after a look at some of them. Keys are hashes, so the
//! first steps of a walk meet sessions as they come, neither the old ones nor the new ones first.

use std::time::Duration;

use cloakroom::{AnyStorage, Found, SessionKey, SessionStorage, StorageError, Timestamp};

/// How many sessions are looked at.
const MOST: u64 = 2000;

/// How many are asked for at once.
const BATCH: usize = 250;

/// How many of those that were looked at must be of a kind to say how many of all are: with 30 the
/// estimate is wrong by about a fifth, with fewer it is noise.
const FEWEST: u64 = 30;

/// What was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Keys that were looked at.
    keys: u64,
    /// Those of them that are sessions.
    pub(crate) looked_at: u64,
    /// Those of them that are no session any more.
    pub(crate) gone: u64,
    /// The bytes of their records.
    bytes: u64,
    /// Those of them that somebody is signed in to.
    signed_in: u64,
    /// Those that were created in the time that was asked for.
    created: u64,
    /// Those that were signed in to in that time.
    sign_ins: u64,
    /// Whether these are all that there are.
    pub(crate) is_all: bool,
}

impl Sample {
    /// Looks at some of these sessions, until enough were looked at; `recent` is how far back "created"
    /// and "signed in" are counted.
    pub(crate) async fn look(
        &mut self,
        storage: &AnyStorage,
        sessions: &[SessionKey],
        recent: Duration,
    ) -> Result<(), StorageError> {
        for keys in sessions.chunks(BATCH) {
            if self.keys >= MOST {
                break;
            }
            let found = storage.facts(keys).await?;
            self.keys += keys.len() as u64;
            found.iter().for_each(|found| self.add(found, recent));
        }
        Ok(())
    }

    /// Ends the look, after a walk that has met so many keys.
    pub(crate) fn of_walk(self, keys: u64) -> Self {
        Self { is_all: self.keys == keys, ..self }
    }

    fn add(&mut self, found: &Found, recent: Duration) {
        let facts = match found {
            Found::Session(facts) => facts,
            Found::Nothing | Found::Ending => {
                self.gone += 1;
                return;
            }
            _ => return,
        };
        let is_recent = |moment: Timestamp| moment.until(facts.as_of()) < recent;
        self.looked_at += 1;
        self.bytes += facts.size();
        self.signed_in += u64::from(facts.owner().is_some());
        self.created += u64::from(facts.created().is_some_and(is_recent));
        self.sign_ins += u64::from(facts.signed_in().is_some_and(is_recent));
    }

    /// How many of all sessions somebody is signed in to.
    pub(crate) fn signed_in(&self, sessions: u64) -> Option<u64> {
        self.of_all(self.signed_in, sessions)
    }

    /// The bytes of all records.
    pub(crate) fn bytes(&self, sessions: u64) -> Option<u64> {
        self.of_all(self.bytes, sessions)
    }

    /// How many of all sessions were created of late; `None` where too few were seen to tell.
    pub(crate) fn created(&self, sessions: u64) -> Option<u64> {
        self.if_enough(self.created, sessions)
    }

    /// How many of all sessions were signed in to of late; `None` where too few were seen to tell.
    pub(crate) fn sign_ins(&self, sessions: u64) -> Option<u64> {
        self.if_enough(self.sign_ins, sessions)
    }

    fn if_enough(&self, part: u64, sessions: u64) -> Option<u64> {
        self.of_all(part, sessions).filter(|_| self.is_all || part >= FEWEST)
    }

    /// How many that is, if the others are as those that were looked at.
    fn of_all(&self, part: u64, sessions: u64) -> Option<u64> {
        if self.is_all {
            return Some(part);
        }
        let share = part as f64 / self.looked_at as f64;
        (self.looked_at > 0).then(|| (share * sessions as f64).round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_stands_for_the_whole_unless_it_is_the_whole() {
        let part = Sample { keys: 2000, looked_at: 2000, signed_in: 500, ..Sample::default() };
        assert_eq!(part.of_walk(1_000_000).signed_in(1_000_000), Some(250_000));
        assert_eq!(part.of_walk(2000).signed_in(2001), Some(500));
        assert_eq!(Sample::default().of_walk(7).signed_in(7), None);
        assert_eq!(Sample::default().of_walk(0).signed_in(0), Some(0));
    }

    #[test]
    fn what_too_few_of_were_seen_is_not_told() {
        let seen = |created| Sample { keys: 2000, looked_at: 2000, created, ..Sample::default() };
        assert_eq!(seen(2).of_walk(1_000_000).created(1_000_000), None);
        assert_eq!(seen(29).of_walk(1_000_000).created(1_000_000), None);
        assert_eq!(seen(30).of_walk(1_000_000).created(1_000_000), Some(15_000));
        // All of them were seen.
        assert_eq!(seen(2).of_walk(2000).created(2000), Some(2));
    }
}
