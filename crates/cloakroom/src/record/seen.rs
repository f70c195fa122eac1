//! [`Seen`]: what the writer of a commit knows of the record that the commit expects.

use std::fmt;

use super::layout::{Head, RecordBeginning};
use super::{Record, Stamp, Version};
use crate::token::SessionKey;

/// A record that was read, as far as a storage has to know it to replace exactly that.
#[derive(Clone, Copy)]
pub struct Seen {
    key: SessionKey,
    beginning: RecordBeginning,
}

impl Seen {
    /// What there is to know of this record.
    pub fn of(record: &Record) -> Self {
        let head = record.head();
        Self { key: head.key(), beginning: head.beginning() }
    }

    /// The record's first bytes, up to and with its nonce.
    pub fn beginning(&self) -> &RecordBeginning {
        &self.beginning
    }

    /// The record's stamp.
    pub fn stamp(&self) -> Stamp {
        Head(&self.beginning).stamp()
    }

    /// Which state of a record it was.
    pub fn version(&self) -> Version {
        Head(&self.beginning).version()
    }

    /// Whether it was read under this key.
    pub(crate) fn is_under(&self, key: &SessionKey) -> bool {
        self.key == *key
    }
}

impl fmt::Debug for Seen {
    /// Shows no key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen").field("stamp", &self.stamp()).finish_non_exhaustive()
    }
}
