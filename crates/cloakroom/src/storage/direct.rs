//! Sessions without a web framework: `get`, `set`, `delete` and `exists` on top of a storage's load,
//! commit and destroy.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::limit::within;
use super::{Destroyed, SessionStorage, Touched};
use crate::changes::{Changes, Draft};
use crate::commit::{Committed, Expect, Nonce};
use crate::error::{Operation, SessionError, StorageError, StorageErrorKind};
use crate::fingerprint::SessionFingerprint;
use crate::lifetime;
use crate::record::Record;
use crate::session::SessionData;
use crate::token::SessionKey;

/// The shortest absolute timeout that a `set` gives; a longer TTL makes it longer.
const ABSOLUTE_TIMEOUT: Duration = Duration::from_secs(12 * 60 * 60);

/// How long a `get` waits for the touch that renews the session's lifetime.
const TOUCH_LIMIT: Duration = Duration::from_millis(40);

/// By how much the limit of several exchanges is longer than that of one, so that the storage, which
/// knows the setting's name, tells of its own timeout first.
const A_MOMENT: Duration = Duration::from_millis(10);

/// How long `set` may go on meeting newer records; the call under way then ends within the
/// storage's own limit.
const DEADLINE: Duration = Duration::from_secs(1);

pub(super) async fn get(
    storage: &impl SessionStorage,
    id: &str,
    fingerprint: Option<&SessionFingerprint>,
) -> Result<Option<SessionData>, StorageError> {
    let key = SessionKey::from_name(id);
    let (mode, proof) = (storage.fingerprint_mode(), key.name_proof());
    let origin = fingerprint.map(SessionFingerprint::origin);
    let is_let_in = |record: &Record| mode.admits(record.origin(), origin);
    let copy = storage.cached(&key).filter(|copy| copy.accepts(&proof));
    let found = match copy.filter(is_let_in) {
        // What a copy would refuse is looked up.
        None => storage.load(&key).await?,
        copy => copy,
    };
    let Some(record) = found else { return Ok(None) };
    if !record.accepts(&proof) {
        return Err(foreign_record(Operation::Load));
    }
    if !is_let_in(&record) {
        return Ok(None);
    }
    if lifetime::wants_touch(&record, lifetime::HALF) {
        // The session has been read; that its lifetime could not be renewed is no reason to fail,
        // nor to keep the reader waiting for a server that takes no writes at present.
        let limit = storage.timeout(Operation::Touch).map(|limit| limit.min(TOUCH_LIMIT));
        let _: Result<Touched, StorageError> =
            within(limit, Operation::Touch, storage.touch(&key)).await;
    }
    Ok(Some(SessionData::loaded(record)))
}

/// As [`write`], within the storage's limit for one operation.
pub(super) async fn set(
    storage: &impl SessionStorage,
    id: &str,
    data: &SessionData,
    ttl: Option<Duration>,
) -> Result<(), SessionError> {
    let write = write(storage, id, data, ttl);
    let limit = storage.timeout(Operation::Commit).map(|limit| limit.saturating_add(A_MOMENT));
    within(limit, Operation::Commit, write).await
}

pub(super) async fn delete(storage: &impl SessionStorage, id: &str) -> Result<bool, StorageError> {
    match storage.destroy(&SessionKey::from_name(id)).await? {
        Destroyed::Removed(_) => Ok(true),
        Destroyed::Absent(_) => Ok(false),
        Destroyed::Pending => Err(StorageError::pending()),
    }
}

pub(super) async fn exists(storage: &impl SessionStorage, id: &str) -> Result<bool, StorageError> {
    Ok(storage.load(&SessionKey::from_name(id)).await?.is_some())
}

