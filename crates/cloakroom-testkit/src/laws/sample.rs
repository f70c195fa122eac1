//! The records that the laws commit, and the shortest way to commit and load them.

use std::time::Duration;

use cloakroom::{
    Absolute, Commit, CommitBuilder, Committed, Expect, Nonce, Record, SessionKey, SessionStorage,
    Stamp, Token,
};

/// Longer than any law lets pass.
pub(super) const LONG: Duration = Duration::from_secs(24 * 60 * 60);

/// More tries than any writer needs; a law that is still not done then would never be.
pub(super) const MANY_TRIES: usize = 10_000;

/// Where the stamp lies in a record: the part that the storage writes.
pub(super) const STAMP: std::ops::Range<usize> = 8..56;

/// A key that nothing lies under.
pub(super) fn unused_key() -> SessionKey {
    Token::generate().unwrap().key()
}

/// A commit that creates a session, for as long as any law takes.
pub(super) fn creating() -> CommitBuilder {
    CommitBuilder::new(Expect::Absent).absolute(Absolute::Start(LONG)).idle_timeout(LONG)
}

/// A commit that was applied: its stamp, and the record with it.
#[derive(Clone, Debug)]
pub(super) struct Written {
    stamp: Stamp,
    record: Record,
}

impl Written {
    /// What a commit has written, where it was applied.
    pub(super) fn of(key: &SessionKey, commit: &Commit, outcome: &Committed) -> Option<Self> {
        let Committed::Applied { stamp, as_of } = outcome else { return None };
        let record = Record::decode(key, commit.stamped(key, stamp), *as_of).unwrap();
        Some(Self { stamp: *stamp, record })
    }
}

impl PartialEq for Written {
    fn eq(&self, other: &Self) -> bool {
        self.record.as_bytes() == other.record.as_bytes()
    }
}

impl std::ops::Deref for Written {
    type Target = Stamp;

    fn deref(&self) -> &Stamp {
        &self.stamp
    }
}

/// A commit that rewrites what another one has written, as the engine makes it.
pub(super) fn rewriting(written: &Written) -> CommitBuilder {
    let record = &written.record;
    CommitBuilder::new(Expect::Exactly(record.version())).seen(record).idle_timeout(LONG)
}

/// Commits what must be applied.
pub(super) async fn apply(
    storage: &impl SessionStorage,
    key: &SessionKey,
    commit: &CommitBuilder,
) -> Written {
    apply_built(storage, key, &commit.build().unwrap()).await
}

/// As [`apply`], of a commit that is sent more than once.
pub(super) async fn apply_built(
    storage: &impl SessionStorage,
    key: &SessionKey,
    commit: &Commit,
) -> Written {
    let outcome = storage.commit(key, commit).await.unwrap();
    Written::of(key, commit, &outcome).unwrap_or_else(|| panic!("not applied: {outcome:?}"))
}

/// Commits, and answers what became of it.
pub(super) async fn send(
    storage: &impl SessionStorage,
    key: &SessionKey,
    commit: &CommitBuilder,
) -> Committed {
    storage.commit(key, &commit.build().unwrap()).await.unwrap()
}

/// Loads what must be there.
pub(super) async fn found(storage: &impl SessionStorage, key: &SessionKey) -> Record {
    storage.load(key).await.unwrap().expect("the record must be there")
}

/// The part of a record that no storage may ever change.
pub(super) fn payload(record: &Record) -> (Vec<u8>, Vec<u8>) {
    let bytes = record.as_bytes();
    (bytes[..STAMP.start].to_vec(), bytes[STAMP.end..].to_vec())
}

/// Bytes without a pattern, never the same twice.
pub(super) fn noise(length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length + 16);
    while bytes.len() < length {
        bytes.extend_from_slice(Nonce::generate().unwrap().as_bytes());
    }
    bytes.truncate(length);
    bytes
}
