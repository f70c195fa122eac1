//! [`Policy`]: every decision about sessions that an application may take, in one place.
//!
//! The defaults are the advice for production. Nonsense is refused when the engine is built, with
//! all problems at once.

mod check;
mod concurrent;
mod cookie;
mod env;
mod outage;

use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::error::ConfigError;
use crate::fingerprint::FingerprintMode;

pub use concurrent::{AtLimit, ConcurrentSessions};
pub use cookie::{CookiePolicy, SameSite};
pub use outage::{OutagePolicy, PendingSignOut, Readiness};

/// What holds for all sessions of an application.
///
/// Durations are written as text in configuration: `"30m"`, `"12h"`, `"90s"`, `"14days"`.
///
/// ```
/// use std::time::Duration;
/// use cloakroom::Policy;
///
/// let mut policy = Policy::default();
/// policy.idle_timeout = Duration::from_secs(15 * 60);
///
/// let policy: Policy = serde_json::from_str(r#"{ "idle_timeout": "15m" }"#)?;
/// assert_eq!(policy.absolute_timeout, Duration::from_secs(12 * 60 * 60));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Policy {
    /// The cookie that carries the ticket.
    pub cookie: CookiePolicy,

    /// How long a session may lie unused (default: 30 minutes). OWASP advises 15 to 30 minutes for
    /// low-risk applications, NIST SP 800-63B-4 at most one hour at AAL2.
    #[serde(with = "crate::duration_text")]
    pub idle_timeout: Duration,

    /// How long a session lives at most, counted from its creation and again from a sign-in
    /// (default: 12 hours). NIST SP 800-63B-4: at most 24 hours at AAL2, 12 hours at AAL3.
    #[serde(with = "crate::duration_text")]
    pub absolute_timeout: Duration,

    /// The longest lifetime that a handler may give to a single session with `remember_for` or
    /// `set_idle_timeout` (default: 30 days, the most that NIST SP 800-63B-4 advises at AAL1).
    #[serde(with = "crate::duration_text")]
    pub longest_lifetime: Duration,

    /// How many sessions one owner may have at once (default: 100, then the oldest one ends).
    pub concurrent_sessions: ConcurrentSessions,

    /// A session in use is renewed when less than this share of its idle timeout is left
    /// (default: 0.5). Between 0 (never) and 1 (at every request).
    pub refresh_below: f64,

    /// How long a commit may take, with all its tries (default: 1 second).
    #[serde(with = "crate::duration_text")]
    pub commit_timeout: Duration,

    /// What happens to a request's changes when it answers with a server error
    /// (default: they are discarded). A sign-out always takes effect.
    pub on_server_error: OnServerError,

    /// What happens while the storage cannot say. Its documentation tells what fails open and what
    /// fails closed, and what of that can be decided.
    pub outage: OutagePolicy,

    /// How a visitor's address and user agent are compared with those that the session was made
    /// with (default: the storage's own mode, which is soft unless the storage was built with
    /// another). `Engine::policy` shows the mode that was found.
    pub fingerprint: Option<FingerprintMode>,

    /// Proxies whose `X-Forwarded-For` header is believed, as addresses or networks such as
    /// `10.0.0.0/8` (default: none).
    #[serde(with = "network_text")]
    pub trusted_proxies: Vec<IpNet>,

    /// Sends the cookie over plain HTTP, without `Secure` and without the `__Host-` prefix
    /// (default: off). For development on your own machine only; the engine says so loudly: with
    /// [`Event::PlainHttp`](crate::Event::PlainHttp) to its observer, and where it has none with a
    /// line on the standard error output.
    pub local_plain_http: bool,
}

/// What happens to a request's changes when it answers with a status of 500 or above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnServerError {
    /// They are discarded: a request that failed half-way leaves no half of a sign-in behind.
    #[default]
    Discard,
    /// They are committed as with every other status.
    Commit,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            cookie: CookiePolicy::default(),
            idle_timeout: Duration::from_secs(30 * 60),
            absolute_timeout: Duration::from_secs(12 * 60 * 60),
            longest_lifetime: Duration::from_secs(30 * 24 * 60 * 60),
            concurrent_sessions: ConcurrentSessions::default(),
            refresh_below: 0.5,
            commit_timeout: Duration::from_secs(1),
            on_server_error: OnServerError::default(),
            outage: OutagePolicy::default(),
            fingerprint: None,
            trusted_proxies: Vec::new(),
            local_plain_http: false,
        }
    }
}

impl Policy {
    /// The default policy with the one switch for development over plain HTTP on your own machine.
    pub fn for_local_development() -> Self {
        Self { local_plain_http: true, ..Self::default() }
    }

    /// The default policy, changed by environment variables: `CLOAKROOM_` and the name of the
    /// field in capitals, for example `CLOAKROOM_IDLE_TIMEOUT=15m`. The cookie's fields are
    /// `CLOAKROOM_COOKIE_NAME`, `_SAME_SITE`, `_PATH` and `_DOMAIN`, those of the outage
    /// `CLOAKROOM_OUTAGE_PENDING_SIGN_OUT` and `_READINESS`, those of the concurrent sessions
    /// `CLOAKROOM_CONCURRENT_SESSIONS_LIMIT` and `_AT_LIMIT`; networks are separated by commas.
    /// Durations are `15m`, `12h`, or a number of seconds. Variables that are not set keep the
    /// default.
    ///
    /// A name that begins with `CLOAKROOM_` and is none of these is a misspelling and refused,
    /// except for `CLOAKROOM_TEST_…`, `CLOAKROOM_REDIS_…`, `CLOAKROOM_ADMIN_…`,
    /// `CLOAKROOM_IMPORT_…`, and what Kubernetes and Docker set for a service named after Cloakroom
    /// (`CLOAKROOM_SERVICE_HOST`, `CLOAKROOM_PORT_80_TCP`).
    ///
    /// # Errors
    /// [`ConfigError`] with every variable that cannot be read or is not known.
    pub fn from_env() -> Result<Self, ConfigError> {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        env::read(std::env::vars_os().map(|(name, value)| (text(name), text(value))))
    }

    /// Refuses a policy that makes no sense, with all its problems at once. The engine's builder
    /// calls it.
    ///
    /// # Errors
    /// [`ConfigError`] with every problem.
    pub fn check(&self) -> Result<(), ConfigError> {
        ConfigError::check(check::problems(self))
    }

    /// The policy as it is carried out: with the plain cookie where that was asked for.
    pub(crate) fn effective(mut self) -> Self {
        if self.local_plain_http {
            self.cookie.secure = false;
            self.cookie.name = self.cookie.without_prefix().to_owned();
        }
        self
    }

    /// How fingerprints are compared; the engine's builder has filled in the storage's mode.
    pub(crate) fn fingerprint_mode(&self) -> FingerprintMode {
        self.fingerprint.unwrap_or_default()
    }
}

/// Networks as text; an address alone is the network of that one address.
mod network_text {
    use ipnet::IpNet;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        networks: &[IpNet],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        networks.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<IpNet>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        let read = |text: String| {
            super::check::network(&text)
                .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a network")))
        };
        texts.into_iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests;
