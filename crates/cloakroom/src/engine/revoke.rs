//! Revocation: ending sessions from outside of them, by whoever runs the application or owns them.
//!
//! An owner's sessions are found by the owner's index, which misses none. What was asked for is
//! carried out even if the caller goes away.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::Instant;

use super::{Engine, GRACE};
use crate::clock::Timestamp;
use crate::error::{Operation, StorageError};
use crate::event::{Event, RevokedBy};
use crate::facts::{Found, SessionFacts};
use crate::index::{EntryState, IndexChange, IndexEntry, OwnerIndex};
use crate::owner::OwnerKey;
use crate::storage::{Destroyed, Page, Position, SessionStorage};
use crate::token::{PublicId, SessionKey};

/// How many removals are under way at once.
const PARALLEL: usize = 64;

/// How often a revocation looks whether a sign-in that was under way when it began is done.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// What a revocation has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Revoked {
    /// Sessions that are gone.
    pub ended: usize,
    /// Sessions that this node refuses from now on, and that are gone as soon as the storage's server
    /// answers.
    pub pending: usize,
}

/// One step of a revocation of everything that was created before a moment.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
#[non_exhaustive]
pub struct RevokedPage {
    /// How many sessions this step has ended.
    pub ended: usize,
    /// How many sessions it has looked at.
    pub seen: usize,
    /// Where to go on; `None` at the end.
    pub next: Option<Position>,
    /// How far the walk is, from 0 to 1; an estimate.
    pub done: f64,
}

impl Engine {
    /// The sessions of an owner, the most recently seen first.
    ///
    /// One look at the owner's index and one batch of reads. What has ended is not among them, and is
    /// taken out of the index by the way.
    ///
    /// # Errors
    /// [`StorageError`] where the storage could not say.
    pub async fn sessions_of(&self, owner: &str) -> Result<Vec<SessionFacts>, StorageError> {
        let index = self.index_of(owner).await?;
        let (mut sessions, mut mending) = (Vec::new(), Mending::default());
        let now = index.now;
        for (entry, found) in self.facts_of(index.entries).await? {
            if let Some(facts) = mending.sort(owner, entry, found, now) {
                sessions.push(facts);
            }
        }
        sessions.sort_by_key(|facts| std::cmp::Reverse((facts.last_seen(), facts.id())));
        if !mending.is_empty() {
            let (engine, owner) = (self.clone(), OwnerKey::of(owner));
            self.inner.background.spawn(async move {
                // The observer has heard of an error; the next reader tries again.
                let _ = mending.carry_out(&engine, &owner).await;
            });
        }
        Ok(sessions)
    }

    /// What may be seen of one session.
    ///
    /// # Errors
    /// [`StorageError`] where the storage could not say.
    pub async fn session(&self, id: PublicId) -> Result<Found, StorageError> {
        let keys = [id.key()];
        let found = self.ask(Operation::Facts, self.storage().facts(&keys)).await?;
        Ok(found.into_iter().next().unwrap_or(Found::Nothing))
    }

    /// Ends one session. Its ticket opens nothing any more, on any node.
    ///
    /// Whoever offers this to visitors has to see to it that the session is one of theirs:
    /// [`Session::end_device`](crate::Session::end_device) does.
    ///
    /// # Errors
    /// [`StorageError`] where the outcome is unknown and nobody will try again.
    pub async fn revoke(&self, id: PublicId) -> Result<Destroyed, StorageError> {
        let engine = self.clone();
        let work = async move {
            // Without it the owner's index is mended by the next reader.
            let owner = match engine.session(id).await {
                Ok(Found::Session(facts)) => facts.owner().map(OwnerKey::of),
                _ => None,
            };
            let destroyed = engine.end(id.key(), RevokedBy::Request).await?;
            if let (Some(owner), Destroyed::Removed(_)) = (owner, destroyed) {
                engine.change_index_later(owner, IndexChange::Leave(vec![id.key()]));
            }
            Ok(destroyed)
        };
        self.inner.background.complete(work).await
    }

    /// Ends all sessions of an owner: the account was closed, the password has changed.
    ///
    /// Every session of which anybody was told that it is signed in before this was called is gone
    /// when it returns, whatever other requests do meanwhile. Sign-ins that were under way are waited
    /// for and ended as well.
    ///
    /// # Errors
    /// [`StorageError`] where not all of them could be found or ended; call it again.
    pub async fn revoke_owner(&self, owner: &str) -> Result<Revoked, StorageError> {
        self.revoke_owner_but(owner, None).await
    }

