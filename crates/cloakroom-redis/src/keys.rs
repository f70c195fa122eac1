//! Every key name that this crate uses: the prefix, a word for what is no session, and 32 lower-case
//! hexadecimal digits.

use cloakroom::{MarkKey, OwnerKey, Problem, SessionKey};

/// The prefix of [`RedisSessionStorage::new`](crate::RedisSessionStorage::new).
pub const DEFAULT_PREFIX: &str = "cloakroom:session:";

const PREFIX_LIMIT: usize = 256;
const DIGITS: usize = 32;

/// Names the keys of one application.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    prefix: Box<str>,
}

impl Keys {
    /// Keys below a prefix of printable characters.
    pub(crate) fn new(prefix: &str) -> Result<Self, Problem> {
        let is_plain = |character: char| !character.is_control() && !character.is_whitespace();
        if prefix.is_empty() || prefix.len() > PREFIX_LIMIT || !prefix.chars().all(is_plain) {
            let message = "use 1 to 256 bytes without spaces, for example cloakroom:session:";
            return Err(Problem::new("prefix", message));
        }
        Ok(Self { prefix: prefix.into() })
    }

    /// What all names begin with.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Where a session's record lies.
    pub(crate) fn session(&self, key: &SessionKey) -> Vec<u8> {
        let mut name = Vec::with_capacity(self.prefix.len() + DIGITS);
        name.extend_from_slice(self.prefix.as_bytes());
        name.extend_from_slice(&key.to_hex());
        name
    }

    /// Where the index of an owner's sessions lies.
    pub(crate) fn owner(&self, owner: &OwnerKey) -> Vec<u8> {
        format!("{}owner:{owner}", self.prefix).into_bytes()
    }

    /// Where a mark lies.
    pub(crate) fn mark(&self, mark: &MarkKey) -> Vec<u8> {
        format!("{}mark:{mark}", self.prefix).into_bytes()
    }

    /// A key that is no session's, for asking a server whether it takes writes. Its number decides
    /// which node of a Cluster it belongs to.
    pub(crate) fn probe(&self, number: usize) -> Vec<u8> {
        format!("{}probe:{number}", self.prefix).into_bytes()
    }

    /// The session whose record lies under `name`; `None` where the name is not one of ours.
    pub(crate) fn parse(&self, name: &[u8]) -> Option<SessionKey> {
        SessionKey::from_hex(name.strip_prefix(self.prefix.as_bytes())?)
    }

    /// The pattern of all our names, for `SCAN`: what is special in a pattern is escaped.
    pub(crate) fn pattern(&self) -> String {
        escaped(&self.prefix) + &"?".repeat(DIGITS)
    }

    /// The pattern of everything below the prefix, for an access rule.
    pub(crate) fn pattern_below(&self) -> String {
        escaped(&self.prefix) + "*"
    }
}

/// A text as a pattern that nothing else matches.
pub(crate) fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + DIGITS + 8);
    for character in text.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use cloakroom::OldSessionId;

    use super::*;

    #[test]
    fn a_name_is_the_prefix_and_the_fixed_alphabet() {
        let keys = Keys::new("app:").unwrap();
        let key = SessionKey::from_name("a\r\nb*{}:\0");
        let name = keys.session(&key);
        assert!(name.starts_with(b"app:"));
        assert!(name[4..].iter().all(|byte| b"0123456789abcdef".contains(byte)));
        assert_eq!(name.len(), 36);
        assert_eq!(keys.parse(&name), Some(key));
    }

    #[test]
    fn an_owners_index_is_never_taken_for_a_session() {
        let keys = Keys::new("app:").unwrap();
        let name = keys.owner(&OwnerKey::of("ann"));
        assert_eq!((name.len(), keys.parse(&name)), (42, None));
        let digits = name.strip_prefix(b"app:owner:").unwrap();
        assert!(digits.iter().all(|byte| b"0123456789abcdef".contains(byte)));
    }

    #[test]
    fn a_mark_is_never_taken_for_a_session() {
        let keys = Keys::new("app:").unwrap();
        let name = keys.mark(&OldSessionId::new("library", "id").note_key());
        assert_eq!((name.len(), keys.parse(&name)), (41, None));
        assert!(name.starts_with(b"app:mark:"));
    }

    #[test]
    fn other_names_are_not_ours() {
        let keys = Keys::new("app:").unwrap();
        for name in ["app:", "app:zz", "other:00000000000000000000000000000000"] {
            assert_eq!(keys.parse(name.as_bytes()), None);
        }
        assert_eq!(keys.parse(b"app:ABCDEF00000000000000000000000000"), None);
    }

    #[test]
    fn glob_characters_in_a_prefix_are_escaped() {
        let pattern = Keys::new(r"a*[b]?\").unwrap().pattern();
        assert_eq!(pattern, format!(r"a\*\[b\]\?\\{}", "?".repeat(32)));
    }

    #[test]
    fn a_prefix_that_cannot_be_typed_is_refused() {
        for prefix in ["", "a b", "a\nb", "a\0"] {
            assert_eq!(Keys::new(prefix).unwrap_err().field, "prefix");
        }
    }
}
