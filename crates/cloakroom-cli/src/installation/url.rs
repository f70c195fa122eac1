//! What a URL holds that others should not see. It is looked at and not believed: the library reads it.

/// Whether somebody is named in it.
pub(super) fn holds_credentials(url: &str) -> bool {
    holds(url, |_| true, &["user", "pass"])
}

/// Whether a password stands in it, of the data's servers or of the Sentinels.
pub(super) fn holds_password(url: &str) -> bool {
    let has_password = |login: &str| login.split_once(':').is_some_and(|(_, it)| !it.is_empty());
    holds(url, has_password, &["pass", "sentinel_password"])
}

/// Looks before the last `@`, wherever that is: a password that was not encoded may hold anything.
fn holds(url: &str, is_it: impl Fn(&str) -> bool, names: &[&str]) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let login = rest.rsplit_once('@').map(|(login, _)| login);
    // A question mark before the last `@` belongs to the password.
    let query = if login.is_some_and(|login| login.len() > before.len()) { "" } else { query };
    let has = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        names.contains(&name) && !value.is_empty()
    };
    login.is_some_and(is_it) || query.split('&').any(has)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_noticed_wherever_they_stand() {
        for url in [
            "redis://:secret@localhost",
            "rediss://ann:secret@db.internal:6380/3?ca=/ca.pem",
            "redis://ann:not/encoded@db.internal",
            "redis://ann:not?encoded@db.internal",
            "redis+sentinel://s1,s2/main?sentinel_user=a&sentinel_password=secret",
            "unix:///run/redis.sock?db=1&pass=secret",
        ] {
            assert!(holds_password(url), "{url}");
        }
        for url in [
            "redis://localhost:6379",
            "redis://ann:@localhost",
            "redis://ann@localhost",
            "redis://[::1]:6379/2?protocol=resp2",
            "unix:///run/redis.sock?user=ann&pass=",
            "nonsense",
            "",
        ] {
            assert!(!holds_password(url), "{url}");
        }
        assert!(holds_credentials("redis://ann@localhost"));
        assert!(holds_credentials("unix:///run/redis.sock?user=ann"));
        assert!(!holds_credentials("redis://localhost"));
    }
}
