//! [`CommitBuilder`]: a commit made by hand, for whoever writes a storage and wants to test it.
//!
//! Applications never need it: the engine makes its commits from what handlers change. What is
//! built here goes through the same layout, so a storage cannot tell the two apart.

use std::borrow::Cow;
use std::time::Duration;

use super::{Absolute, Commit, Expect, Nonce};
use crate::changes::Draft;
use crate::clock::Timestamp;
use crate::error::SessionError;
use crate::fingerprint::SessionFingerprint;
use crate::record::{FIELD_NAME_LIMIT, Record, Seen, WrittenOrigin};
use crate::session::OWNER_LIMIT;
use crate::storage::DEFAULT_TTL;
use crate::token::VerifierHash;

/// Builds a [`Commit`] for the tests of a storage.
///
/// Defaults: the absolute deadline is kept, 30 minutes of idle timeout, an empty verifier, no
/// owner, no fields, a nonce of its own.
///
/// ```
/// use std::time::Duration;
/// use cloakroom::{
///     Absolute, CommitBuilder, Committed, Expect, MemorySessionStorage, SessionStorage, Token,
/// };
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let token = Token::generate()?;
/// let commit = CommitBuilder::new(Expect::Absent)
///     .absolute(Absolute::Start(Duration::from_secs(3600)))
///     .verifier(token.verifier_hash())
///     .field("colour", r#""green""#)
///     .build()?;
///
/// let storage = MemorySessionStorage::new();
/// let committed = storage.commit(&token.key(), &commit).await?;
/// assert!(matches!(committed, Committed::Applied { .. }));
///
/// let record = storage.load(&token.key()).await?.expect("it was just committed");
/// assert_eq!(record.field("colour"), Some(br#""green""#.as_slice()));
/// # Ok::<(), cloakroom::SessionError>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
#[must_use]
pub struct CommitBuilder {
    expect: Expect,
    seen: Option<Seen>,
    absolute: Absolute,
    elsewhere: Option<Timestamp>,
    idle_timeout: Duration,
    verifier: VerifierHash,
    owner: Option<String>,
    fingerprint: Option<SessionFingerprint>,
    persistent: bool,
    fields: Vec<(String, Vec<u8>)>,
    nonce: Option<Nonce>,
}

impl CommitBuilder {
    /// Begins a commit under an expectation.
    pub fn new(expect: Expect) -> Self {
        Self {
            expect,
            seen: None,
            absolute: Absolute::Keep,
            elsewhere: None,
            idle_timeout: DEFAULT_TTL,
            verifier: VerifierHash::from_bytes([0; 32]),
            owner: None,
            fingerprint: None,
            persistent: false,
            fields: Vec::new(),
            nonce: None,
        }
    }

    /// The record that is expected, as the engine's commits know it (default: not known). A storage may
    /// then make the new stamp without a look at the old one. A record of another key, or in another
    /// state than the expected one, counts as not known.
    pub fn seen(mut self, record: &Record) -> Self {
        self.seen = Some(Seen::of(record));
        self
    }

    /// From when the absolute timeout counts (default: the record keeps its deadline).
    pub fn absolute(mut self, absolute: Absolute) -> Self {
        self.absolute = absolute;
        self
    }

    /// The session that this commit creates began elsewhere, at a moment that is known or
    /// [not](Timestamp::UNKNOWN) (default: it begins now). When its owner signed in is known only after
    /// the next sign-in. Counts with [`Expect::Absent`].
    pub fn created_elsewhere(mut self, created: Timestamp) -> Self {
        self.elsewhere = Some(created);
        self
    }

    /// How long the session may lie unused (default: 30 minutes). Whole milliseconds count.
    pub fn idle_timeout(mut self, idle_timeout: Duration) -> Self {
        self.idle_timeout = idle_timeout;
        self
    }

    /// What a ticket must prove itself with, see [`Token::verifier_hash`](crate::Token::verifier_hash).
    pub fn verifier(mut self, verifier: VerifierHash) -> Self {
        self.verifier = verifier;
        self
    }

    /// The principal that is signed in (default: none).
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// Where the visitor comes from (default: unknown).
    pub fn fingerprint(mut self, fingerprint: SessionFingerprint) -> Self {
        self.fingerprint = Some(fingerprint);
        self
    }

    /// Marks a session whose cookie is kept when the browser closes.
    pub fn persistent(mut self) -> Self {
        self.persistent = true;
        self
    }

    /// Adds a field with its JSON; a field of that name that was added before is replaced.
    pub fn field(mut self, name: impl Into<String>, json: impl Into<Vec<u8>>) -> Self {
        let name = name.into();
        self.fields.retain(|(present, _)| *present != name);
        self.fields.push((name, json.into()));
        self
    }

    /// Names the commit. Two commits of one nonce are one commit that was sent twice; none may be used
    /// under two keys.
    pub fn nonce(mut self, nonce: Nonce) -> Self {
        self.nonce = Some(nonce);
        self
    }

    /// Builds the commit.
    ///
    /// # Errors
    /// [`SessionError::FieldName`] or [`SessionError::OwnerName`] where a name has a length that
    /// no session can have; [`SessionError::Random`] where no nonce was given and none could be
    /// drawn.
    pub fn build(&self) -> Result<Commit, SessionError> {
        for (name, _) in &self.fields {
            if name.is_empty() || name.len() > FIELD_NAME_LIMIT {
                return Err(SessionError::FieldName { length: name.len() });
            }
        }
        if let Some(owner) = &self.owner
            && (owner.is_empty() || owner.len() > OWNER_LIMIT)
        {
            return Err(SessionError::OwnerName { length: owner.len() });
        }
        let nonce = self.nonce.map_or_else(Nonce::generate, Ok)?;
        let fields = self.fields.iter();
        let fields = fields.map(|(name, json)| (name.as_bytes(), Cow::from(json))).collect();
        let origin = self.fingerprint.as_ref().map(SessionFingerprint::origin);
        let draft = Draft {
            fields,
            verifier: self.verifier,
            owner: self.owner.as_deref(),
            fingerprint: origin.map(WrittenOrigin::New),
            idle_timeout: self.idle_timeout,
            absolute: self.absolute,
            persistent: self.persistent,
            expect: self.expect,
            seen: self.seen,
        };
        Ok(Commit { elsewhere: self.elsewhere, ..draft.commit(nonce) })
    }
}

impl std::fmt::Debug for CommitBuilder {
    /// Shows field names, never values or the owner.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.fields.iter().map(|(name, _)| name).collect();
        f.debug_struct("CommitBuilder")
            .field("expect", &self.expect)
            .field("absolute", &self.absolute)
            .field("idle_timeout", &self.idle_timeout)
            .field("fields", &names)
            .finish_non_exhaustive()
    }
}
