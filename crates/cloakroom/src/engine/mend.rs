//! [`Mending`]: what a reader does for an owner's index. It ends what is condemned, settles what was
//! signed in although nobody has said so, and removes what is over.

use super::Engine;
use super::revoke::Wish;
use crate::clock::Timestamp;
use crate::error::{Operation, StorageError};
use crate::event::RevokedBy;
use crate::facts::{Found, SessionFacts};
use crate::index::{EntryState, IndexChange, IndexEntry, OwnerIndex};
use crate::owner::OwnerKey;
use crate::storage::SessionStorage;
use crate::token::SessionKey;

/// What is wrong with an index.
#[derive(Default)]
pub(super) struct Mending {
    over: Vec<IndexEntry>,
    condemned: Vec<SessionKey>,
    /// Sessions that were signed in although nobody has settled them, and when they end.
    signed_in: Vec<(SessionKey, Timestamp)>,
}

impl Mending {
    /// Notes what is wrong with an entry; answers the session if it is one of the owner's and stays.
    pub(super) fn judge(
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
                    self.condemned.push(entry.session);
                    return None;
                }
                if !is_under_way && !matches!(entry.state, EntryState::SignedIn(_)) {
                    self.signed_in.push((entry.session, facts.absolute_deadline()));
                }
                Some(facts)
            }
            Found::Session(_) | Found::Nothing if !is_under_way => {
                self.over.push(entry);
                None
            }
            Found::Session(_) | Found::Nothing | Found::Ending | Found::Unreadable => None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.over.is_empty() && self.condemned.is_empty() && self.signed_in.is_empty()
    }

    pub(super) async fn carry_out(
        self,
        engine: &Engine,
        owner: &OwnerKey,
    ) -> Result<(), StorageError> {
        if !self.over.is_empty() {
            engine.change_index(owner, &IndexChange::Remove(self.over)).await?;
        }
        for (session, deadline) in self.signed_in {
            let settle = IndexChange::Settle { session, deadline, most: None };
            engine.change_index(owner, &settle).await?;
        }
        engine.end_all(owner, self.condemned, RevokedBy::Limit, Wish::First).await.map(drop)
    }
}

impl Engine {
    /// Mends an index. Answers whether there is room now that was not there before.
    pub(super) async fn mend(&self, owner: &str, index: OwnerIndex) -> Result<bool, StorageError> {
        let (mut mending, now) = (Mending::default(), index.now);
        for (entry, found) in self.facts_of(index.entries).await? {
            let _ = mending.judge(owner, entry, found, now);
        }
        let makes_room = !mending.over.is_empty();
        mending.carry_out(self, &OwnerKey::of(owner)).await?;
        Ok(makes_room)
    }

    /// Ends all sessions that are condemned, and takes those that are gone out of the index.
    pub(super) async fn end_condemned(
        &self,
        owner: &str,
        index: &OwnerIndex,
    ) -> Result<(), StorageError> {
        let condemned = index.entries.iter().filter(|entry| entry.is_condemned()).copied();
        let index = OwnerIndex { entries: condemned.collect(), ..*index };
        self.mend(owner, index).await.map(drop)
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
