//! The first ask for a session: from a ticket to one of four outcomes.

use super::Engine;
use crate::error::{Operation, StorageError};
use crate::event::{Event, Rejection};
use crate::fingerprint::SessionFingerprint;
use crate::handle::{LoadOutcome, Visit};
use crate::lifetime;
use crate::record::Record;
use crate::session::State;
use crate::storage::{SessionStorage, within};
use crate::ticket::Ticket;

impl Engine {
    /// Loads the request's session into its state.
    ///
    /// An error is the fourth outcome: the storage could not say. It never becomes "anonymous".
    pub(crate) async fn load(&self, visit: &Visit) -> Result<LoadOutcome, StorageError> {
        // The storage bounds one question; only several need a limit around them.
        let asks_more_than_once = visit.candidates.tokens().nth(1).is_some();
        let limit = self.storage().timeout(Operation::Load).filter(|_| asks_more_than_once);
        within(limit, Operation::Load, self.try_tickets(visit)).await
    }

    async fn try_tickets(&self, visit: &Visit) -> Result<LoadOutcome, StorageError> {
        let mut outcome = LoadOutcome::Anonymous;
        for token in visit.candidates.tokens() {
            let ticket = Ticket::new(token.clone());
            match self.open(visit, &ticket).await? {
                Ok(record) => {
                    self.emit(&Event::Found { session: ticket.public_id() });
                    visit.state().arrive(State::found(record, ticket, self.limits()));
                    return Ok(LoadOutcome::Found);
                }
                Err(reason) => {
                    self.emit(&Event::Rejected { session: ticket.public_id(), reason });
                    outcome = worst(outcome, reason);
                }
            }
        }
        Ok(outcome)
    }

    async fn open(
        &self,
        visit: &Visit,
        ticket: &Ticket,
    ) -> Result<Result<Record, Rejection>, StorageError> {
        let key = ticket.key();
        let found = self.ask(Operation::Load, self.storage().load(&key)).await?;
        let Some(record) = found.filter(|record| !record.is_expired(record.as_of())) else {
            return Ok(Err(Rejection::Unknown));
        };
        if !record.accepts(&ticket.proof()) {
            if lifetime::may_just_have_rotated(&record) {
                visit.state().arrive(State::superseded(self.limits()));
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

/// Of several tickets that opened nothing, the one that matters: only where all are unknown may
/// the cookie be cleared.
fn worst(outcome: LoadOutcome, reason: Rejection) -> LoadOutcome {
    match outcome {
        LoadOutcome::Rejected(before) if before != Rejection::Unknown => outcome,
        _ => LoadOutcome::Rejected(reason),
    }
}
