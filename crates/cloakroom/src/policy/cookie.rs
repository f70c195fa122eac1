//! [`CookiePolicy`]: the cookie that carries the ticket, and what browsers read into its name.

use serde::{Deserialize, Serialize};

/// The prefix of a cookie for one host alone, which browsers hold to its rules.
pub(super) const HOST_PREFIX: &str = "__Host-";

/// The prefix of a cookie that browsers take over HTTPS only.
const SECURE_PREFIX: &str = "__Secure-";

/// The cookie that carries the ticket. It is always `HttpOnly`; nothing turns that off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CookiePolicy {
    /// The cookie's name (default: `__Host-id`). The `__Host-` prefix makes browsers refuse the
    /// cookie unless it is `Secure`, has `Path=/` and no `Domain` (RFC 6265bis, 4.1.3.2). They do
    /// not distinguish capital from small letters in a prefix, so `__host-` is the same prefix.
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

impl CookiePolicy {
    /// The name without the prefixes that browsers accept over HTTPS only.
    pub(super) fn without_prefix(&self) -> &str {
        let mut name = self.name.as_str();
        while let Some(rest) =
            [HOST_PREFIX, SECURE_PREFIX].iter().find_map(|prefix| after_prefix(name, prefix))
        {
            name = rest;
        }
        name
    }
}

/// What follows a prefix, read as browsers do: in capital or small letters (RFC 6265bis, 4.1.3).
pub(super) fn after_prefix<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = name.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}
