//! Revocation: ending sessions from outside of them, by whoever runs the application or owns them.
//!
//! An owner's sessions are found by the owner's index, which misses none unless the server has lost
//! entries. What was asked for is carried out even if the caller goes away.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::{Engine, GRACE};
use crate::clock::Timestamp;
use crate::error::{Operation, StorageError};
use crate::event::{Event, RevokedBy};
use crate::facts::{Found, SessionFacts};
use crate::index::{IndexChange, IndexEntry, OwnerIndex};
use crate::owner::OwnerKey;
use crate::storage::{Destroyed, DestroyedBefore, Page, Position, SessionStorage, within};
use crate::token::{PublicId, SessionKey};

/// How many removals are under way at once.
const PARALLEL: usize = 64;

/// How often a revocation looks whether a sign-in that was under way when it began is done.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// How much longer than one of its own a node waits for a sign-in of another node, which may be allowed
/// to take longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether a session is asked to end for the first time, as far as this node knows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    First,
    /// Its end is under way or pending, and the observer has heard of it.
    Again,
}

/// What a revocation has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Revoked {
    /// Sessions that are gone.
    pub ended: usize,
    /// Sessions that this node refuses from now on, and that are gone as soon as the storage's server
    /// answers; other nodes may serve them until then.
    pub pending: usize,
    /// What lies in the place of a session and is no record that this release can read: whose it is
    /// cannot be told, so it was left alone.
    pub unreadable: usize,
}

/// One step of a revocation of everything that was created before a moment.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
#[non_exhaustive]
pub struct RevokedPage {
    /// How many sessions this step has ended; fewer where the storage had to ask its server twice,
    /// because a connection broke.
    pub ended: usize,
    /// What lies in the place of a session and is no record that this release can read: when it was
    /// created cannot be told, so it was left alone. A walk may meet one twice.
    pub unreadable: usize,
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
        let (mending, mut sessions) = self.look_over(owner, index).await?;
        sessions.sort_by_key(|facts| std::cmp::Reverse((facts.last_seen(), facts.id())));
        mending.carry_out_later(self, OwnerKey::of(owner));
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
            let (owner, wish) = match engine.session(id).await {
                Ok(Found::Session(facts) | Found::Over(facts)) => {
                    (facts.owner().map(OwnerKey::of), Wish::First)
                }
                Ok(Found::Ending) => (None, Wish::Again),
                _ => (None, Wish::First),
            };
            let destroyed = engine.end(id.key(), RevokedBy::Request, wish).await?;
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
    /// when it returns, but for those that it counts as pending or unreadable, whatever other requests
    /// do meanwhile. Sign-ins that were under way are waited for and ended as well, for as long as the
    /// node that they are made on allows them to take: with the defaults, and where that node has died,
    /// three seconds.
    ///
    /// Where the storage's server has lost entries of the index, in a failover or to an eviction, the
    /// sessions that they named are missed until they are seen again;
    /// [`Engine::revoke_created_before`] walks over the records themselves.
    ///
    /// # Errors
    /// [`StorageError`] where not all of them could be found or ended; call it again.
    pub async fn revoke_owner(&self, owner: &str) -> Result<Revoked, StorageError> {
        self.revoke_owner_but(owner, None).await
    }

