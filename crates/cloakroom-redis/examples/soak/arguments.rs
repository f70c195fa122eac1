//! [`Arguments`]: what the caller wants to run, and the usage for those who have not said so.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

const USAGE: &str = "\
usage: scripts/soak NAME LENGTH

  NAME    standalone  one server behind a proxy that harms the wire and the answers
          sentinel    one primary, two replicas, three Sentinels
          cluster     three primaries, three replicas
          all         one after the other
  LENGTH  of each, such as 60s, 10m or 24h; at least 20s

SOAK_SEED repeats the random choices of another run.
SOAK_FAULT runs only the faults whose names contain that text.
The exit status is 0 where every invariant holds, 1 where one is broken, 2 for this text,
and 3 where the servers themselves could not be run.";

const SHORTEST: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Standalone,
    Sentinel,
    Cluster,
}

#[derive(Debug)]
pub(crate) struct Arguments {
    names: Vec<Name>,
    /// How long each of them runs.
    pub(crate) length: Duration,
    pub(crate) seed: u64,
    /// Part of the names of the faults that are wanted; empty for all.
    pub(crate) fault: String,
}

impl Name {
    const ALL: [Self; 3] = [Self::Standalone, Self::Sentinel, Self::Cluster];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Standalone => "standalone",
            Self::Sentinel => "sentinel",
            Self::Cluster => "cluster",
        }
    }
}

impl Arguments {
    /// Reads the words behind the program's name, and a seed.
    pub(crate) fn read(
        words: impl Iterator<Item = String>,
        seed: Option<String>,
    ) -> Result<Self, &'static str> {
        let words: Vec<_> = words.collect();
        let [name, length] = words.as_slice() else { return Err(USAGE) };
        let chosen = Name::ALL.into_iter().filter(|one| name == "all" || name == one.as_str());
        let names: Vec<_> = chosen.collect();
        let length = duration(length).filter(|length| *length >= SHORTEST).ok_or(USAGE)?;
        let seed = match seed {
            Some(seed) => seed.parse().map_err(|_| USAGE)?,
            None => RandomState::new().hash_one(0) % 1_000_000,
        };
        let fault = std::env::var("SOAK_FAULT").unwrap_or_default();
        if names.is_empty() { Err(USAGE) } else { Ok(Self { names, length, seed, fault }) }
    }

    pub(crate) fn names(&self) -> &[Name] {
        &self.names
    }
}

/// A whole number with `s`, `m` or `h` behind it.
fn duration(text: &str) -> Option<Duration> {
    let seconds = match text.chars().next_back()? {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        _ => return None,
    };
    let number: u32 = text[..text.len() - 1].parse().ok()?;
    Some(Duration::from_secs(u64::from(number) * seconds))
}
