//! [`OutagePolicy`]: what fails open and what fails closed while the storage cannot say.

use serde::{Deserialize, Serialize};

use crate::storage::HealthStatus;

/// What happens while the storage cannot say: its server is down, frozen, full, or read-only.
///
/// | operation | while the storage cannot say | how to change it |
/// | --- | --- | --- |
/// | load, without a ticket | **open**: the visitor is anonymous, the storage is not asked | |
/// | load, with a ticket | **closed**: 503 with `Retry-After`, the cookie stays | in a route that is of use to everybody, take the outcome as [`SessionState`](crate::SessionState): *unavailable*, never *anonymous* |
/// | touch (renewal of the idle timeout) | **open**: left out; the next request tries again | renew earlier with [`Policy::refresh_below`](crate::Policy::refresh_below), so that an outage eats into slack |
/// | save | **closed**: 503 in the place of the handler's answer | per request with [`Session::best_effort`](crate::Session::best_effort) |
/// | create, sign in, rotate | **closed**: 503, no new ticket; a session that was there stays as it was | never |
/// | a decision that needs the session (rights, step-up, CSRF) | **closed**: without a session there is nothing to decide by | never |
/// | sign out, with a storage that keeps a journal | **pending**: refused on this node at once, the cookie is taken away, removed when the server answers; the visitor is told so | [`OutagePolicy::pending_sign_out`], or words of your own with [`Session::destroy_now`](crate::Session::destroy_now) |
/// | sign out, without a journal or with a full one | **closed**: 503, the cookie stays to try again with | |
/// | readiness | **open**: ready; an outage that all nodes share must not take all nodes out | [`OutagePolicy::readiness`] |
/// | start | **closed**: the storage's constructor fails | the storage's builder, where it can start without its server |
///
/// There is never another storage to fall back to: two storages are two truths about who is signed
/// in.
///
/// ```
/// use cloakroom::{PendingSignOut, Policy};
///
/// let policy: Policy = serde_json::from_str(
///     r#"{ "outage": { "pending_sign_out": "unavailable", "readiness": "not_ready" } }"#,
/// )?;
/// assert_eq!(policy.outage.pending_sign_out, PendingSignOut::Unavailable);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct OutagePolicy {
    /// How a sign-out that is pending is answered, where the handler does not know of it
    /// (default: accepted).
    pub pending_sign_out: PendingSignOut,

    /// What the readiness endpoint answers while no session can be read (default: ready).
    pub readiness: Readiness,
}

/// How a sign-out that is pending is answered. Both take the cookie away and say that the sign-out
/// is not complete yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PendingSignOut {
    /// With the status 202: the sign-out was taken on and will be carried out.
    #[default]
    Accepted,
    /// With the status 503 and `Retry-After`: for clients that take every status below 400 for
    /// "done".
    Unavailable,
}

/// What the readiness endpoint answers while no session can be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    /// The status 200, with `unavailable` in the body. All nodes share the storage: if each of them
    /// left the load balancer, pages that need no session would be gone as well.
    #[default]
    Ready,
    /// The status 503. For a node that has a storage of its own, or a balancer that knows what to do
    /// when no node is ready.
    NotReady,
}

impl OutagePolicy {
    /// Whether a node should be sent requests while its storage is in this state.
    pub fn is_ready(&self, status: HealthStatus) -> bool {
        match self.readiness {
            Readiness::Ready => true,
            Readiness::NotReady => status != HealthStatus::Unavailable,
        }
    }
}
