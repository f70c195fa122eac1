//! [`NearCache`]: the settings.

use std::time::Duration;

use cloakroom::Problem;
use serde::{Deserialize, Serialize};

/// A near-cache: how much it holds, and how far it may be behind.
///
/// With it, a session that is read again is answered from the application's own memory. The server
/// calls a copy back when somebody changes the session, which takes as long as a message does. Where
/// the server cannot be heard, a copy is served no longer than [`lease`](Self::lease): so long may a
/// session that was signed out on one node be accepted on another one that has lost the server.
///
/// ```
/// use std::time::Duration;
/// use cloakroom_redis::{NearCache, RedisSessionStorage};
///
/// let cache = NearCache::default().with_max_entries(50_000).with_lease(Duration::from_secs(2));
/// let builder = RedisSessionStorage::builder().near_cache(cache);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct NearCache {
    /// How many sessions are held (default: 10,000).
    pub max_entries: usize,
    /// How many bytes they may take, with what is needed around them (default: 64 MiB).
    pub max_bytes: usize,
    /// How old a copy may become although the server has not called it back (default: 5 s).
    #[serde(with = "cloakroom::duration_text")]
    pub max_age: Duration,
    /// For how long copies are served after the server's last sign of life was asked for (default:
    /// 1 s). The heartbeat interval may be half of it at most.
    #[serde(with = "cloakroom::duration_text")]
    pub lease: Duration,
}

impl NearCache {
    /// The same for so many sessions.
    #[must_use]
    pub fn with_max_entries(mut self, sessions: usize) -> Self {
        self.max_entries = sessions;
        self
    }

    /// The same with so many bytes.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// The same with another limit of age.
    #[must_use]
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// The same with another lease.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// What makes no sense, given how often the server is asked for a sign of life.
    pub(crate) fn problems(&self, heartbeat: Duration) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.max_entries == 0 {
            let message = "zero would hold nothing; use 10000, or leave the near-cache out";
            problems.push(Problem::new("near_cache.max_entries", message));
        }
        if self.max_bytes < SMALLEST {
            let message = "less than 64 KiB; use 67108864, or leave the near-cache out";
            problems.push(Problem::new("near_cache.max_bytes", message));
        }
        if !(Duration::from_millis(1)..=LONGEST_AGE).contains(&self.max_age) {
            let message = "not between 1 ms and 1 min; use 5s";
            problems.push(Problem::new("near_cache.max_age", message));
        }
        if self.lease < heartbeat * 2 || self.lease > LONGEST_AGE {
            let message = format!(
                "{:?} is not between twice the heartbeat_interval, {:?}, and 1 min; use {:?}",
                self.lease,
                heartbeat * 2,
                (heartbeat * 2).max(Self::default().lease)
            );
            problems.push(Problem::new("near_cache.lease", message));
        }
        problems
    }
}

/// Room for one record of the usual limit.
const SMALLEST: usize = 64 * 1024;

const LONGEST_AGE: Duration = Duration::from_secs(60);

impl Default for NearCache {
    fn default() -> Self {
        Self {
            max_entries: 10_000,
            max_bytes: 64 * 1024 * 1024,
            max_age: Duration::from_secs(5),
            lease: Duration::from_secs(1),
        }
    }
}
