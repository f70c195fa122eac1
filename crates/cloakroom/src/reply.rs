//! [`Reply`]: the answers that the library gives itself, as plain data. Adapters turn them into
//! their framework's own, so a visitor and a client read the same whichever framework is used.
//!
//! No reply names a ticket, a value or a reason: reasons are for the observer and the log.

use std::borrow::Cow;

use crate::engine::{Engine, SetCookie};
use crate::error::{Operation, SessionError};
use crate::policy::PendingSignOut;
use crate::storage::{HealthStatus, StorageHealth};

/// A header's name, in lower case, and its value.
type Header = (&'static str, &'static str);

const TEXT: Header = ("content-type", "text/plain; charset=utf-8");
const JSON: Header = ("content-type", "application/json");
const NO_STORE: Header = ("cache-control", "no-store");
/// How long a client should wait after a 503, in seconds.
const RETRY_AFTER: Header = ("retry-after", "1");

/// An HTTP answer of the library's own: status, headers and body.
///
/// ```
/// use cloakroom::{Reply, SessionError};
///
/// let reply = Reply::to_error(&SessionError::Gone);
/// assert_eq!(reply.status(), 409);
/// let text = ("content-type", "text/plain; charset=utf-8");
/// assert_eq!(reply.headers(), [text, ("cache-control", "no-store")]);
/// assert_eq!(reply.into_body(), "The session has changed meanwhile. Please try again.");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    status: u16,
    headers: &'static [Header],
    body: Cow<'static, str>,
}

/// How much a readiness endpoint shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthDetail {
    /// The status alone: `{"status":"healthy"}`. Fit for an endpoint that everybody can reach.
    Status,
    /// The whole [`StorageHealth`], with the addresses of servers, their versions and what went
    /// wrong last. For an address that only operators can reach.
    Everything,
}

impl Reply {
    /// The answer to a request whose session could not be loaded or committed.
    ///
    /// | reason | answer |
    /// | --- | --- |
    /// | the storage cannot say at present | 503 with `Retry-After: 1` |
    /// | another request got in the way (conflict, signed out or new ticket meanwhile) | 409 |
    /// | the owner has too many sessions | 409 |
    /// | somebody has to sign in, or to do so again | 403 |
    /// | anything else | 500 without details |
    pub fn to_error(error: &SessionError) -> Self {
        let is_about_a_sign_out = matches!(error, SessionError::Storage(error) if error.operation() == Operation::Destroy);
        match error {
            _ if error.is_transient() && is_about_a_sign_out => {
                Self::busy("Your sign-out could not be confirmed. Please try again.")
            }
            _ if error.is_transient() => Self::busy("The service is busy. Please try again."),
            _ if error.is_conflict() => {
                Self::text(409, "The session has changed meanwhile. Please try again.")
            }
            SessionError::TooManySessions { .. } => Self::text(
                409,
                "You are signed in in too many places. Please sign out in one first.",
            ),
            SessionError::SignInRequired => Self::text(403, "Please sign in first."),
            SessionError::FreshSignInRequired { .. } => Self::text(403, "Please sign in again."),
            _ => Self::to_mistake(),
        }
    }

    /// The answer to a mistake in the program, such as a forgotten layer: 500 without details.
    pub fn to_mistake() -> Self {
        Self::text(500, "Something went wrong.")
    }

    /// The answer that takes the place of a handler's, whose sign-out has not taken place yet.
    pub fn to_pending_sign_out(pending: PendingSignOut) -> Self {
        let (status, headers): (_, &[Header]) = match pending {
            PendingSignOut::Accepted => (202, &[TEXT, NO_STORE]),
            PendingSignOut::Unavailable => (503, &[TEXT, NO_STORE, RETRY_AFTER]),
        };
        let body = "Your sign-out is not complete yet. This browser has given up the session and \
                    this server refuses it from now on. It ends everywhere as soon as the session \
                    storage answers again.";
        Self { status, headers, body: Cow::Borrowed(body) }
    }