async fn write(
    storage: &impl SessionStorage,
    id: &str,
    data: &SessionData,
    ttl: Option<Duration>,
) -> Result<(), SessionError> {
    let key = SessionKey::from_name(id);
    let ttl = ttl.unwrap_or_else(|| storage.default_ttl());
    lifetime::check(ttl, lifetime::LONGEST)?;
    let (base, changes) = data.parts();
    if base.as_ref().is_some_and(|record| !record.accepts(&key.name_proof())) {
        // Found under another name: this is a copy, and the original stays as it is.
        return Box::pin(write(storage, id, &data.copied(), Some(ttl))).await;
    }
    let Some(base) = base else {
        let mut changes = Arc::unwrap_or_clone(changes);
        changes.idle_timeout = Some(ttl);
        return replace(storage, &key, ttl, &changes).await;
    };
    if changes.is_empty() && lasts(&base, ttl) {
        return match storage.touch(&key).await? {
            Touched::Extended(_) | Touched::Unchanged => Ok(()),
            Touched::Gone => Err(SessionError::Gone),
        };
    }
    let mut changes = Arc::unwrap_or_clone(changes);
    changes.idle_timeout = Some(ttl);
    changes.absolute_timeout = Some(ABSOLUTE_TIMEOUT.max(ttl));
    let stored = rewrite(storage, &key, base, &changes).await?;
    // The changes are done with: a further `set` of the same data must not make them again.
    data.was_stored(stored);
    Ok(())
}

/// Whether a touch is enough to give an unchanged record this TTL again.
fn lasts(record: &Record, ttl: Duration) -> bool {
    record.idle_timeout() == ttl && record.as_of() + ttl <= record.absolute_deadline()
}

/// Writes new data over whatever lies there.
async fn replace(
    storage: &impl SessionStorage,
    key: &SessionKey,
    ttl: Duration,
    changes: &Changes,
) -> Result<(), SessionError> {
    let mut draft = Draft::create(key.name_proof(), ttl, ABSOLUTE_TIMEOUT.max(ttl));
    changes.apply_as_seen(&mut draft);
    let nonce = Nonce::generate()?;
    let (create, overwrite) = (draft.commit(nonce), draft.expecting(Expect::Present).commit(nonce));
    create.check_size(storage.max_session_bytes())?;
    let start = Instant::now();
    let mut attempts = 0;
    while start.elapsed() < DEADLINE {
        // A record can come and go between the two tries, so they take turns.
        let commit = if attempts % 2 == 0 { &create } else { &overwrite };
        if let Committed::Applied { .. } = storage.commit(key, commit).await? {
            return Ok(());
        }
        attempts += 1;
    }
    Err(SessionError::Conflict { attempts, limit: DEADLINE })
}

/// Writes the changes over the newest record, unless the session has ended.
async fn rewrite(
    storage: &impl SessionStorage,
    key: &SessionKey,
    mut base: Record,
    changes: &Changes,
) -> Result<Record, SessionError> {
    let start = Instant::now();
    let mut attempts = 0;
    while start.elapsed() < DEADLINE {
        if !base.accepts(&key.name_proof()) {
            return Err(foreign_record(Operation::Commit).into());
        }
        let mut draft = Draft::rewrite(&base);
        match attempts {
            0 => changes.apply_as_seen(&mut draft),
            _ => changes.apply(&mut draft)?,
        }
        let commit = draft.commit(Nonce::generate()?);
        commit.check_size(storage.max_session_bytes())?;
        match storage.commit(key, &commit).await? {
            Committed::Applied { stamp, as_of } => {
                let stored = Record::decode(key, commit.stamped(key, &stamp), as_of);
                return stored.map_err(|_| foreign_record(Operation::Commit).into());
            }
            // Another session that was made under the same name is not the one that was found.
            Committed::Conflict(newer) if newer.created() != base.created() => {
                return Err(SessionError::Gone);
            }
            Committed::Conflict(newer) => base = newer,
            Committed::Gone | Committed::Exists => return Err(SessionError::Gone),
        }
        lifetime::pause_after_conflict(attempts).await;
        attempts += 1;
    }
    Err(SessionError::Conflict { attempts, limit: DEADLINE })
}

fn foreign_record(operation: Operation) -> StorageError {
    let message = "the record does not belong to the name that it was asked for under";
    StorageError::new(StorageErrorKind::Corrupt, operation, message)
}
