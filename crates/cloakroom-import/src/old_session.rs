//! [`OldSession`]: what a reader has made of one key of another library, and [`Unreadable`], why it
//! could not. The readers make them, the import writes them.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use cloakroom::Timestamp;
use serde_json::{Map, Value};

/// One key of another library, as it lies there.
#[derive(Clone, Copy)]
pub struct Raw<'a> {
    /// The session's id: what stands behind the prefix in the key's name.
    pub id: &'a str,
    /// What lies under the key.
    pub value: RawValue<'a>,
    /// How long the key has left; `None` where it does not expire.
    pub time_left: Option<Duration>,
}

/// A key's value.
#[derive(Clone, Copy)]
pub enum RawValue<'a> {
    /// A string.
    Text(&'a [u8]),
    /// A hash: its fields and their values.
    Hash(&'a [(Bytes, Bytes)]),
}

/// A session of another library.
#[derive(Clone)]
#[non_exhaustive]
pub struct OldSession {
    /// The id that its cookie names.
    pub id: String,
    /// What the application has put in, as JSON.
    pub fields: Map<String, Value>,
    /// How long it has left unless it is used; `None` where it does not expire.
    pub time_left: Option<Duration>,
    /// When it was created, where the library says so.
    pub created: Option<Timestamp>,
    /// Whether the cookie is known to be kept when the browser closes.
    pub is_remembered: bool,
    /// What could not be expressed as JSON.
    pub left_behind: Vec<LeftBehind>,
}

/// A field that is a program's object and cannot be expressed as JSON.
#[derive(Clone)]
#[non_exhaustive]
pub struct LeftBehind {
    /// The field's name.
    pub field: String,
    /// The class of what could not be expressed.
    pub class: String,
    /// The object's own fields as far as they can be shown, to find the owner in.
    pub(crate) shape: Value,
}

/// Why a key's value could not be read, or not taken. It never shows the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Unreadable {
    /// The key holds something of another type than the library writes.
    OtherType,
    /// The value is longer than is read.
    TooLong,
    /// The value is not what the library writes; the text says what was expected.
    Malformed(&'static str),
    /// The value belongs to another key.
    OtherId,
    /// The session takes more bytes than the storage accepts.
    TooLarge,
    /// A field's name has a length that no session can have.
    FieldName,
    /// The owner's name has a length that no session can have.
    OwnerName,
    /// What lies in the target where the session goes, or its owner's index there, is damaged or of a
    /// newer version. It stays as it is.
    InTarget,
}

impl OldSession {
    pub(crate) fn new(raw: &Raw<'_>, fields: Map<String, Value>) -> Self {
        Self {
            id: raw.id.to_owned(),
            fields,
            time_left: raw.time_left,
            created: None,
            is_remembered: false,
            left_behind: Vec::new(),
        }
    }
}

impl<'a> Raw<'a> {
    pub(crate) fn text(&self) -> Result<&'a [u8], Unreadable> {
        match self.value {
            RawValue::Text(text) => Ok(text),
            RawValue::Hash(_) => Err(Unreadable::OtherType),
        }
    }
}

impl fmt::Debug for Raw<'_> {
    /// Shows neither the id nor the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Raw").field("time_left", &self.time_left).finish_non_exhaustive()
    }
}

impl fmt::Debug for RawValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "RawValue::Text(redacted)",
            Self::Hash(_) => "RawValue::Hash(redacted)",
        })
    }
}

impl fmt::Debug for OldSession {
    /// Shows the names of fields, never the id or a value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OldSession")
            .field("fields", &self.fields.keys().collect::<Vec<_>>())
            .field("time_left", &self.time_left)
            .field("left_behind", &self.left_behind)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for LeftBehind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeftBehind")
            .field("field", &self.field)
            .field("class", &self.class)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherType => f.write_str("the key holds another type of value"),
            Self::TooLong => f.write_str("the value is longer than 1 MiB"),
            Self::Malformed(expected) => write!(f, "the value is not {expected}"),
            Self::OtherId => f.write_str("the value belongs to another session"),
            Self::TooLarge => f.write_str("the session is larger than the storage accepts"),
            Self::FieldName => f.write_str("a field's name is empty or too long"),
            Self::OwnerName => f.write_str("the owner's name is empty or too long"),
            Self::InTarget => f.write_str("what lies in the target in its place cannot be read"),
        }
    }
}

impl std::error::Error for Unreadable {}
