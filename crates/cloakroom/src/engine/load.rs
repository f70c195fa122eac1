//! The first ask for a session: from a ticket to one of four outcomes.

use std::sync::atomic::Ordering;

use super::Engine;
use crate::error::{Operation, SessionError, StorageError};
use crate::event::{Event, Rejection};
use crate::fingerprint::SessionFingerprint;
use crate::handle::{LoadOutcome, Visit};
use crate::lifetime;
use crate::record::Record;
use crate::session::State;
use crate::storage::{SessionStorage, within};
use crate::ticket::Ticket;

/// How often changes are replayed on a fresh record while the request goes on changing them. A closure
/// that changes its own session would do so for ever.
const MAX_REPLAYS: u32 = 16;

/// What a look at the storage is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// The first of a request. A near-cache's copy will do, if it lets the ticket in.
    First,
    /// The first, and no copy will do.
    Fresh,
    /// A copy was used, and somebody wants to be sure.
    Again,
}

impl Engine {
    /// Loads the request's session into its state.
    ///
    /// An error is the fourth outcome: the storage could not say. It never becomes "anonymous".
    pub(crate) async fn load(&self, visit: &Visit) -> Result<LoadOutcome, StorageError> {
        self.look(visit, Look::First).await
    }

    /// The same by what the storage holds, never by a near-cache's copy.
    pub(crate) async fn load_fresh(&self, visit: &Visit) -> Result<LoadOutcome, StorageError> {
        self.look(visit, Look::Fresh).await
    }

    /// Loads what was loaded from a copy before. What the request has changed since stays where the
    /// ticket still opens the session, and is left alone where it does not: nothing of it can be
    /// committed then.
    pub(crate) async fn reload(&self, visit: &Visit) -> Result<LoadOutcome, StorageError> {
        let outcome = self.look(visit, Look::Again).await?;
        if outcome == LoadOutcome::Rejected(Rejection::Superseded) {
            return Ok(outcome);
        }
        if outcome != LoadOutcome::Found {
            arrive(visit, State::anonymous(self.limits()), Look::Again);
        }
        Ok(outcome)
    }

    async fn look(&self, visit: &Visit, look: Look) -> Result<LoadOutcome, StorageError> {
        // The storage bounds one question; only several need a limit around them. That is rare, and
        // boxed so that it takes no room in the future of every load.
        let asks_more_than_once = visit.candidates.are_several();
        match self.storage().timeout(Operation::Load).filter(|_| asks_more_than_once) {
            None => self.try_tickets(visit, look).await,
            limit => Box::pin(within(limit, Operation::Load, self.try_tickets(visit, look))).await,
        }
    }

    async fn try_tickets(&self, visit: &Visit, look: Look) -> Result<LoadOutcome, StorageError> {
        if let Some(arrival) = visit.arrival.as_deref().filter(|_| visit.candidates.is_empty()) {
            return Box::pin(self.move_in(visit, arrival)).await;
        }
        let mut outcome = LoadOutcome::Anonymous;
        for token in visit.candidates.tokens() {
            let ticket = Ticket::new(token);
            let opened = match self.copy(visit, &ticket, look) {
                Some(copy) => Ok(copy),
                None => self.open(visit, &ticket, look).await?,
            };
            match opened {
                Ok(record) => {
                    self.emit(&Event::Found { session: ticket.public_id() });
                    let found = State::found(record, ticket, self.limits());
                    if arrive(visit, found, look) {
                        return Ok(LoadOutcome::Found);
                    }
                    outcome = worst(outcome, Rejection::Unknown);
                }
                Err(reason) => {
                    self.emit(&Event::Rejected { session: ticket.public_id(), reason });
                    outcome = worst(outcome, reason);
                }
            }
        }
        if outcome == LoadOutcome::Rejected(Rejection::Unknown) {
            visit.state().reject();
        }
        Ok(outcome)
    }

    /// A near-cache's copy of the session, if it lets the ticket in: a refusal is never given because
    /// of a copy, for the ticket may be newer than it.
    fn copy(&self, visit: &Visit, ticket: &Ticket, look: Look) -> Option<Record> {
        if look != Look::First {
            return None;
        }
        let copy = self.storage().cached(&ticket.key())?;
        let mode = self.policy().fingerprint_mode();
        let origin = visit.fingerprint.as_ref().map(SessionFingerprint::origin);
        let is_let_in = !copy.is_expired(copy.as_of())
            && copy.accepts(&ticket.proof())
            && mode.admits(copy.origin(), origin);
        if is_let_in {
            visit.is_copy.store(true, Ordering::Relaxed);
        }
        is_let_in.then_some(copy)
    }

    async fn open(
        &self,
        visit: &Visit,
        ticket: &Ticket,
        look: Look,
    ) -> Result<Result<Record, Rejection>, StorageError> {
        let key = ticket.key();
        let found = self.ask(Operation::Load, self.storage().load(&key)).await?;
        let Some(record) = found.filter(|record| !record.is_expired(record.as_of())) else {
            return Ok(Err(Rejection::Unknown));
        };
        if !record.accepts(&ticket.proof()) {
            // A ticket that a copy has let in a moment ago was replaced since.
            if look == Look::Again || lifetime::may_just_have_rotated(&record) {
                arrive(visit, State::superseded(self.limits()), look);
            }
            return Ok(Err(Rejection::Superseded));
        }
        let mode = self.policy().fingerprint_mode();
        let origin = visit.fingerprint.as_ref().map(SessionFingerprint::origin);
        if !mode.admits(record.origin(), origin) {
            return Ok(Err(Rejection::Fingerprint));
        }
        Ok(Ok(record))
    }
}

/// Puts what was found into the request's state. Answers whether there was room for it.
fn arrive(visit: &Visit, found: State, look: Look) -> bool {
    if look == Look::Again {
        return renew(visit, found);
    }
    visit.state().arrive(found);
    true
}

/// Puts what was found under what the request has changed since it was let in by a copy.
fn renew(visit: &Visit, found: State) -> bool {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let before = visit.state().data.clone();
        // Without the lock, because a closure may look at the same session.
        let rebased = match found.data.record() {
            Some(newer) => before.rebased(newer),
            None => Ok(before.clone()),
        };
        let mut state = visit.state();
        // Another task of this request may have changed something meanwhile.
        if state.data.is_still(&before) {
            return state.renew(found, rebased);
        }
        if attempts == MAX_REPLAYS {
            let limit = visit.engine.policy().commit_timeout;
            return state.renew(found, Err(SessionError::Conflict { attempts, limit }));
        }
    }
}

/// Of several tickets that opened nothing, the one that matters: only where all are unknown may
/// the cookie be cleared.
fn worst(outcome: LoadOutcome, reason: Rejection) -> LoadOutcome {
    match outcome {
        LoadOutcome::Rejected(before) if before != Rejection::Unknown => outcome,
        _ => LoadOutcome::Rejected(reason),
    }
}