    /// Ends all sessions of a session's owner but that session ("sign out everywhere else"; OWASP
    /// ASVS 5.0, 7.4.3). Nothing where nobody is signed in.
    ///
    /// # Errors
    /// [`StorageError`] where not all of them could be found or ended; call it again.
    pub async fn revoke_others(&self, keep: PublicId) -> Result<Revoked, StorageError> {
        let engine = self.clone();
        let work = async move {
            let facts = engine.session(keep).await?.session();
            match facts.as_ref().and_then(SessionFacts::owner) {
                Some(owner) => engine.end_sessions_of(owner, Some(keep.key())).await,
                None => Ok(Revoked::default()),
            }
        };
        self.inner.background.complete(work).await
    }

    /// As [`Engine::revoke_owner`], but for one session.
    pub(crate) async fn revoke_owner_but(
        &self,
        owner: &str,
        keep: Option<PublicId>,
    ) -> Result<Revoked, StorageError> {
        let (engine, owner) = (self.clone(), owner.to_owned());
        let keep = keep.map(|keep| keep.key());
        let work = async move { engine.end_sessions_of(&owner, keep).await };
        self.inner.background.complete(work).await
    }

    /// Goes one step on a walk over all sessions that ends those created before a moment: after a
    /// breach, or when an old copy of the data was restored. Never on a request's path.
    ///
    /// Begin at [`Position::start`] and go on at [`RevokedPage::next`] until there is none. A position
    /// can be kept as text. Steps may be repeated.
    ///
    /// # Errors
    /// [`StorageError`] where the outcome of this step is unknown; take it again.
    pub async fn revoke_created_before(
        &self,
        moment: Timestamp,
        position: &Position,
    ) -> Result<RevokedPage, StorageError> {
        let storage = self.storage();
        let Page { sessions, next, done } =
            self.ask(Operation::Walk, storage.walk(position)).await?;
        let removal = storage.destroy_created_before(&sessions, moment);
        let ended = self.ask(Operation::Destroy, removal).await?;
        Ok(RevokedPage { ended, seen: sessions.len(), next, done })
    }

    /// Removes what an index holds of sessions that are over, and ends what was condemned. Answers
    /// whether there is room now that was not there before.
    pub(super) async fn mend(&self, owner: &str, index: OwnerIndex) -> Result<bool, StorageError> {
        let (mut mending, now) = (Mending::default(), index.now);
        for (entry, found) in self.facts_of(index.entries).await? {
            let _ = mending.sort(owner, entry, found, now);
        }
        let makes_room = !mending.over.is_empty();
        mending.carry_out(self, &OwnerKey::of(owner)).await?;
        Ok(makes_room)
    }

    /// Ends all sessions that are condemned, and takes those that are gone out of the index.
    pub(super) async fn end_condemned(
        &self,
        owner: &OwnerKey,
        index: &OwnerIndex,
    ) -> Result<(), StorageError> {
        let condemned = index.entries.iter().filter(|entry| entry.is_condemned());
        let sessions: Vec<_> = condemned.map(|entry| entry.session).collect();
        self.end_all(owner, sessions, RevokedBy::Limit).await.map(drop)
    }

