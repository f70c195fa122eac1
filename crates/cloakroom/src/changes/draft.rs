//! [`Draft`]: a record being rewritten, from which one commit is made.

use std::borrow::Cow;
use std::time::Duration;

use crate::commit::{Absolute, Commit, Expect, Nonce};
use crate::record::{Fields, Layout, Record, Seen, WrittenOrigin};
use crate::token::VerifierHash;

/// How many fields a draft has room for at first; only a guess.
const USUAL_FIELDS: usize = 16;

/// The next state of one record. Applying [`Changes`](super::Changes) moves it on.
#[derive(Clone)]
pub(crate) struct Draft<'a> {
    /// Names and values.
    pub(crate) fields: Vec<(&'a [u8], Cow<'a, [u8]>)>,
    pub(crate) verifier: VerifierHash,
    pub(crate) owner: Option<&'a str>,
    pub(crate) fingerprint: Option<WrittenOrigin<'a>>,
    pub(crate) idle_timeout: Duration,
    pub(crate) absolute: Absolute,
    pub(crate) persistent: bool,
    pub(crate) expect: Expect,
    /// The record that it rewrites.
    pub(crate) seen: Option<Seen>,
}

impl<'a> Draft<'a> {
    /// A session that does not exist yet.
    pub(crate) fn create(
        verifier: VerifierHash,
        idle_timeout: Duration,
        absolute_timeout: Duration,
    ) -> Self {
        Self {
            fields: Vec::new(),
            verifier,
            owner: None,
            fingerprint: None,
            idle_timeout,
            absolute: Absolute::Start(absolute_timeout),
            persistent: false,
            expect: Expect::Absent,
            seen: None,
        }
    }

    /// The record's next generation.
    pub(crate) fn rewrite(record: &'a Record) -> Self {
        let mut fields = Vec::with_capacity(USUAL_FIELDS);
        fields.extend(record.fields().unread().map(|(name, value)| (name, Cow::Borrowed(value))));
        Self {
            fields,
            verifier: record.verifier(),
            owner: record.owner(),
            fingerprint: record.written_origin(),
            idle_timeout: record.idle_timeout(),
            absolute: Absolute::Keep,
            persistent: record.is_persistent(),
            expect: Expect::Exactly(record.version()),
            seen: Some(Seen::of(record)),
        }
    }

    /// The same draft under another expectation.
    pub(crate) fn expecting(mut self, expect: Expect) -> Self {
        self.expect = expect;
        self
    }

    /// Whether what came with this proof may still change the session.
    pub(crate) fn accepts(&self, proof: &VerifierHash) -> bool {
        self.verifier == *proof
    }

    /// Whether the cookie shall be kept when the browser closes.
    pub(crate) fn is_persistent(&self) -> bool {
        self.persistent
    }

    /// A field's value at present.
    pub(crate) fn value(&self, name: &str) -> Option<&[u8]> {
        self.fields
            .iter()
            .find(|(found, _)| *found == name.as_bytes())
            .map(|(_, value)| value.as_ref())
    }

    /// Sets a field, or removes it.
    pub(crate) fn put(&mut self, name: &'a str, value: Option<Cow<'a, [u8]>>) {
        let at = self.fields.iter().position(|(found, _)| *found == name.as_bytes());
        match (at, value) {
            (Some(at), Some(value)) => self.fields[at].1 = value,
            (Some(at), None) => drop(self.fields.remove(at)),
            (None, Some(value)) => self.fields.push((name.as_bytes(), value)),
            (None, None) => {}
        }
    }

    /// Gives the record another absolute deadline. Where somebody has signed in, or it is new, that
    /// is when the timeout began to count.
    pub(crate) fn set_absolute_timeout(&mut self, timeout: Duration, signs_in: bool) {
        self.absolute = match self.absolute {
            Absolute::Start(_) => Absolute::Start(timeout),
            _ if signs_in => Absolute::Start(timeout),
            _ => Absolute::Prolong(timeout),
        };
    }

    /// The commit that makes the draft the stored record.
    pub(crate) fn commit(&self, nonce: Nonce) -> Commit {
        let layout = Layout {
            nonce,
            idle_timeout: self.idle_timeout,
            verifier: self.verifier,
            persistent: self.persistent,
            owner: self.owner,
            fingerprint: self.fingerprint,
        };
        let room = self.fields.iter().map(|(name, value)| name.len() + value.len() + 5).sum();
        let mut fields_at = 0;
        let unbound = layout.encode(room, |bytes| {
            fields_at = bytes.len();
            for (name, value) in &self.fields {
                Fields::write(bytes, name, value);
            }
        });
        let (absolute, idle_timeout) = (self.absolute, self.idle_timeout);
        let (expect, seen) = (self.expect, self.seen);
        Commit { nonce, expect, seen, absolute, idle_timeout, elsewhere: None, unbound, fields_at }
    }
}
