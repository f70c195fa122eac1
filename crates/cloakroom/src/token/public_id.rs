//! [`PublicId`]: what people call a session.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::SessionKey;

/// The name of a session for logs, metrics and administration pages.
///
/// It finds the record in the storage, and it opens nothing: nobody can make a ticket of it. It
/// stays the same when the ticket is rotated.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicId(SessionKey);

impl PublicId {
    pub(super) fn of(key: SessionKey) -> Self {
        Self(key)
    }

    /// The storage key of the session.
    pub fn key(&self) -> SessionKey {
        self.0
    }
}

/// A text that is no public id: it has to be 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidPublicId;

impl fmt::Display for InvalidPublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a session's public id has 32 hexadecimal digits")
    }
}

impl std::error::Error for InvalidPublicId {}

impl FromStr for PublicId {
    type Err = InvalidPublicId;

    /// Reads what `to_string` has written; capital letters are good as well.
    fn from_str(text: &str) -> Result<Self, InvalidPublicId> {
        let digits = text.to_ascii_lowercase();
        SessionKey::from_hex(digits.as_bytes()).map(Self).ok_or(InvalidPublicId)
    }
}

impl fmt::Display for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.to_hex().iter().try_for_each(|digit| write!(f, "{}", char::from(*digit)))
    }
}

/// As its text, so that it can be taken from a form, a path or JSON.
impl Serialize for PublicId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl fmt::Debug for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Token;

    #[test]
    fn a_public_id_is_read_as_it_is_written_and_nothing_else_is() {
        let id = Token::generate().unwrap().key().public_id();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
        for text in ["", "0", &format!("{id}0"), &format!(" {id}"), &"g".repeat(32)] {
            assert_eq!(text.parse::<PublicId>(), Err(InvalidPublicId), "{text}");
        }
    }

    #[test]
    fn a_public_id_is_its_text_in_json() {
        let id = Token::generate().unwrap().key().public_id();
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<PublicId>(&json).unwrap(), id);
        let error = serde_json::from_str::<PublicId>("\"x\"").unwrap_err().to_string();
        assert!(error.contains("32 hexadecimal digits"), "{error}");
    }
}
