//! A storage that breaks one promise now and then, to see whether anybody notices.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloakroom::{
    Commit, Committed, Destroyed, Expect, MemorySessionStorage, Operation, Record, SessionKey,
    SessionStorage, StorageError, StorageErrorKind,
};

/// What the storage does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Under the right key lies data that names the wrong visitor.
    MixesData,
    /// A load answers with the record of another key.
    ServesAnother,
    /// A commit is acknowledged and not carried out.
    ForgetsCommit,
    /// A commit is carried out and reported as a conflict, so that it is sent once more.
    AppliesTwice,
    /// A load answers with the record as it was before the last commit.
    ServesOld,
    /// A destroyed record comes back.
    Resurrects,
    /// A load takes longer than it may.
    AnswersLate,
    /// A load that cannot say answers that there is no session.
    DeniesSession,
    /// None: a load or a commit that cannot say admits it.
    AdmitsOutage,
    /// None: every call takes its time, so that requests can be given up at all of their waits.
    TakesItsTime,
}

/// Misbehaves at every n-th call that it can misbehave in. Clones are the same storage.
#[derive(Clone)]
pub(crate) struct BrokenStorage(Arc<Shared>);

struct Shared {
    inner: MemorySessionStorage,
    flaw: Flaw,
    every: usize,
    calls: AtomicUsize,
    shown: AtomicUsize,
    /// The last record that was answered or written, by its key.
    records: Mutex<HashMap<SessionKey, Record>>,
}

impl BrokenStorage {
    pub(crate) fn new(flaw: Flaw, every: usize) -> Self {
        Self(Arc::new(Shared {
            inner: MemorySessionStorage::new(),
            flaw,
            every,
            calls: AtomicUsize::new(0),
            shown: AtomicUsize::new(0),
            records: Mutex::default(),
        }))
    }

    /// How many times it has misbehaved.
    pub(crate) fn times(&self) -> usize {
        self.0.shown.load(Ordering::SeqCst)
    }

    /// Whether it is time for this flaw.
    fn shows(&self, flaw: Flaw) -> bool {
        self.0.flaw == flaw
            && (self.0.calls.fetch_add(1, Ordering::SeqCst) + 1).is_multiple_of(self.0.every)
    }

    fn shown<T>(&self, answer: T) -> T {
        self.0.shown.fetch_add(1, Ordering::SeqCst);
        answer
    }

    async fn take_time(&self) {
        if self.shows(Flaw::TakesItsTime) {
            tokio::time::sleep(self.shown(Duration::from_millis(3))).await;
        }
    }

    fn remembered(&self, wanted: impl Fn(&SessionKey) -> bool) -> Option<Record> {
        let records = self.0.records.lock().unwrap();
        records.iter().find(|(key, _)| wanted(key)).map(|(_, record)| record.clone())
    }

    fn remember(&self, key: &SessionKey, record: &Option<Record>) {
        if let Some(record) = record {
            self.0.records.lock().unwrap().insert(*key, record.clone());
        }
    }
}

impl SessionStorage for BrokenStorage {
    cloakroom_testkit::pass_on! {
        [0.inner] touch owner_index change_owner_index facts stats
    }

    async fn load(&self, key: &SessionKey) -> Result<Option<Record>, StorageError> {
        self.take_time().await;
        let found = self.0.inner.load(key).await?;
        let is_there = found.is_some();
        if is_there && self.shows(Flaw::AnswersLate) {
            tokio::time::sleep(self.shown(Duration::from_secs(2))).await;
        }
        if is_there && self.shows(Flaw::DeniesSession) {
            return Ok(self.shown(None));
        }
        if self.shows(Flaw::AdmitsOutage) {
            return Err(self.shown(outage(Operation::Load)));
        }
        if is_there
            && self.shows(Flaw::ServesAnother)
            && let Some(other) = self.remembered(|other| other != key)
        {
            return Ok(self.shown(Some(other)));
        }
        if is_there
            && self.shows(Flaw::ServesOld)
            && let Some(old) = self.remembered(|same| same == key)
        {
            return Ok(self.shown(Some(old)));
        }
        if self.0.flaw == Flaw::Resurrects
            && !is_there
            && let Some(old) = self.remembered(|same| same == key)
        {
            return Ok(self.shown(Some(old)));
        }
        if self.0.flaw != Flaw::ServesOld {
            self.remember(key, &found);
        }
        match found {
            Some(record) if self.shows(Flaw::MixesData) => {
                Ok(self.shown(Some(mixed(key, &record))))
            }
            found => Ok(found),
        }
    }

    async fn commit(&self, key: &SessionKey, commit: &Commit) -> Result<Committed, StorageError> {
        self.take_time().await;
        let before = self.0.inner.load(key).await?;
        if self.shows(Flaw::AdmitsOutage) {
            // Whether it was carried out is as open as it is with a real outage.
            if self.times().is_multiple_of(2) {
                let _ = self.0.inner.commit(key, commit).await?;
            }
            return Err(self.shown(outage(Operation::Commit)));
        }
        let changes = matches!(commit.expect(), Expect::Exactly(_));
        let forgets = before.as_ref().filter(|_| changes && self.shows(Flaw::ForgetsCommit));
        if let Some(record) = forgets {
            let (stamp, as_of) =
                (commit.stamp(Some(&record.stamp()), record.as_of()), record.as_of());
            return Ok(self.shown(Committed::Applied { stamp, as_of }));
        }
        let committed = self.0.inner.commit(key, commit).await?;
        if self.0.flaw == Flaw::ServesOld {
            self.remember(key, &before);
        }
        let applied = changes && matches!(committed, Committed::Applied { .. });
        if applied
            && self.shows(Flaw::AppliesTwice)
            && let Some(newer) = self.0.inner.load(key).await?
        {
            return Ok(self.shown(Committed::Conflict(newer)));
        }
        Ok(committed)
    }

    async fn destroy(&self, key: &SessionKey) -> Result<Destroyed, StorageError> {
        self.take_time().await;
        self.0.inner.destroy(key).await
    }

    fn backend_name(&self) -> &'static str {
        "broken"
    }
}

fn outage(operation: Operation) -> StorageError {
    StorageError::new(StorageErrorKind::Unavailable, operation, "the server is away")
}

/// The same record with the last digit of every visitor's name changed, and a checksum that fits
/// (its offsets stand in the description of the protocol).
fn mixed(key: &SessionKey, record: &Record) -> Record {
    const STAMP: std::ops::Range<usize> = 8..56;
    const CHECKSUM: std::ops::Range<usize> = 128..132;
    let mut bytes = record.as_bytes().to_vec();
    let name = b"visitor-00000";
    for at in 0..bytes.len() - name.len() {
        if bytes[at..].starts_with(name) {
            bytes[at + name.len()] ^= 1;
        }
    }
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&bytes[..STAMP.start]);
    checksum.update(&bytes[STAMP.end..CHECKSUM.start]);
    checksum.update(&bytes[CHECKSUM.end..]);
    bytes[CHECKSUM].copy_from_slice(&checksum.finalize().to_be_bytes());
    Record::decode(key, bytes.into(), record.as_of()).unwrap()
}
