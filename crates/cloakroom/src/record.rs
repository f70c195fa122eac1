//! [`Record`]: what a storage returns for one session, still in the bytes that it was stored in.
//!
//! The layout has one home, [`layout`], for every storage: the bytes that Redis holds are the
//! bytes that memory holds. Fields stay undecoded until somebody asks for one.

mod fields;
mod glance;
mod layout;
mod seen;
mod stamp;

use std::time::Duration;

use bytes::Bytes;

use crate::clock::Timestamp;
use crate::commit::Nonce;
use crate::fingerprint::{Origin, SessionFingerprint};
use crate::token::{SessionKey, VerifierHash};

pub(crate) use fields::{FIELD_NAME_LIMIT, Fields};
pub(crate) use glance::Glance;
pub use layout::{CorruptRecord, RecordBeginning, RecordHead};
pub(crate) use layout::{Layout, STAMP_AT, WrittenOrigin, bind};
pub use seen::Seen;
pub use stamp::{Stamp, StampBytes};

/// Counts the commits of one session; the first one makes generation 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(u64);

impl Generation {
    /// The generation before the first commit.
    pub const ZERO: Self = Self(0);

    /// The generation with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The generation's number.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The generation that the next commit makes.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// One state of one record: its generation and the nonce of the commit that made it.
///
/// The number alone would not do: a record that was removed and made again begins at 1, and after a
/// failover two nodes may have made different records of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    generation: Generation,
    nonce: Nonce,
}

impl Version {
    /// The state that the commit with this nonce made.
    pub const fn new(generation: Generation, nonce: Nonce) -> Self {
        Self { generation, nonce }
    }

    /// How many times the session was committed.
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// The nonce of the last commit.
    pub const fn nonce(&self) -> Nonce {
        self.nonce
    }
}

/// One session as a storage holds it. Clones share the bytes.
#[derive(Clone)]
pub struct Record {
    bytes: Bytes,
    as_of: Timestamp,
    ends: layout::Ends,
}

impl Record {
    /// Reads what is stored under a key. `as_of` is the storage's own clock at the time of reading.
    ///
    /// # Errors
    /// [`CorruptRecord`] where the bytes are not a record, were cut or altered, are of a format
    /// version that this release does not know, or belong to another key.
    pub fn decode(key: &SessionKey, bytes: Bytes, as_of: Timestamp) -> Result<Self, CorruptRecord> {
        let ends = layout::check(key, &bytes)?;
        Ok(Self { bytes, as_of, ends })
    }

    /// The state of the record in these bytes, checked as [`Record::decode`] does.
    pub(crate) fn version_of(key: &SessionKey, bytes: &[u8]) -> Result<Version, CorruptRecord> {
        layout::check(key, bytes)?;
        Ok(layout::Head(bytes).version())
    }

    /// How many times the session was committed.
    pub fn generation(&self) -> Generation {
        self.stamp().generation
    }

    /// What the storage has written into the record.
    pub fn stamp(&self) -> Stamp {
        self.head().stamp()
    }

    /// Which state of the record this is.
    pub fn version(&self) -> Version {
        self.head().version()
    }

    /// When the session was created; [`Timestamp::UNKNOWN`] where it was elsewhere and nobody knows.
    pub fn created(&self) -> Timestamp {
        self.stamp().created
    }

    /// When the absolute timeout began to count: at creation or at the last sign-in.
    /// [`Timestamp::UNKNOWN`] in a session from elsewhere that nobody has signed in to since.
    pub fn started(&self) -> Timestamp {
        self.stamp().started
    }

    /// When the session was last written or its idle deadline moved.
    pub fn touched(&self) -> Timestamp {
        self.stamp().touched
    }

    /// When the session ends unless somebody uses it.
    pub fn idle_deadline(&self) -> Timestamp {
        self.stamp().idle_deadline
    }

    /// When the session ends whatever happens.
    pub fn absolute_deadline(&self) -> Timestamp {
        self.stamp().absolute_deadline
    }

    /// How long the session may lie unused.
    pub fn idle_timeout(&self) -> Duration {
        self.head().idle_timeout()
    }

    /// The storage's clock at the time this copy was read or written.
    pub fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// The same copy, looked at again at another time by the storage's clock.
    #[must_use]
    pub fn looked_at(mut self, as_of: Timestamp) -> Self {
        self.as_of = as_of;
        self
    }

    /// Whether the session had ended at `now`.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now > self.idle_deadline() || now > self.absolute_deadline()
    }

    /// Whether the cookie is kept when the browser closes.
    pub fn is_persistent(&self) -> bool {
        self.head().is_persistent()
    }

    /// The principal that is signed in.
    pub fn owner(&self) -> Option<&str> {
        self.ends.owner(&self.bytes)
    }

    /// Where the session's visitor came from.
    pub fn fingerprint(&self) -> Option<SessionFingerprint> {
        self.origin().map(Origin::to_owned)
    }

    pub(crate) fn origin(&self) -> Option<Origin<'_>> {
        self.ends.origin(&self.bytes)
    }

    /// The same for a record that takes this one's place.
    pub(crate) fn written_origin(&self) -> Option<WrittenOrigin<'_>> {
        self.ends.written_origin(&self.bytes)
    }

    /// The stored JSON of one field.
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        self.fields().value(name)
    }

    /// The names of all fields.
    pub fn field_names(&self) -> impl Iterator<Item = &str> {
        self.fields().map(|(name, _)| name)
    }

    /// The record's size in bytes.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The record's bytes, as `docs/protocol.md` describes them.
    pub fn as_bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub(crate) fn fields(&self) -> Fields<'_> {
        self.ends.fields(&self.bytes)
    }

    /// Whether a ticket or name with this proof opens the record.
    pub fn accepts(&self, proof: &VerifierHash) -> bool {
        self.verifier() == *proof
    }

    pub(crate) fn verifier(&self) -> VerifierHash {
        self.head().verifier()
    }

    fn head(&self) -> layout::Head<'_> {
        layout::Head(&self.bytes)
    }
}

impl std::fmt::Debug for Record {
    /// Shows times and sizes, never a value, a hash or the owner.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record")
            .field("generation", &self.generation().number())
            .field("size", &self.size())
            .field("idle_deadline", &self.idle_deadline())
            .field("absolute_deadline", &self.absolute_deadline())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;
