//! [`Mending`]: what a reader does for an owner's index. It ends what is condemned, settles what was
//! signed in although nobody has said so, and removes what is over. A session that finds itself
//! missing is entered again.

use std::time::Duration;

use super::Engine;
use super::revoke::Wish;
use crate::clock::Timestamp;
use crate::error::{Operation, StorageError};
use crate::event::RevokedBy;
use crate::facts::{Found, SessionFacts};
use crate::index::{EntryState, IndexChange, IndexEntry, IndexOutcome, OwnerIndex};
use crate::owner::OwnerKey;
use crate::record::Record;
use crate::storage::SessionStorage;
use crate::token::{PublicId, SessionKey};

/// What is wrong with an index.
#[derive(Default)]
pub(super) struct Mending {
    over: Vec<IndexEntry>,
    condemned: Vec<IndexEntry>,
    /// Sessions that were signed in although nobody has settled them, and when they end.
    signed_in: Vec<(SessionKey, Timestamp)>,
    /// What takes a place and cannot be read, so that only a sign-in has to do with it.
    unreadable: Vec<SessionKey>,
}

impl Mending {
    /// Notes what is wrong with an entry; answers the session if it is one of the owner's and stays.
    fn judge(
        &mut self,
        owner: &str,
        entry: IndexEntry,
        found: Found,
        now: Timestamp,
    ) -> Option<SessionFacts> {
        let is_under_way = entry.is_under_way(now);
        match found {
            Found::Session(facts) if facts.owner() == Some(owner) => {
                if entry.is_condemned() {
                    self.condemned.push(entry);
                    return None;
                }
                if !is_under_way && !matches!(entry.state, EntryState::SignedIn(_)) {
                    self.signed_in.push((entry.session, facts.absolute_deadline()));
                }
                Some(facts)
            }
            // By this node's time. As long as the server has it, it may live on.
            Found::Over(facts) if facts.owner() == Some(owner) => {
                if entry.is_condemned() {
                    self.condemned.push(entry);
                }
                None
            }
            Found::Session(_) | Found::Over(_) | Found::Nothing if !is_under_way => {
                self.over.push(entry);
                None
            }
            Found::Unreadable => {
                self.unreadable.extend(entry.counts(now).then_some(entry.session));
                None
            }
            Found::Session(_) | Found::Over(_) | Found::Nothing | Found::Ending => None,
        }
    }

    fn is_empty(&self) -> bool {
        self.over.is_empty() && self.condemned.is_empty() && self.signed_in.is_empty()
    }

    /// Removes what is over, in one step. Answers whether there was any.
    pub(super) async fn remove_over(
        &mut self,
        engine: &Engine,
        owner: &OwnerKey,
    ) -> Result<bool, StorageError> {
        let over = std::mem::take(&mut self.over);
        if over.is_empty() {
            return Ok(false);
        }
        engine.change_index(owner, &IndexChange::Remove(over)).await.map(|_| true)
    }

    /// Condemns what cannot be read, until no more sessions count than that: it opens for nobody, so
    /// it takes no place any more. Its record is left as it is. Answers whether there was any.
    pub(super) async fn condemn_unreadable(
        &self,
        engine: &Engine,
        owner: &OwnerKey,
        most: u32,
    ) -> Result<bool, StorageError> {
        // It makes room for a session that is not in yet.
        let Some(&session) = self.unreadable.first() else { return Ok(false) };
        let (over, candidates) = (Vec::new(), self.unreadable.clone());
        let condemn = IndexChange::Condemn { session, most, over, candidates };
        engine.change_index(owner, &condemn).await.map(|_| true)
    }

    /// Does everything, in as many steps as it takes.
    async fn carry_out(mut self, engine: &Engine, owner: &OwnerKey) -> Result<(), StorageError> {
        self.remove_over(engine, owner).await?;
        for (session, deadline) in self.signed_in {
            let settle = IndexChange::Settle { session, deadline, most: None };
            let _ = engine.change_index(owner, &settle).await?;
        }
        engine.end_all(owner, self.condemned, RevokedBy::Limit, Wish::First).await.map(drop)
    }

    /// The same off the request's path.
    pub(super) fn carry_out_later(self, engine: &Engine, owner: OwnerKey) {
        if self.is_empty() {
            return;
        }
        let mending = engine.clone();
        engine.inner.background.spawn(async move {
            // The observer has heard of an error; the next reader tries again.
            let _ = self.carry_out(&mending, &owner).await;
        });
    }
}

impl Engine {
    /// What is wrong with an index, and the sessions of its owner's that stay.
    pub(super) async fn look_over(
        &self,
        owner: &str,
        index: OwnerIndex,
    ) -> Result<(Mending, Vec<SessionFacts>), StorageError> {
        let (mut mending, mut sessions) = (Mending::default(), Vec::new());
        for (entry, found) in self.facts_of(index.entries).await? {
            sessions.extend(mending.judge(owner, entry, found, index.now));
        }
        Ok((mending, sessions))
    }

    /// A session's record, as the storage holds it now.
    pub(crate) async fn record(&self, id: PublicId) -> Result<Option<Record>, StorageError> {
        self.ask(Operation::Load, self.storage().load(&id.key())).await
    }

    /// Enters a session that is signed in again where the owner's index has lost it, in the
    /// background.
    pub(crate) fn enter_lost_later(&self, owner: &str, facts: SessionFacts) {
        let (engine, owner) = (self.clone(), OwnerKey::of(owner));
        self.inner.background.spawn(async move {
            // The observer has heard of an error; the next look tries again.
            let _ = engine.enter_lost(&owner, &facts).await;
        });
    }

    /// Enters a session that is signed in, where it is missing.
    async fn enter_lost(&self, owner: &OwnerKey, facts: &SessionFacts) -> Result<(), StorageError> {
        let session = facts.id().key();
        let index = self.ask(Operation::Index, self.storage().owner_index(owner)).await?;
        if index.entries.iter().any(|entry| entry.session == session) {
            return Ok(());
        }
        let deadline = facts.absolute_deadline();
        let (lifetime, pending) = (facts.as_of().until(deadline), Duration::ZERO);
        let enter = IndexChange::Enter { session, lifetime, pending, refuse_at: None };
        if self.change_index(owner, &enter).await?.outcome == IndexOutcome::Done {
            let settle = IndexChange::Settle { session, deadline, most: None };
            let _ = self.change_index(owner, &settle).await?;
        }
        Ok(())
    }

    /// Ends all sessions that are condemned, and takes those that are gone out of the index.
    pub(super) async fn end_condemned(
        &self,
        owner: &str,
        index: &OwnerIndex,
    ) -> Result<(), StorageError> {
        let condemned = index.entries.iter().filter(|entry| entry.is_condemned()).copied();
        let index = OwnerIndex { entries: condemned.collect(), ..*index };
        let (mending, _) = self.look_over(owner, index).await?;
        mending.carry_out(self, &OwnerKey::of(owner)).await
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
}
