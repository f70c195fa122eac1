//! [`Target`]: the storage that sessions are imported into, and the order in which one is written: its
//! owner's index, the note, the record, the index again.
//!
//! So the index never misses a session, and what was written and has ended is never written again. A
//! session that is noted and not written is lost to later imports, so from the note on a server that
//! cannot say is asked for longer.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloakroom::{
    Absolute, Commit, Committed, INDEX_CAPACITY, IndexChange, IndexOutcome, OldSessionId, OwnerKey,
    SessionKey, SessionStorage, StorageError, StorageErrorKind,
};

use crate::again::{again, insist};

/// How long a note outlives the old library's key, whose time left two servers' clocks count; and how
/// long it lives at least, since an old application that goes on renews its keys.
const NOTE_MARGIN: Duration = Duration::from_secs(24 * 60 * 60);
const SHORTEST_NOTE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How long the note of a key lives that does not expire: 400 days, longer than which no browser keeps
/// a cookie.
const LONGEST_NOTE: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// After that long an entry in an owner's index no longer means that its session is about to be
/// written.
const PENDING: Duration = Duration::from_secs(30);

/// How many sessions of one owner are imported: a quarter of what an index holds, so that there is room
/// for the owner's next sign-ins, and no step on it takes the server long. An account of more is shared,
/// or no account: the owner's field names something else.
const MOST_OF_AN_OWNER: u32 = INDEX_CAPACITY as u32 / 4;

pub(crate) struct Target<S> {
    storage: S,
    /// Whose index has refused a session. They are not asked for again: each has its hundreds.
    full: Mutex<HashSet<OwnerKey>>,
}

/// A session that is ready to be written.
pub(crate) struct Ready {
    pub(crate) id: OldSessionId,
    pub(crate) commit: Commit,
    pub(crate) owner: Option<OwnerKey>,
    /// For how long it is noted that the session was imported.
    pub(crate) note: Duration,
}

/// What has become of it.
pub(crate) enum Taken {
    Written {
        has_owner: bool,
    },
    Present,
    /// It is noted and not there: it has ended, or an import was cut off between note and record.
    Ended,
    OwnerFull,
}

impl<S: SessionStorage> Target<S> {
    pub(crate) fn new(storage: S) -> Self {
        Self { storage, full: Mutex::default() }
    }

    pub(crate) fn max_session_bytes(&self) -> usize {
        self.storage.max_session_bytes()
    }

    /// What would become of a session, as far as a look tells.
    pub(crate) async fn would_write(&self, ready: &Ready) -> Result<Taken, StorageError> {
        // In this order: what is not there any more was noted before it was written.
        let (key, note) = (ready.id.key(), ready.id.note_key());
        if again(|| self.storage.load(&key)).await?.is_some() {
            return Ok(Taken::Present);
        }
        let is_noted = again(|| self.storage.mark(&note)).await?.is_some();
        let has_owner = ready.owner.is_some();
        Ok(if is_noted { Taken::Ended } else { Taken::Written { has_owner } })
    }

    pub(crate) async fn write(&self, ready: &Ready) -> Result<Taken, StorageError> {
        let looked = self.would_write(ready).await;
        if is_there(&looked) {
            // The session may have outlived its note.
            self.note(ready).await?;
        }
        let taken = looked?;
        let Taken::Written { .. } = taken else { return Ok(taken) };
        let Ready { id, commit, owner, .. } = ready;
        let key = id.key();
        if let Some(owner) = owner
            && !self.enter(owner, key, commit).await?
        {
            return Ok(Taken::OwnerFull);
        }
        // Another import is writing it at this moment.
        if !self.note(ready).await? {
            return Ok(Taken::Present);
        }
        let Committed::Applied { stamp, .. } = insist(|| self.storage.commit(&key, commit)).await?
        else {
            return Ok(Taken::Present);
        };
        if let Some(owner) = owner {
            let deadline = stamp.absolute_deadline;
            let settle = IndexChange::Settle { session: key, deadline, most: None };
            // Where it was condemned meanwhile, the index's readers end it.
            let _ = self.change_index(owner, settle).await?;
        }
        Ok(taken)
    }

    /// Notes that the session is imported, unless that was noted before. `false` where it was.
    async fn note(&self, ready: &Ready) -> Result<bool, StorageError> {
        let (key, own) = (ready.id.note_key(), ready.commit.nonce());
        let left = insist(|| self.storage.leave_mark(&key, own.as_bytes(), ready.note)).await?;
        Ok(left == own.as_bytes()[..])
    }

    /// Enters a session into its owner's index. `false` where there is no room, or where it has just
    /// been condemned for another one: then it must not be written.
    async fn enter(
        &self,
        owner: &OwnerKey,
        session: SessionKey,
        commit: &Commit,
    ) -> Result<bool, StorageError> {
        if self.full().contains(owner) {
            return Ok(false);
        }
        let outcome = self.change_index(owner, entering(session, commit)).await?;
        if outcome == IndexOutcome::Full {
            self.full().insert(*owner);
        }
        Ok(outcome == IndexOutcome::Done)
    }

    /// The limit of concurrent sessions is the next sign-in's business: nobody is signed out by an
    /// import.
    async fn change_index(
        &self,
        owner: &OwnerKey,
        change: IndexChange,
    ) -> Result<IndexOutcome, StorageError> {
        Ok(again(|| self.storage.change_owner_index(owner, &change)).await?.outcome)
    }

    /// It stays sound when a thread panicked: it is changed in one go.
    fn full(&self) -> MutexGuard<'_, HashSet<OwnerKey>> {
        self.full.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether there is a record, be it one that cannot be read.
fn is_there(looked: &Result<Taken, StorageError>) -> bool {
    match looked {
        Ok(taken) => matches!(taken, Taken::Present),
        Err(error) => *error.kind() == StorageErrorKind::Corrupt,
    }
}

/// For how long an import is noted, where the old library's key has so long left.
pub(crate) fn life_of_note(time_left: Option<Duration>) -> Duration {
    time_left.map_or(LONGEST_NOTE, |left| (left + NOTE_MARGIN).clamp(SHORTEST_NOTE, LONGEST_NOTE))
}

/// What the index is told of a session that is about to be written.
fn entering(session: SessionKey, commit: &Commit) -> IndexChange {
    let lifetime = match commit.absolute() {
        Absolute::Start(timeout) | Absolute::Prolong(timeout) => timeout,
        Absolute::Keep => commit.idle_timeout(),
    };
    let refuse_at = Some(MOST_OF_AN_OWNER);
    IndexChange::Enter { session, lifetime, pending: PENDING, refuse_at }
}

#[cfg(test)]
mod tests;
