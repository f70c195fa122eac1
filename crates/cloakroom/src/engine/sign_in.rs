//! [`SignIn`]: a session's way into its owner's index, around the commit that signs it in.
//!
//! It is entered before the commit and settled after it, so the index never misses a session of
//! which anybody was told that it is signed in. Where the owner has too many then, others end for
//! it. A sign-in whose commit has taken place succeeds even if the index could not be settled: the
//! entry is there.

use std::time::Duration;

use super::Engine;
use crate::changes::Changes;
use crate::clock::Timestamp;
use crate::error::{Operation, SessionError, StorageError};
use crate::event::{Event, RevokedBy};
use crate::facts::SessionFacts;
use crate::index::{EntryState, IndexChange, IndexEntry, IndexOutcome, OwnerIndex};
use crate::owner::OwnerKey;
use crate::policy::AtLimit;
use crate::record::{Record, Stamp};
use crate::storage::SessionStorage;
use crate::token::SessionKey;

/// What a sign-in may take beyond twice the limit of its commit.
const PENDING_MARGIN: Duration = Duration::from_secs(10);

/// How often a sign-in that was refused looks whether some of the others are over.
const MAX_LOOKS: u32 = 3;

/// A commit that its owner's index has to know of.
pub(super) struct SignIn<'a> {
    owner: &'a str,
    session: SessionKey,
    /// How long the session lives at most from the commit on.
    lifetime: Duration,
    /// `None` where somebody who is signed in only gets another lifetime.
    limit: Option<u32>,
}

impl<'a> SignIn<'a> {
    /// What the index has to know of these changes; `None` where they are none of its business.
    pub(super) fn of(
        engine: &Engine,
        session: SessionKey,
        base: Option<&'a Record>,
        changes: &'a Changes,
    ) -> Option<Self> {
        let policy = engine.policy();
        let (owner, limit) = match &changes.owner {
            Some(owner) => (owner.as_str(), Some(policy.concurrent_sessions.limit)),
            None => (base.filter(|_| changes.absolute_timeout.is_some())?.owner()?, None),
        };
        let lifetime = changes.absolute_timeout.unwrap_or(policy.absolute_timeout);
        Some(Self { owner, session, lifetime, limit })
    }

    /// Enters the session.
    ///
    /// # Errors
    /// [`SessionError::TooManySessions`] where the policy refuses it;
    /// [`SessionError::Storage`] where the index could not be changed: then nothing may be committed.
    pub(super) async fn enter(&self, engine: &Engine) -> Result<(), SessionError> {
        let refuses = engine.policy().concurrent_sessions.at_limit == AtLimit::Refuse;
        let enter = IndexChange::Enter {
            session: self.session,
            lifetime: self.lifetime,
            pending: engine.policy().commit_timeout * 2 + PENDING_MARGIN,
            refuse_at: self.limit.filter(|_| refuses),
        };
        for _ in 0..MAX_LOOKS {
            let index = engine.change_index(&OwnerKey::of(self.owner), &enter).await?;
            if index.outcome != IndexOutcome::Full {
                return Ok(());
            }
            if !engine.mend(self.owner, index).await? {
                break;
            }
        }
        let limit = self.limit.unwrap_or_default();
        engine.emit(&Event::SignInRefused { session: self.session.public_id(), limit });
        Err(SessionError::TooManySessions { limit })
    }

    /// Notes that the commit was applied, and lets others go where there are too many now.
    ///
    /// # Errors
    /// [`SessionError::Gone`] where the session itself had to go for a newer one meanwhile.
    pub(super) async fn settle(&self, engine: &Engine, stamp: &Stamp) -> Result<(), SessionError> {
        let makes_room = engine.policy().concurrent_sessions.at_limit != AtLimit::Refuse;
        let most = self.limit.filter(|_| makes_room);
        let deadline = stamp.absolute_deadline;
        let settle = IndexChange::Settle { session: self.session, deadline, most };
        // The observer has heard of an error. What is not settled stays entered.
        let Ok(index) = engine.change_index(&OwnerKey::of(self.owner), &settle).await else {
            return Ok(());
        };
        let outcome = match (index.outcome, most) {
            (IndexOutcome::Full, Some(most)) => match self.make_room(engine, index, most).await {
                Ok(outcome) => outcome,
                Err(error) => {
                    let session = self.session.public_id();
                    engine.emit(&Event::LimitNotKept { session, error: &error });
                    IndexOutcome::Done
                }
            },
            (outcome, _) => outcome,
        };
        if outcome == IndexOutcome::Condemned {
            // Whoever has condemned it ends it as well; nobody shall be told before it has ended.
            let _ = engine.end(self.session, RevokedBy::Limit).await;
            return Err(SessionError::Gone);
        }
        Ok(())
    }

    /// Takes back an entry of a session that was not created. Nobody else has ever known its key.
    pub(super) fn forget(&self, engine: &Engine) {
        let leave = IndexChange::Leave(vec![self.session]);
        engine.change_index_later(OwnerKey::of(self.owner), leave);
    }

    /// Ends as many of the owner's other sessions as there are too many.
    async fn make_room(
        &self,
        engine: &Engine,
        index: OwnerIndex,
        most: u32,
    ) -> Result<IndexOutcome, StorageError> {
        let (entries, now) = (index.entries.into_iter(), index.now);
        let others = entries.filter(|it| it.session != self.session && it.counts(now));
        let (mut over, mut living) = (Vec::new(), Vec::new());
        for (entry, found) in engine.facts_of(others.collect()).await? {
            match found.session().filter(|facts| facts.owner() == Some(self.owner)) {
                Some(facts) => living.push((entry, facts)),
                None => over.push(entry),
            }
        }
        let rule = engine.policy().concurrent_sessions.at_limit;
        living.sort_by_key(|(entry, facts)| (left_at(rule, entry, facts), entry.session));
        let candidates = living.into_iter().map(|(entry, _)| entry).collect();
        let session = self.session;
        let condemn = IndexChange::Condemn { session, most, over, candidates };
        let owner = OwnerKey::of(self.owner);
        let index = engine.change_index(&owner, &condemn).await?;
        engine.end_condemned(&owner, &index).await?;
        Ok(index.outcome)
    }
}

/// The earlier this is, the earlier a session goes where there are too many.
fn left_at(rule: AtLimit, entry: &IndexEntry, facts: &SessionFacts) -> Timestamp {
    match (rule, entry.state) {
        (AtLimit::EndLeastRecentlyUsed, _) => facts.last_seen(),
        (_, EntryState::SignedIn(since)) => since,
        _ => facts.signed_in().unwrap_or(facts.created()),
    }
}

impl Engine {
    pub(super) async fn change_index(
        &self,
        owner: &OwnerKey,
        change: &IndexChange,
    ) -> Result<OwnerIndex, StorageError> {
        self.ask(Operation::Index, self.storage().change_owner_index(owner, change)).await
    }

    /// The same off the request's path. Where it fails, a reader will mend the index.
    pub(super) fn change_index_later(&self, owner: OwnerKey, change: IndexChange) {
        let engine = self.clone();
        self.inner.background.spawn(async move {
            // The observer has heard of an error.
            let _ = engine.change_index(&owner, &change).await;
        });
    }
}
