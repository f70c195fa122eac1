//! [`SignIn`]: a session's way into its owner's index, around the commit that signs it in.
//!
//! It is entered before the commit and settled after it, so the index never misses a session of
//! which anybody was told that it is signed in. Where the owner has too many then, others end for
//! it. A sign-in whose commit has taken place succeeds even if the index could not be settled: the
//! entry is there, and after its time is over it counts like any other.

use std::time::{Duration, Instant};

use super::revoke::Wish;
use super::{Engine, GRACE};
use crate::changes::Changes;
use crate::clock::Timestamp;
use crate::error::{Operation, SessionError, StorageError, StorageErrorKind};
use crate::event::{Event, RevokedBy};
use crate::facts::{Found, SessionFacts};
use crate::index::{INDEX_CAPACITY, IndexChange, IndexEntry, IndexOutcome, OwnerIndex};
use crate::owner::OwnerKey;
use crate::policy::AtLimit;
use crate::record::{Record, Stamp};
use crate::storage::{SessionStorage, within};
use crate::token::SessionKey;

/// How much longer than a sign-in can take its entry says that it is under way.
const PENDING_MARGIN: Duration = Duration::from_secs(1);

/// How many entries an index may have, as a limit.
const CAPACITY: u32 = INDEX_CAPACITY as u32;

/// As many steps that each take all the time they may have are waited for together.
const STEPS: u32 = 4;

/// How often a sign-in looks at the others again, because some of them are over or have changed.
const MAX_LOOKS: u32 = 3;

/// What the index has answered to a session that is about to be signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Entered {
    /// It is in, and may be committed.
    In,
    /// It had to go for another one, and has ended.
    Condemned,
}

