//! [`ConcurrentSessions`]: how many sessions one owner may have at once (OWASP ASVS 5.0, 7.1.2).

use serde::{Deserialize, Serialize};

/// The most that a limit may be. Each step at an owner's index looks at all of its entries.
pub(super) const MOST: u32 = 1_000;

/// How many sessions one owner may have at once, and what happens at one more sign-in.
///
/// The limit is exact: of any number of parallel sign-ins, on any number of nodes, as many live on as
/// it says. All nodes of an application must have the same. Where the storage could not say when a
/// session was to end for it, [`Event::LimitNotKept`](crate::Event::LimitNotKept) tells, and the next
/// sign-in sees to it.
///
/// ```
/// use cloakroom::{AtLimit, Policy};
///
/// let mut policy = Policy::default();
/// policy.concurrent_sessions.limit = 3;
/// policy.concurrent_sessions.at_limit = AtLimit::EndLeastRecentlyUsed;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ConcurrentSessions {
    /// How many sessions an owner may have (default: 100), from 1 to 1,000.
    pub limit: u32,

    /// What happens when the owner signs in once more (default: the oldest session ends).
    pub at_limit: AtLimit,
}

/// What happens when an owner signs in who already has as many sessions as allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AtLimit {
    /// The sign-in fails with [`SessionError::TooManySessions`](crate::SessionError::TooManySessions),
    /// after the handler has answered; `Engine::sessions_of` tells before that. What lies in the place
    /// of a session and cannot be read keeps nobody out.
    Refuse,
    /// The session that was signed in first ends.
    #[default]
    EndOldest,
    /// The session ends that nobody has been seen in for the longest time.
    EndLeastRecentlyUsed,
}

impl Default for ConcurrentSessions {
    fn default() -> Self {
        Self { limit: 100, at_limit: AtLimit::default() }
    }
}
