//! Reads a [`Policy`] from environment variables, and refuses misspelt ones.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{AtLimit, OnServerError, PendingSignOut, Policy, Readiness, SameSite, check};
use crate::error::{ConfigError, Problem};
use crate::fingerprint::FingerprintMode;

/// What the names of all variables of this project begin with.
const PREFIX: &str = "CLOAKROOM_";

/// What comes after the prefix in the names of other parts.
const OTHER_PARTS: [&str; 4] = ["TEST_", "REDIS_", "ADMIN_", "IMPORT_"];

/// Reads the policy from the names and values of all variables.
pub(super) fn read(
    variables: impl Iterator<Item = (String, String)>,
) -> Result<Policy, ConfigError> {
    let variables = variables.filter(|(name, _)| name.starts_with(PREFIX)).collect();
    let mut reader = Reader { variables, problems: Vec::new() };
    let mut policy = Policy::default();
    let cookie = &mut policy.cookie;
    reader.set("CLOAKROOM_COOKIE_NAME", &mut cookie.name, |text| Ok(text.to_owned()));
    reader.set("CLOAKROOM_COOKIE_SAME_SITE", &mut cookie.same_site, same_site);
    reader.set("CLOAKROOM_COOKIE_PATH", &mut cookie.path, |text| Ok(text.to_owned()));
    reader.set("CLOAKROOM_COOKIE_DOMAIN", &mut cookie.domain, |text| Ok(Some(text.to_owned())));
    reader.set("CLOAKROOM_IDLE_TIMEOUT", &mut policy.idle_timeout, duration);
    reader.set("CLOAKROOM_ABSOLUTE_TIMEOUT", &mut policy.absolute_timeout, duration);
    reader.set("CLOAKROOM_LONGEST_LIFETIME", &mut policy.longest_lifetime, duration);
    let concurrent = &mut policy.concurrent_sessions;
    reader.set("CLOAKROOM_CONCURRENT_SESSIONS_LIMIT", &mut concurrent.limit, |text| {
        text.parse().map_err(|_| "use a number such as 100".to_owned())
    });
    reader.set("CLOAKROOM_CONCURRENT_SESSIONS_AT_LIMIT", &mut concurrent.at_limit, at_limit);
    reader.set("CLOAKROOM_REFRESH_BELOW", &mut policy.refresh_below, |text| {
        text.parse().map_err(|_| "use a number between 0 and 1".to_owned())
    });
    reader.set("CLOAKROOM_COMMIT_TIMEOUT", &mut policy.commit_timeout, duration);
    reader.set("CLOAKROOM_ON_SERVER_ERROR", &mut policy.on_server_error, on_server_error);
    let outage = &mut policy.outage;
    reader.set("CLOAKROOM_OUTAGE_PENDING_SIGN_OUT", &mut outage.pending_sign_out, pending_sign_out);
    reader.set("CLOAKROOM_OUTAGE_READINESS", &mut outage.readiness, readiness);
    reader.set("CLOAKROOM_FINGERPRINT", &mut policy.fingerprint, fingerprint);
    reader.set("CLOAKROOM_TRUSTED_PROXIES", &mut policy.trusted_proxies, |text| {
        let networks = text.split(',').map(str::trim).filter(|text| !text.is_empty());
        let read = |text| check::network(text).ok_or_else(|| format!("`{text}` is not a network"));
        networks.map(read).collect()
    });
    reader.set("CLOAKROOM_LOCAL_PLAIN_HTTP", &mut policy.local_plain_http, switch);
    reader.refuse_the_rest();
    ConfigError::check(reader.problems)?;
    Ok(policy)
}

/// Takes each variable out that it knows, so that what is left at the end is unknown.
struct Reader {
    variables: BTreeMap<String, String>,
    problems: Vec<Problem>,
}

impl Reader {
    fn set<T>(
        &mut self,
        name: &'static str,
        field: &mut T,
        parse: impl Fn(&str) -> Result<T, String>,
    ) {
        let Some(text) = self.variables.remove(name) else { return };
        match parse(text.trim()) {
            Ok(value) => *field = value,
            Err(problem) => self.problems.push(Problem::new(name, problem)),
        }
    }

    fn refuse_the_rest(&mut self) {
        let unknown = self.variables.keys().filter(|name| !belongs_to_another(name));
        self.problems.extend(unknown.map(|name| {
            let message = format!(
                "no variable of the policy is named `{name}`; mend its spelling, or take another \
                 prefix for variables of your own"
            );
            Problem::new("environment", message)
        }));
    }
}

/// Whether a variable is none of the policy's business: it belongs to another part of this project,
/// or was set by Kubernetes or Docker for a service whose name begins with ours.
fn belongs_to_another(name: &str) -> bool {
    let rest = name.strip_prefix(PREFIX).unwrap_or(name);
    let is_port = |name: &str| {
        let digit = |rest: &str| rest.starts_with(|first: char| first.is_ascii_digit());
        name.ends_with("_PORT") || name.split("_PORT_").skip(1).any(digit)
    };
    OTHER_PARTS.iter().any(|part| rest.starts_with(part))
        || name.contains("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || is_port(name)
}

fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map(Duration::from_secs);
    seconds
        .or_else(|_| humantime::parse_duration(text))
        .map_err(|error| format!("`{text}` is not a duration such as 30m ({error})"))
}

fn same_site(text: &str) -> Result<SameSite, String> {
    match text.to_ascii_lowercase().as_str() {
        "strict" => Ok(SameSite::Strict),
        "lax" => Ok(SameSite::Lax),
        "none" => Ok(SameSite::None),
        _ => Err(format!("`{text}` is none of strict, lax, none")),
    }
}

fn at_limit(text: &str) -> Result<AtLimit, String> {
    match text.to_ascii_lowercase().as_str() {
        "refuse" => Ok(AtLimit::Refuse),
        "end-oldest" => Ok(AtLimit::EndOldest),
        "end-least-recently-used" => Ok(AtLimit::EndLeastRecentlyUsed),
        _ => Err(format!("`{text}` is none of refuse, end-oldest, end-least-recently-used")),
    }
}

fn on_server_error(text: &str) -> Result<OnServerError, String> {
    match text.to_ascii_lowercase().as_str() {
        "discard" => Ok(OnServerError::Discard),
        "commit" => Ok(OnServerError::Commit),
        _ => Err(format!("`{text}` is none of discard, commit")),
    }
}

fn pending_sign_out(text: &str) -> Result<PendingSignOut, String> {
    match text.to_ascii_lowercase().as_str() {
        "accepted" => Ok(PendingSignOut::Accepted),
        "unavailable" => Ok(PendingSignOut::Unavailable),
        _ => Err(format!("`{text}` is none of accepted, unavailable")),
    }
}

fn readiness(text: &str) -> Result<Readiness, String> {
    match text.to_ascii_lowercase().as_str() {
        "ready" => Ok(Readiness::Ready),
        "not_ready" => Ok(Readiness::NotReady),
        _ => Err(format!("`{text}` is none of ready, not_ready")),
    }
}

fn fingerprint(text: &str) -> Result<Option<FingerprintMode>, String> {
    match text.to_ascii_lowercase().as_str() {
        "disabled" => Ok(Some(FingerprintMode::Disabled)),
        "soft" => Ok(Some(FingerprintMode::Soft)),
        "strict" => Ok(Some(FingerprintMode::Strict)),
        _ => Err(format!("`{text}` is none of disabled, soft, strict")),
    }
}

fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(format!("`{text}` is none of true, false")),
    }
}
