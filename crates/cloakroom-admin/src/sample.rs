//! [`Sample`]: what can be said of all sessions after a look at some of them. Keys are hashes, so the
//! first steps of a walk meet sessions as they come, neither the old ones nor the new ones first.

use std::time::Duration;

use cloakroom::{AnyStorage, Found, Position, SessionStorage, StorageError};
use tokio::time::Instant;

/// How many sessions are looked at.
const MOST: usize = 2000;

/// How many are asked for at once.
const BATCH: usize = 250;

/// How long looking may take.
const LIMIT: Duration = Duration::from_secs(2);

/// What was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Sessions that were looked at.
    pub(crate) looked_at: u64,
    /// Those of them that somebody is signed in to.
    pub(crate) signed_in: u64,
    /// Those that were created in the time that was asked for.
    pub(crate) created: u64,
    /// Those that were signed in to in that time.
    pub(crate) sign_ins: u64,
    /// Whether these are all that there are.
    pub(crate) is_all: bool,
}

impl Sample {
    /// Looks at some sessions; `recent` is how far back "created" and "signed in" are counted.
    pub(crate) async fn take(storage: &AnyStorage, recent: Duration) -> Result<Self, StorageError> {
        let mut sample = Self::default();
        let (start, mut position) = (Instant::now(), Position::start());
        loop {
            let page = storage.walk(&position).await?;
            for keys in page.sessions.chunks(BATCH) {
                if sample.looked_at >= MOST as u64 || start.elapsed() > LIMIT {
                    return Ok(sample);
                }
                for found in storage.facts(keys).await? {
                    sample.add(&found, recent);
                }
            }
            let Some(next) = page.next else { return Ok(Self { is_all: true, ..sample }) };
            if start.elapsed() > LIMIT {
                return Ok(sample);
            }
            position = next;
        }
    }

    fn add(&mut self, found: &Found, recent: Duration) {
        let Found::Session(facts) = found else { return };
        let is_recent = |moment: cloakroom::Timestamp| moment.until(facts.as_of()) < recent;
        self.looked_at += 1;
        self.signed_in += u64::from(facts.owner().is_some());
        self.created += u64::from(facts.created().is_some_and(is_recent));
        self.sign_ins += u64::from(facts.signed_in().is_some_and(is_recent));
    }

    /// How many of `total` sessions that is, if the others are as those that were looked at.
    pub(crate) fn of_all(&self, part: u64, total: u64) -> u64 {
        if self.is_all {
            return part;
        }
        if self.looked_at == 0 {
            return 0;
        }
        (part as f64 / self.looked_at as f64 * total as f64).round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_stands_for_the_whole_unless_it_is_the_whole() {
        let part = Sample { looked_at: 2000, signed_in: 500, ..Sample::default() };
        assert_eq!(part.of_all(part.signed_in, 1_000_000), 250_000);
        let all = Sample { is_all: true, ..part };
        assert_eq!(all.of_all(all.signed_in, 2001), 500);
        assert_eq!(Sample::default().of_all(0, 7), 0);
    }
}