    /// What may be seen of the sessions in these entries, each with its entry.
    pub(super) async fn facts_of(
        &self,
        entries: Vec<IndexEntry>,
    ) -> Result<Vec<(IndexEntry, Found)>, StorageError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<_> = entries.iter().map(|entry| entry.session).collect();
        let found = self.ask(Operation::Facts, self.storage().facts(&keys)).await?;
        Ok(entries.into_iter().zip(found).collect())
    }

    /// Ends one session.
    pub(super) async fn end(
        &self,
        session: SessionKey,
        by: RevokedBy,
    ) -> Result<Destroyed, StorageError> {
        let destroyed = self.ask(Operation::Destroy, self.storage().destroy(&session)).await?;
        let session = session.public_id();
        match destroyed {
            Destroyed::Removed(_) => self.emit(&Event::Revoked { session, by }),
            Destroyed::Pending => self.emit(&Event::DestroyPending { session }),
            Destroyed::Absent(_) => {}
        }
        Ok(destroyed)
    }

    async fn index_of(&self, owner: &str) -> Result<OwnerIndex, StorageError> {
        let owner = OwnerKey::of(owner);
        self.ask(Operation::Index, self.storage().owner_index(&owner)).await
    }

    async fn end_sessions_of(
        &self,
        owner: &str,
        keep: Option<SessionKey>,
    ) -> Result<Revoked, StorageError> {
        // Nobody is told of a sign-in later than this.
        let patience = Instant::now() + self.policy().commit_timeout + GRACE;
        let key = OwnerKey::of(owner);
        let index = self.index_of(owner).await?;
        let mut open = index.entries;
        open.retain(|entry| Some(entry.session) != keep);
        let mut revoked = Revoked::default();
        loop {
            let (mut living, mut over, mut under_way) = (Vec::new(), Vec::new(), Vec::new());
            for (entry, found) in self.facts_of(open).await? {
                match found {
                    Found::Session(facts) if facts.owner() == Some(owner) => {
                        living.push(entry.session);
                    }
                    // Nobody can tell whose it is, and nobody can use it.
                    Found::Unreadable => {}
                    _ if entry.is_pending(index.now) => under_way.push(entry),
                    _ => over.push(entry),
                }
            }
            let ended = self.end_all(&key, living, RevokedBy::Request).await?;
            revoked.ended += ended.ended;
            revoked.pending += ended.pending;
            if !over.is_empty() {
                self.change_index_later(key, IndexChange::Remove(over));
            }
            if under_way.is_empty() || Instant::now() > patience {
                return Ok(revoked);
            }
            open = under_way;
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Ends sessions, many at a time, and takes those that are gone out of their owner's index. After
    /// an error the others are ended all the same.
    async fn end_all(
        &self,
        owner: &OwnerKey,
        sessions: Vec<SessionKey>,
        by: RevokedBy,
    ) -> Result<Revoked, StorageError> {
        let ending = sessions.into_iter().map(|session| async move {
            let destroyed = self.end(session, by).await;
            Ok::<_, StorageError>((session, destroyed))
        });
        let all: Vec<_> = stream::iter(ending).buffer_unordered(PARALLEL).try_collect().await?;
        let (mut revoked, mut gone, mut failed) = (Revoked::default(), Vec::new(), None);
        for (session, destroyed) in all {
            match destroyed {
                Ok(Destroyed::Pending) => revoked.pending += 1,
                Ok(destroyed) => {
                    revoked.ended += usize::from(matches!(destroyed, Destroyed::Removed(_)));
                    gone.push(session);
                }
                Err(error) => failed = Some(error),
            }
        }
        if !gone.is_empty() {
            self.change_index_later(*owner, IndexChange::Leave(gone));
        }
        failed.map_or(Ok(revoked), Err)
    }
}

/// What a reader has found to be wrong with an index.
#[derive(Default)]
struct Mending {
    over: Vec<IndexEntry>,
    condemned: Vec<SessionKey>,
    /// Sessions that were signed in although nobody has settled them, and when they end.
    signed_in: Vec<(SessionKey, Timestamp)>,
}

impl Mending {
    /// Notes what is wrong with an entry; answers the session if it is one of the owner's.
    fn sort(
        &mut self,
        owner: &str,
        entry: IndexEntry,
        found: Found,
        now: Timestamp,
    ) -> Option<SessionFacts> {
        let is_pending = entry.is_pending(now);
        match found {
            _ if entry.is_condemned() => {
                self.condemned.push(entry.session);
                None
            }
            Found::Session(facts) if facts.owner() == Some(owner) => {
                if !is_pending && !matches!(entry.state, EntryState::SignedIn(_)) {
                    self.signed_in.push((entry.session, facts.absolute_deadline()));
                }
                Some(facts)
            }
            Found::Session(_) | Found::Nothing if !is_pending => {
                self.over.push(entry);
                None
            }
            _ => None,
        }
    }

    fn is_empty(&self) -> bool {
        self.over.is_empty() && self.condemned.is_empty() && self.signed_in.is_empty()
    }

    async fn carry_out(self, engine: &Engine, owner: &OwnerKey) -> Result<(), StorageError> {
        for (session, deadline) in self.signed_in {
            let settle = IndexChange::Settle { session, deadline, most: None };
            engine.change_index(owner, &settle).await?;
        }
        if !self.over.is_empty() {
            engine.change_index(owner, &IndexChange::Remove(self.over)).await?;
        }
        engine.end_all(owner, self.condemned, RevokedBy::Limit).await.map(drop)
    }
}
