//! What makes a [`Policy`] nonsense.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::cookie::{HOST_PREFIX, after_prefix};
use super::{Policy, SameSite, concurrent};
use crate::error::Problem;
use crate::lifetime;

/// The longest time that a commit may take. A request that waits longer has long been given up.
const LONGEST_COMMIT: Duration = Duration::from_secs(60 * 60);

/// Every problem of the policy.
pub(super) fn problems(policy: &Policy) -> Vec<Problem> {
    let mut problems = Vec::new();
    lifetimes(policy, &mut problems);
    cookie(policy, &mut problems);
    if !(0.0..=1.0).contains(&policy.refresh_below) {
        problems.push(Problem::new(
            "refresh_below",
            format!("{} is not between 0 (never) and 1 (at every request)", policy.refresh_below),
        ));
    }
    if !(1..=concurrent::MOST).contains(&policy.concurrent_sessions.limit) {
        let message = format!("use 1 to {} sessions for one owner", concurrent::MOST);
        problems.push(Problem::new("concurrent_sessions.limit", message));
    }
    if policy.commit_timeout < Duration::from_millis(1) {
        problems.push(Problem::new("commit_timeout", "zero would fail every commit; use 1s"));
    }
    if policy.commit_timeout > LONGEST_COMMIT {
        problems.push(Problem::new("commit_timeout", "more than 1h, the longest allowed; use 1s"));
    }
    problems
}

/// Reads a network, or an address as the network of that one address.
pub(super) fn network(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn lifetimes(policy: &Policy, problems: &mut Vec<Problem>) {
    let fields = [
        ("idle_timeout", policy.idle_timeout),
        ("absolute_timeout", policy.absolute_timeout),
        ("longest_lifetime", policy.longest_lifetime),
    ];
    for (field, lifetime) in fields {
        if lifetime < lifetime::SHORTEST {
            problems.push(Problem::new(field, "zero would end every session at once"));
        }
        if lifetime > lifetime::LONGEST {
            problems.push(Problem::new(field, "more than 400 days, the longest life of a cookie"));
        }
    }
    if policy.idle_timeout > policy.absolute_timeout {
        problems.push(Problem::new(
            "idle_timeout",
            format!(
                "{:?} is longer than the absolute_timeout of {:?} and would never pass",
                policy.idle_timeout, policy.absolute_timeout
            ),
        ));
    }
}

fn cookie(policy: &Policy, problems: &mut Vec<Problem>) {
    let cookie = &policy.cookie;
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if cookie.name.is_empty() || cookie.name.len() > 128 || !cookie.name.bytes().all(is_token) {
        problems.push(Problem::new(
            "cookie.name",
            "use 1 to 128 letters, digits and the characters !#$%&'*+-.^_`|~ (RFC 6265bis, 4.1.1)",
        ));
    }
    if policy.local_plain_http && !cookie.name.is_empty() && cookie.without_prefix().is_empty() {
        problems.push(Problem::new(
            "cookie.name",
            "nothing is left of it without its prefix, which local_plain_http takes away; \
             add a name after the prefix",
        ));
    }
    // A header is one line, and an attribute ends at a semicolon.
    let is_plain =
        |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b';');
    if !cookie.path.starts_with('/') || !is_plain(&cookie.path) {
        problems.push(Problem::new("cookie.path", "a path begins with / and has no ; in it"));
    }
    if let Some(domain) = &cookie.domain
        && (domain.is_empty() || domain.contains(' ') || !is_plain(domain))
    {
        problems.push(Problem::new("cookie.domain", "name a domain such as example.org"));
    }
    let is_host_only = after_prefix(&cookie.name, HOST_PREFIX).is_some();
    if is_host_only && (cookie.path != "/" || cookie.domain.is_some()) {
        problems.push(Problem::new(
            "cookie.name",
            "browsers accept the prefix __Host- only with the path / and without a domain; \
             use the prefix __Secure- for others",
        ));
    }
    if cookie.same_site == SameSite::None && policy.local_plain_http {
        problems.push(Problem::new(
            "cookie.same_site",
            "browsers accept none only over HTTPS, and local_plain_http is on",
        ));
    }
}
