//! Reads a [`Policy`] from environment variables.

use std::time::Duration;

use super::{OnServerError, Policy, SameSite, check};
use crate::error::{ConfigError, Problem};
use crate::fingerprint::FingerprintMode;

/// Reads the policy from `variable`, which answers a variable's value.
pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Policy, ConfigError> {
    let mut reader = Reader { variable, problems: Vec::new() };
    let mut policy = Policy::default();
    let cookie = &mut policy.cookie;
    reader.set("CLOAKROOM_COOKIE_NAME", &mut cookie.name, |text| Ok(text.to_owned()));
    reader.set("CLOAKROOM_COOKIE_SAME_SITE", &mut cookie.same_site, same_site);
    reader.set("CLOAKROOM_COOKIE_PATH", &mut cookie.path, |text| Ok(text.to_owned()));
    reader.set("CLOAKROOM_COOKIE_DOMAIN", &mut cookie.domain, |text| Ok(Some(text.to_owned())));
    reader.set("CLOAKROOM_IDLE_TIMEOUT", &mut policy.idle_timeout, duration);
    reader.set("CLOAKROOM_ABSOLUTE_TIMEOUT", &mut policy.absolute_timeout, duration);
    reader.set("CLOAKROOM_LONGEST_LIFETIME", &mut policy.longest_lifetime, duration);
    reader.set("CLOAKROOM_REFRESH_BELOW", &mut policy.refresh_below, |text| {
        text.parse().map_err(|_| "use a number between 0 and 1".to_owned())
    });
    reader.set("CLOAKROOM_COMMIT_TIMEOUT", &mut policy.commit_timeout, duration);
    reader.set("CLOAKROOM_ON_SERVER_ERROR", &mut policy.on_server_error, on_server_error);
    reader.set("CLOAKROOM_FINGERPRINT", &mut policy.fingerprint, fingerprint);
    reader.set("CLOAKROOM_TRUSTED_PROXIES", &mut policy.trusted_proxies, |text| {
        let networks = text.split(',').map(str::trim).filter(|text| !text.is_empty());
        let read = |text| check::network(text).ok_or_else(|| format!("`{text}` is not a network"));
        networks.map(read).collect()
    });
    reader.set("CLOAKROOM_LOCAL_PLAIN_HTTP", &mut policy.local_plain_http, switch);
    ConfigError::check(reader.problems)?;
    Ok(policy)
}

struct Reader<F> {
    variable: F,
    problems: Vec<Problem>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    fn set<T>(
        &mut self,
        name: &'static str,
        field: &mut T,
        parse: impl Fn(&str) -> Result<T, String>,
    ) {
        let Some(text) = (self.variable)(name) else { return };
        match parse(text.trim()) {
            Ok(value) => *field = value,
            Err(problem) => self.problems.push(Problem::new(name, problem)),
        }
    }
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

fn on_server_error(text: &str) -> Result<OnServerError, String> {
    match text.to_ascii_lowercase().as_str() {
        "discard" => Ok(OnServerError::Discard),
        "commit" => Ok(OnServerError::Commit),
        _ => Err(format!("`{text}` is none of discard, commit")),
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
