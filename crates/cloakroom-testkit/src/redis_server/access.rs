//! [`Access`]: who may log in to a server, and what its URLs therefore look like.
//!
//! Used by the builders. The all-powerful default user always remains, so that the testkit itself
//! can look at the server whatever the users of the test may do.

use std::fmt::Write;

use super::settings::Setting;

/// Names a list of ACL rules, for example `resetkeys ~cloakroom:session:* -@all +get +time`.
///
/// Where it is set, each server that is started without users of its own gets the user `app` with
/// the password `app-password` and these rules, and [`RedisServer::url`](super::RedisServer::url)
/// logs in as that user. So a whole test suite runs as the user that operators are told to create.
pub const ACL_RULES: &str = "CLOAKROOM_TEST_ACL";

const APP: &str = "app";
const APP_PASSWORD: &str = "app-password";

/// A user that a server is started with.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) rules: String,
}

/// The users of a server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    /// The password of the default user.
    pub(crate) password: Option<String>,
    /// Other users; tests log in as the first.
    pub(crate) users: Vec<User>,
}

impl Access {
    /// Adds the user of [`ACL_RULES`] to a server that has no users of its own.
    pub(crate) fn or_from_environment(mut self) -> Self {
        if self.password.is_none() && self.users.is_empty() {
            let rules = std::env::var(ACL_RULES).ok().filter(|rules| !rules.trim().is_empty());
            self.users.extend(rules.map(|rules| User {
                name: APP.to_owned(),
                password: APP_PASSWORD.to_owned(),
                rules,
            }));
        }
        self
    }

    /// The settings that make these users.
    pub(super) fn settings(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        if let Some(password) = &self.password {
            settings.push(Setting::words(["requirepass", password]));
            // Each data node may become a replica of another one.
            settings.push(Setting::words(["masterauth", password]));
        }
        for User { name, password, rules } in &self.users {
            // The password stands last, because rules such as `reset` would take it away.
            let password = format!(">{password}");
            let words = ["user", name].into_iter().chain(rules.split_whitespace());
            settings.push(Setting::words(words.chain(["on", &password])));
        }
        settings
    }

    /// What stands before the host in the URL of the user that tests log in as.
    pub(crate) fn login(&self) -> String {
        match self.users.first() {
            Some(user) => credentials(&user.name, &user.password),
            None => self.plain_login(),
        }
    }

    /// What stands before the host in the URL of the default user.
    pub(crate) fn plain_login(&self) -> String {
        self.password
            .as_deref()
            .map(|password| credentials("default", password))
            .unwrap_or_default()
    }

    /// The same as the query of a unix socket's URL.
    pub(super) fn query(&self) -> String {
        match (self.users.first(), &self.password) {
            (Some(user), _) => {
                format!("?user={}&pass={}", encoded(&user.name), encoded(&user.password))
            }
            (None, Some(password)) => format!("?pass={}", encoded(password)),
            (None, None) => String::new(),
        }
    }
}

/// A user's name and password as they stand in a URL.
pub(super) fn credentials(name: &str, password: &str) -> String {
    format!("{}:{}@", encoded(name), encoded(password))
}

fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_in_a_url_is_encoded() {
        assert_eq!(credentials("a b", "p@ss:/ü"), "a%20b:p%40ss%3A%2F%C3%BC@");
    }

    #[test]
    fn a_users_rules_cannot_take_its_password_away() {
        let user = User { name: "a".into(), password: "b".into(), rules: "reset +get".into() };
        let access = Access { password: None, users: vec![user] };
        assert_eq!(access.settings(), [Setting::new("user", "a reset +get on >b")]);
        assert_eq!(access.or_from_environment().login(), "a:b@");
    }
}
