//! What a URL holds that others should not see. It is looked at and not believed: the library reads it.

/// Who is named in a URL for the servers with the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Login<'a> {
    Nobody,
    /// Somebody, whose password is elsewhere.
    User(&'a str),
    /// Whoever it is, with a password, which may be empty.
    Whole,
}

impl<'a> Login<'a> {
    pub(super) fn of(url: &'a str) -> Self {
        let Parts { login, query } = Parts::of(url);
        let (user, password) = match login {
            Some(login) => {
                login.split_once(':').map_or((login, None), |(user, it)| (user, Some(it)))
            }
            None => (value(query, "user").unwrap_or_default(), value(query, "pass")),
        };
        match (user, password) {
            ("", None | Some("")) => Self::Nobody,
            (user, None) => Self::User(user),
            (_, Some(_)) => Self::Whole,
        }
    }
}

/// Whether a password stands in it, of the data's servers or of the Sentinels.
pub(super) fn holds_password(url: &str) -> bool {
    let Parts { login, query } = Parts::of(url);
    let is_told = |value: Option<&str>| value.is_some_and(|value| !value.is_empty());
    is_told(login.and_then(|login| login.split_once(':')).map(|(_, password)| password))
        || is_told(value(query, "pass"))
        || is_told(value(query, "sentinel_password"))
}

struct Parts<'a> {
    /// What stands before the last `@`, wherever that is: a password that was not encoded may hold
    /// anything.
    login: Option<&'a str>,
    query: &'a str,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Self {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        let login = rest.rsplit_once('@').map(|(login, _)| login);
        // A question mark before the last `@` belongs to the password.
        let query = if login.is_some_and(|login| login.len() > before.len()) { "" } else { query };
        Self { login, query }
    }
}

fn value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').filter_map(|part| part.split_once('=')).find(|it| it.0 == name).map(|it| it.1)
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
    }

    #[test]
    fn a_user_without_a_password_is_told_from_one_whose_password_is_empty() {
        for (url, login) in [
            ("redis://localhost", Login::Nobody),
            ("redis://:@localhost", Login::Nobody),
            ("redis://ann@localhost", Login::User("ann")),
            ("unix:///run/redis.sock?user=ann", Login::User("ann")),
            ("redis://ann:@localhost", Login::Whole),
            ("redis://ann:secret@localhost", Login::Whole),
            ("redis://:secret@localhost", Login::Whole),
            ("unix:///run/redis.sock?pass=secret", Login::Whole),
            ("redis+sentinel://s1/main?sentinel_user=a&sentinel_password=b", Login::Nobody),
        ] {
            assert_eq!(Login::of(url), login, "{url}");
        }
    }
}