/// A commit that its owner's index has to know of.
pub(super) struct SignIn<'a> {
    owner: &'a str,
    /// Where the owner's index is; a hash, so computed once.
    pub(super) index: OwnerKey,
    pub(super) session: SessionKey,
    /// How long the session lives at most from the commit on.
    lifetime: Duration,
    limit: u32,
    /// Until when the entry says that the sign-in may yet take place.
    pending: Duration,
    begun: Instant,
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
        let owner = match &changes.owner {
            Some(owner) => owner.as_str(),
            // Another lifetime, which the index has to know of as well.
            None => base.filter(|_| changes.absolute_timeout.is_some())?.owner()?,
        };
        let lifetime = changes.absolute_timeout.unwrap_or(policy.absolute_timeout);
        let pending = engine.longest_sign_in() + PENDING_MARGIN;
        let limit = policy.concurrent_sessions.limit;
        let (index, begun) = (OwnerKey::of(owner), Instant::now());
        Some(Self { owner, index, session, lifetime, limit, pending, begun })
    }

    /// Enters a session that is about to be created. Nobody else knows its key, so an entry of which
    /// nobody knows whether it was made leaves again: it would keep its owner out.
    ///
    /// # Errors
    /// Those of [`SignIn::enter`].
    pub(super) async fn enter_new(&self, engine: &Engine) -> Result<Entered, SessionError> {
        let entered = self.enter(engine).await;
        if let Err(SessionError::Storage(_)) = &entered {
            engine.change_index_later(self.index, IndexChange::Leave(vec![self.session]));
        }
        entered
    }

    /// Enters the session.
    ///
    /// # Errors
    /// [`SessionError::TooManySessions`] where the policy refuses it, or the index is full;
    /// [`SessionError::Storage`] where the index could not be changed: then nothing may be committed.
    pub(super) async fn enter(&self, engine: &Engine) -> Result<Entered, SessionError> {
        within(limit_of_steps(engine), Operation::Index, self.try_to_enter(engine)).await
    }

    async fn try_to_enter(&self, engine: &Engine) -> Result<Entered, SessionError> {
        let refuses = engine.policy().concurrent_sessions.at_limit == AtLimit::Refuse;
        let (session, limit) = (self.session, self.limit);
        let (lifetime, pending) = (self.lifetime, self.pending);
        let refuse_at = refuses.then_some(limit);
        let enter = IndexChange::Enter { session, lifetime, pending, refuse_at };
        let mut refused_at = limit;
        for _ in 0..MAX_LOOKS {
            let index = engine.change_index(&self.index, &enter).await?;
            match index.outcome {
                IndexOutcome::Done => return Ok(Entered::In),
                IndexOutcome::Condemned => {
                    let _ = engine.end(session, RevokedBy::Limit, Wish::First).await?;
                    return Ok(Entered::Condemned);
                }
                IndexOutcome::Full => {
                    let is_at_limit = is_at(refuse_at, &index);
                    refused_at = if is_at_limit { limit } else { CAPACITY };
                    let room = leaves_room(limit, &index);
                    let (mut mending, _) = engine.look_over(self.owner, index).await?;
                    let makes_room = mending.remove_over(engine, &self.index).await?
                        || (is_at_limit
                            && mending.condemn_unreadable(engine, &self.index, room).await?);
                    // That may take many steps and makes no room.
                    mending.carry_out_later(engine, self.index);
                    if !makes_room {
                        break;
                    }
                }
            }
        }
        engine.emit(&Event::SignInRefused { session: session.public_id(), limit: refused_at });
        Err(SessionError::TooManySessions { limit: refused_at })
    }

    /// Notes that the commit was applied, and lets others go where there are too many now.
    ///
    /// # Errors
    /// [`SessionError::Gone`] where the session itself had to go for a newer one meanwhile;
    /// [`SessionError::Storage`] where it could not be noted and is too late for the entry to speak for
    /// it.
    pub(super) async fn settle(&self, engine: &Engine, stamp: &Stamp) -> Result<(), SessionError> {
        let makes_room = engine.policy().concurrent_sessions.at_limit != AtLimit::Refuse;
        let (session, most) = (self.session, makes_room.then_some(self.limit));
        let settle = IndexChange::Settle { session, deadline: stamp.absolute_deadline, most };
        let index = match engine.change_index(&self.index, &settle).await {
            Ok(index) => index,
            // What is not settled stays entered, and may be one too many.
            Err(error) if self.begun.elapsed() < self.pending => {
                if makes_room {
                    self.limit_not_kept(engine, &error);
                }
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let outcome = match (index.outcome, most) {
            (IndexOutcome::Full, Some(most)) => {
                match self.make_room_in_time(engine, index, most).await {
                    Ok(IndexOutcome::Full) => {
                        self.limit_not_kept(engine, &still_too_many());
                        IndexOutcome::Full
                    }
                    Ok(outcome) => outcome,
                    Err(error) => {
                        self.limit_not_kept(engine, &error);
                        IndexOutcome::Done
                    }
                }
            }
            (outcome, _) => {
                self.end_condemned_later(engine, index);
                outcome
            }
        };
        match outcome {
            IndexOutcome::Condemned => Err(self.give_way(engine).await),
            IndexOutcome::Done | IndexOutcome::Full => Ok(()),
        }
    }

    fn limit_not_kept(&self, engine: &Engine, error: &StorageError) {
        engine.emit(&Event::LimitNotKept { session: self.session.public_id(), error });
    }

    /// Ends what an earlier sign-in has condemned and could not end, off the request's path.
    fn end_condemned_later(&self, engine: &Engine, index: OwnerIndex) {
        if !index.entries.iter().any(IndexEntry::is_condemned) {
            return;
        }
        let (ending, owner) = (engine.clone(), self.owner.to_owned());
        engine.inner.background.spawn(async move {
            // The observer has heard of an error; whoever looks next tries again.
            let _ = ending.end_condemned(&owner, &index).await;
        });
    }

    /// Ends the session, which was condemned for another one. Whoever has condemned it does so as well;
    /// but nobody shall be told before it has ended.
    async fn give_way(&self, engine: &Engine) -> SessionError {
        match engine.end(self.session, RevokedBy::Limit, Wish::First).await {
            Ok(_) => SessionError::Gone,
            Err(error) => error.into(),
        }
    }

    async fn make_room_in_time(
        &self,
        engine: &Engine,
        index: OwnerIndex,
        most: u32,
    ) -> Result<IndexOutcome, StorageError> {
        let making_room = self.make_room(engine, index, most);
        within(limit_of_steps(engine), Operation::Index, making_room).await
    }

    /// Ends as many of the owner's other sessions as there are too many.
    async fn make_room(
        &self,
        engine: &Engine,
        mut index: OwnerIndex,
        most: u32,
    ) -> Result<IndexOutcome, StorageError> {
        let session = self.session;
        for _ in 0..MAX_LOOKS {
            let (over, candidates) = self.others(engine, index).await?;
            let condemn = IndexChange::Condemn { session, most, over, candidates };
            index = engine.change_index(&self.index, &condemn).await?;
            engine.end_condemned(self.owner, &index).await?;
            if index.outcome != IndexOutcome::Full {
                break;
            }
        }
        Ok(index.outcome)
    }

    /// The owner's other sessions: those that are over, and the others, the first to go first. Before
    /// all others goes what cannot be read: it opens for nobody. Being condemned it takes no place any
    /// more; its record is left as it is.
    async fn others(
        &self,
        engine: &Engine,
        index: OwnerIndex,
    ) -> Result<(Vec<IndexEntry>, Vec<SessionKey>), StorageError> {
        let (entries, now) = (index.entries.into_iter(), index.now);
        let others = entries.filter(|it| it.session != self.session && it.counts(now));
        let (mut over, mut first, mut living) = (Vec::new(), Vec::new(), Vec::new());
        for (entry, found) in engine.facts_of(others.collect()).await? {
            match found {
                Found::Session(facts) | Found::Over(facts) if facts.owner() == Some(self.owner) => {
                    living.push(facts);
                }
                Found::Session(_) | Found::Over(_) | Found::Nothing if !entry.is_under_way(now) => {
                    over.push(entry);
                }
                Found::Unreadable => first.push(entry.session),
                Found::Session(_) | Found::Over(_) | Found::Nothing | Found::Ending => {}
            }
        }
        let rule = engine.policy().concurrent_sessions.at_limit;
        living.sort_by_key(|facts| (left_at(rule, facts), facts.id()));
        first.extend(living.into_iter().map(|facts| facts.id().key()));
        Ok((over, first))
    }
}

/// How long all steps before the commit may take together, and all after the first one behind it.
fn limit_of_steps(engine: &Engine) -> Option<Duration> {
    let step = engine.storage().timeout(Operation::Index)?.saturating_add(GRACE);
    Some(step.saturating_mul(STEPS))
}

/// Whether the owner has so many others that the policy refuses one more; else it is the index that is
/// full.
fn is_at(refuse_at: Option<u32>, index: &OwnerIndex) -> bool {
    let others = index.entries.iter().filter(|entry| !entry.is_condemned()).count();
    refuse_at.is_some_and(|most| others >= most as usize)
}

/// How many sessions of an owner at the limit may count, so that one more can be entered: those that
/// are under way take a place as well.
fn leaves_room(limit: u32, index: &OwnerIndex) -> u32 {
    let standing = index.entries.iter().filter(|entry| !entry.is_condemned()).count();
    let counting = index.entries.iter().filter(|entry| entry.counts(index.now)).count();
    let too_many = (standing + 1).saturating_sub(limit as usize);
    u32::try_from(counting.saturating_sub(too_many)).unwrap_or(u32::MAX)
}

fn still_too_many() -> StorageError {
    let message = "the owner's other sessions are ending already, or have changed all the time";
    StorageError::new(StorageErrorKind::Backend, Operation::Index, message)
}

/// The earlier this is, the earlier a session goes where there are too many.
fn left_at(rule: AtLimit, facts: &SessionFacts) -> Timestamp {
    match rule {
        AtLimit::EndLeastRecentlyUsed => facts.last_seen(),
        _ => facts.signed_in().or(facts.created()).unwrap_or(Timestamp::UNKNOWN),
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
