//! [`Policy`]: every decision about sessions that an application may take, in one place.
//!
//! The defaults are the advice for production. Nonsense is refused when the engine is built, with
//! all problems at once.

mod check;
mod env;

use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::error::ConfigError;
use crate::fingerprint::FingerprintMode;

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

    /// A session in use is renewed when less than this share of its idle timeout is left
    /// (default: 0.5). Between 0 (never) and 1 (at every request).
    pub refresh_below: f64,

    /// How long a commit may take, with all its tries (default: 1 second).
    #[serde(with = "crate::duration_text")]
    pub commit_timeout: Duration,

    /// What happens to a request's changes when it answers with a server error
    /// (default: they are discarded). A sign-out always takes effect.
    pub on_server_error: OnServerError,

    /// How a visitor's address and user agent are compared with those that the session was made
    /// with (default: soft).
    pub fingerprint: FingerprintMode,

    /// Proxies whose `X-Forwarded-For` header is believed, as addresses or networks such as
    /// `10.0.0.0/8` (default: none).
    #[serde(with = "network_text")]
    pub trusted_proxies: Vec<IpNet>,

    /// Sends the cookie over plain HTTP, without `Secure` and without the `__Host-` prefix
    /// (default: off). For development on your own machine only; the engine says so loudly.
    pub local_plain_http: bool,
}

/// The cookie that carries the ticket. It is always `HttpOnly`; nothing turns that off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CookiePolicy {
    /// The cookie's name (default: `__Host-id`). The `__Host-` prefix makes browsers refuse the
    /// cookie unless it is `Secure`, has `Path=/` and no `Domain` (RFC 6265bis, 4.1.3.2).
    pub name: String,

    /// When the browser sends the cookie with requests from other sites (default: lax).
    pub same_site: SameSite,

    /// The path below which the cookie is sent (default: `/`).
    pub path: String,

    /// The domain that the cookie is sent to, with all its subdomains (default: none, only the
    /// host that set it). Needs a name without `__Host-`.
    pub domain: Option<String>,

    /// Whether the cookie travels over HTTPS only (default: yes). Only `local_plain_http` turns it
    /// off.
    #[serde(skip)]
    pub(crate) secure: bool,
}

/// When a browser sends a cookie with requests from other sites (RFC 6265bis, 4.1.2.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SameSite {
    /// Never. A link from another site arrives without the session.
    Strict,
    /// Only when the visitor follows a link.
    #[default]
    Lax,
    /// Always. Protect every form against cross-site request forgery yourself.
    None,
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
            refresh_below: 0.5,
            commit_timeout: Duration::from_secs(1),
            on_server_error: OnServerError::default(),
            fingerprint: FingerprintMode::default(),
            trusted_proxies: Vec::new(),
            local_plain_http: false,
        }
    }
}

impl Default for CookiePolicy {
    fn default() -> Self {
        Self {
            name: "__Host-id".to_owned(),
            same_site: SameSite::default(),
            path: "/".to_owned(),
            domain: None,
            secure: true,
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
    /// `CLOAKROOM_COOKIE_NAME`, `_SAME_SITE`, `_PATH` and `_DOMAIN`; networks are separated by
    /// commas.
    ///
    /// # Errors
    /// [`ConfigError`] with every variable that cannot be read.
    pub fn from_env() -> Result<Self, ConfigError> {
        env::read(|name| std::env::var(name).ok())
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
            for prefix in ["__Host-", "__Secure-"] {
                if let Some(plain) = self.cookie.name.strip_prefix(prefix) {
                    self.cookie.name = plain.to_owned();
                }
            }
        }
        self
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