    /// Ends all sessions of a session's owner but that session ("sign out everywhere else"; OWASP
    /// ASVS 5.0, 7.4.3). `None` where that session does not tell whose they are, so that nothing was
    /// done: it has ended or cannot be read, or nobody is signed in to it.
    ///
    /// # Errors
    /// [`StorageError`] where not all of them could be found or ended; call it again.
    pub async fn revoke_others(&self, keep: PublicId) -> Result<Option<Revoked>, StorageError> {
        let engine = self.clone();
        let work = async move {
            let facts = match engine.session(keep).await? {
                Found::Session(facts) | Found::Over(facts) => facts,
                Found::Nothing | Found::Ending | Found::Unreadable => return Ok(None),
            };
            let Some(owner) = facts.owner() else { return Ok(None) };
            engine.end_sessions_of(owner, Some(keep.key())).await.map(Some)
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
    /// can be kept as text. Steps may be repeated. The moment is by the storage's clock: see
    /// [`Engine::now`].
    ///
    /// Unlike other removals these are not remembered, and no replica confirms them: where a failover
    /// brings sessions back, walk once more.
    ///
    /// # Errors
    /// [`StorageError`] where the outcome of this step is unknown; take it again.
    pub async fn revoke_created_before(
        &self,
        moment: Timestamp,
        position: &Position,
    ) -> Result<RevokedPage, StorageError> {
        let (engine, position) = (self.clone(), position.clone());
        let work = async move { engine.end_page_before(moment, &position).await };
        self.inner.background.complete(work).await
    }

    async fn end_page_before(
        &self,
        moment: Timestamp,
        position: &Position,
    ) -> Result<RevokedPage, StorageError> {
        let storage = self.storage();
        let Page { sessions, next, done } =
            self.ask(Operation::Walk, storage.walk(position)).await?;
        let removal = storage.destroy_created_before(&sessions, moment);
        // Of a whole page, so it has as much time as the step of the walk.
        let limit = storage.timeout(Operation::Walk).map(|limit| limit.saturating_add(GRACE));
        let removal = within(limit, Operation::Destroy, removal);
        let DestroyedBefore { removed: ended, unreadable } =
            self.observed(Operation::Destroy, removal).await?;
        if ended > 0 {
            self.emit(&Event::RevokedBefore { moment, ended });
        }
        Ok(RevokedPage { ended, unreadable, seen: sessions.len(), next, done })
    }

    /// The storage's clock, by which sessions are created: that of this machine may be wrong.
    ///
    /// # Errors
    /// [`StorageError`] where the storage could not say.
    pub async fn now(&self) -> Result<Timestamp, StorageError> {
        // Every index tells the time, also that of nobody.
        Ok(self.index_of("").await?.now)
    }

    /// Ends one session.
    pub(super) async fn end(
        &self,
        session: SessionKey,
        by: RevokedBy,
        wish: Wish,
    ) -> Result<Destroyed, StorageError> {
        let destroyed = self.ask(Operation::Destroy, self.storage().destroy(&session)).await?;
        let session = session.public_id();
        match destroyed {
            Destroyed::Removed(_) => self.emit(&Event::Revoked { session, by }),
            Destroyed::Pending if wish == Wish::First => {
                self.emit(&Event::RevocationPending { session, by });
            }
            Destroyed::Pending | Destroyed::Absent(_) => {}
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
        let begun = Instant::now();
        let mut index = self.index_of(owner).await?;
        let mut open = std::mem::take(&mut index.entries);
        open.retain(|entry| Some(entry.session) != keep);
        let (mut revoked, mut failed) = (Revoked::default(), None);
        loop {
            let (mut ending, mut again) = (Vec::new(), Vec::new());
            let (mut over, mut under_way) = (Vec::new(), Vec::new());
            for (entry, found) in self.facts_of_each(open).await {
                match found {
                    Ok(Found::Session(facts) | Found::Over(facts))
                        if facts.owner() == Some(owner) =>
                    {
                        ending.push(entry);
                    }
                    // It was asked for before; it counts when it is done.
                    Ok(Found::Ending) => again.push(entry),
                    // Nobody here can tell whose it is.
                    Ok(Found::Unreadable) => revoked.unreadable += 1,
                    Ok(Found::Session(_) | Found::Over(_) | Found::Nothing)
                        if entry.is_under_way(index.now) =>
                    {
                        under_way.push(entry.session);
                    }
                    Ok(Found::Session(_) | Found::Over(_) | Found::Nothing) => over.push(entry),
                    Err(error) => failed = Some(error),
                }
            }
            for (sessions, wish) in [(ending, Wish::First), (again, Wish::Again)] {
                let owner = OwnerKey::of(owner);
                match self.end_all(&owner, sessions, RevokedBy::Request, wish).await {
                    Ok(ended) => {
                        revoked.ended += ended.ended;
                        revoked.pending += ended.pending;
                    }
                    Err(error) => failed = Some(error),
                }
            }
            if !over.is_empty() {
                self.change_index_later(OwnerKey::of(owner), IndexChange::Remove(over));
            }
            if under_way.is_empty() {
                return failed.map_or(Ok(revoked), Err);
            }
            let (limit, elapsed) = (self.longest_sign_in() + PATIENCE, begun.elapsed());
            if elapsed > limit {
                let setting = "wait for sign-ins under way";
                let error = StorageError::timeout(Operation::Index, setting, limit, elapsed);
                return Err(failed.unwrap_or(error));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
            // What has left the index meanwhile was taken back.
            index = self.index_of(owner).await?;
            open = std::mem::take(&mut index.entries);
            open.retain(|entry| under_way.contains(&entry.session));
        }
    }

    /// Nobody is told of a sign-in of this node that was under way for longer.
    pub(super) fn longest_sign_in(&self) -> Duration {
        let index = self.storage().timeout(Operation::Index).unwrap_or_default();
        (index + GRACE) * 2 + self.policy().commit_timeout + GRACE
    }

    /// What may be seen of the sessions in these entries, each with its entry. Where not all of them
    /// can be asked for together, each is asked for alone: what is sick must not hide what is not.
    async fn facts_of_each(
        &self,
        entries: Vec<IndexEntry>,
    ) -> Vec<(IndexEntry, Result<Found, StorageError>)> {
        if let Ok(found) = self.facts_of(entries.clone()).await {
            return found.into_iter().map(|(entry, found)| (entry, Ok(found))).collect();
        }
        let asking = entries.into_iter().map(|entry| async move {
            let found = self.session(entry.session.public_id()).await;
            (entry, found)
        });
        stream::iter(asking).buffer_unordered(PARALLEL).collect().await
    }

    /// Ends sessions, many at a time, and takes those that are gone out of their owner's index. After
    /// an error the others are ended all the same.
    pub(super) async fn end_all(
        &self,
        owner: &OwnerKey,
        entries: Vec<IndexEntry>,
        by: RevokedBy,
        wish: Wish,
    ) -> Result<Revoked, StorageError> {
        let ending = entries
            .into_iter()
            .map(|entry| async move { (entry, self.end(entry.session, by, wish).await) });
        let all: Vec<_> = stream::iter(ending).buffer_unordered(PARALLEL).collect().await;
        let (mut revoked, mut gone, mut failed) = (Revoked::default(), Vec::new(), None);
        for (entry, destroyed) in all {
            match destroyed {
                Ok(Destroyed::Pending) => revoked.pending += 1,
                Ok(destroyed) => {
                    revoked.ended += usize::from(matches!(destroyed, Destroyed::Removed(_)));
                    gone.push(entry);
                }
                Err(error) => failed = Some(error),
            }
        }
        if !gone.is_empty() {
            self.change_index_later(*owner, IndexChange::Remove(gone));
        }
        failed.map_or(Ok(revoked), Err)
    }
}