    /// The answer of a liveness endpoint: 200 for as long as the process answers at all.
    ///
    /// It never looks at the storage: a restart mends no server that the process depends on, and a
    /// process that has lost its storage still refuses the sessions that were signed out there.
    pub fn liveness() -> Self {
        Self { status: 200, headers: &[JSON, NO_STORE], body: r#"{"status":"alive"}"#.into() }
    }

    /// The answer of a readiness endpoint: whether this node should be sent requests, and how its
    /// storage is. Nothing is asked of the storage's server.
    ///
    /// By default that is 200 in any state of the storage: an outage that all nodes share must not
    /// take all of them out of the load balancer, with every page that needs no session. Where
    /// [`OutagePolicy::readiness`](crate::OutagePolicy::readiness) says so, it is 503 while no
    /// session can be read.
    pub fn readiness(engine: &Engine, detail: HealthDetail) -> Self {
        let health = engine.health();
        let is_ready = engine.policy().outage.is_ready(health.status);
        let status = if is_ready { 200 } else { 503 };
        Self { status, headers: &[JSON, NO_STORE], body: health_json(&health, detail).into() }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The headers: names in lower case, each with its value.
    pub fn headers(&self) -> &'static [(&'static str, &'static str)] {
        self.headers
    }

    /// The body.
    pub fn into_body(self) -> Cow<'static, str> {
        self.body
    }

    fn busy(text: &'static str) -> Self {
        Self { headers: &[TEXT, NO_STORE, RETRY_AFTER], ..Self::text(503, text) }
    }

    fn text(status: u16, text: &'static str) -> Self {
        Self { status, headers: &[TEXT, NO_STORE], body: Cow::Borrowed(text) }
    }
}

impl SetCookie {
    /// All headers to append to an answer, beside what the application has set itself: names in
    /// lower case, each with its value. The first one holds the ticket: never log it.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let old = self.old().map(|old| ("set-cookie", old));
        [("set-cookie", self.value()), ("cache-control", Self::CACHE_CONTROL), ("vary", Self::VARY)]
            .into_iter()
            .chain(old)
    }
}

fn health_json(health: &StorageHealth, detail: HealthDetail) -> String {
    let status_alone = |status: HealthStatus| serde_json::json!({ "status": status }).to_string();
    match detail {
        HealthDetail::Status => status_alone(health.status),
        // It cannot fail: the value has no map and no writer of its own.
        HealthDetail::Everything => {
            serde_json::to_string(health).unwrap_or_else(|_| status_alone(health.status))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{StorageError, StorageErrorKind};

    fn storage(operation: Operation) -> SessionError {
        StorageError::new(StorageErrorKind::Backend, operation, "secret").into()
    }

    fn unavailable(operation: Operation) -> SessionError {
        StorageError::new(StorageErrorKind::Unavailable, operation, "secret").into()
    }

    #[test]
    fn each_kind_of_error_has_its_status() {
        for (error, status) in [
            (unavailable(Operation::Load), 503),
            (unavailable(Operation::Destroy), 503),
            (storage(Operation::Load), 500),
            (SessionError::Gone, 409),
            (SessionError::Superseded, 409),
            (SessionError::Finished, 500),
        ] {
            let reply = Reply::to_error(&error);
            assert_eq!(reply.status(), status, "{error}");
            assert_eq!(reply.headers().contains(&RETRY_AFTER), status == 503, "{error}");
            assert!(!reply.into_body().contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_sign_out_that_nobody_keeps_is_told_as_such() {
        let body = Reply::to_error(&unavailable(Operation::Destroy)).into_body();
        assert!(body.contains("sign-out could not be confirmed"), "{body}");
    }

    #[test]
    fn no_cache_keeps_an_answer_to_an_error() {
        let errors = [
            unavailable(Operation::Load),
            storage(Operation::Load),
            SessionError::Gone,
            SessionError::Superseded,
            SessionError::SignInRequired,
        ];
        let replies = errors.iter().map(Reply::to_error).chain([Reply::to_mistake()]);
        for reply in replies {
            assert!(reply.headers().contains(&NO_STORE), "{}", reply.status());
        }
    }
}
