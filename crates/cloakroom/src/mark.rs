//! [`MarkKey`]: where a *mark* lies, a few bytes beside the sessions that are none of them. Moving in
//! leaves marks: that a session was imported, and the salt of a first ticket.
//!
//! No walk meets a mark, nothing counts, lists or revokes it, and no ticket opens it. It ends by
//! itself, and nothing ends it before.

use std::fmt;

use crate::token::SessionKey;

/// Names one mark: 16 bytes, written as 32 lower-case hexadecimal digits.
///
/// It comes from [`OldSessionId::note_key`](crate::OldSessionId::note_key).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MarkKey(SessionKey);

impl MarkKey {
    /// The key as 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    pub(crate) fn derive(domain: &[u8], secret: &[u8]) -> Self {
        Self(SessionKey::derive(domain, secret))
    }
}

impl fmt::Display for MarkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.public_id().fmt(f)
    }
}

impl fmt::Debug for MarkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MarkKey({self})")
    }
}
