//! [`State`]: what one request knows of its session, behind [`Session`](super::Session)'s lock.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::SessionData;
use crate::changes::Persistence;
use crate::clock::Timestamp;
use crate::engine::Removal;
use crate::error::SessionError;
use crate::lifetime;
use crate::owner::OwnerKey;
use crate::record::Record;
use crate::storage::Destroyed;
use crate::ticket::Ticket;
use crate::token::{SessionKey, VerifierHash};

/// The longest name of an owner in bytes.
pub(crate) const OWNER_LIMIT: usize = 1024;

/// A request's session: its data, its ticket, and what is to end.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) data: SessionData,
    /// The ticket that the visitor will hold after this request.
    ticket: Option<Ticket>,
    /// The proof that the request came with.
    proof: Option<VerifierHash>,
    /// The sign-out that `destroy` has asked for.
    removal: Option<Arc<Removal>>,
    /// What became of a sign-out whose session could not be loaded.
    unseen: Option<Destroyed>,
    /// What becomes of the changes where the storage cannot say.
    effort: Effort,
    stuck: Option<SessionError>,
    limits: Limits,
    phase: Phase,
    /// When the request's tickets were found to open nothing.
    rejected: Option<Instant>,
    /// The visitor has signed out by a ticket that opens nothing.
    gives_up: bool,
}

/// What the policy says about a session's life.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) idle_timeout: Duration,
    pub(crate) absolute_timeout: Duration,
    pub(crate) longest_lifetime: Duration,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    /// The request came with a ticket that was replaced a moment ago: the visitor's browser holds
    /// or gets the new one, and an answer with any other ticket would take it away.
    Superseded,
    Finished,
}

/// What a request leaves to be done when it ends.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    /// The session with its changes; empty where nothing was changed.
    pub(crate) data: SessionData,
    pub(crate) ticket: Option<Ticket>,
    pub(crate) proof: Option<VerifierHash>,
    pub(crate) removal: Option<Arc<Removal>>,
    pub(crate) unseen: Option<Destroyed>,
    pub(crate) effort: Effort,
}

impl Ending {
    /// Whether the request has asked for nothing.
    pub(crate) fn is_empty(&self) -> bool {
        !self.data.is_dirty() && !self.signs_out()
    }

    /// Whether the request has signed its visitor out, or is to.
    pub(crate) fn signs_out(&self) -> bool {
        self.removal.is_some() || self.unseen.is_some()
    }
}

/// What a request's answer is worth where its changes could not be saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Nothing: the answer is an error.
    #[default]
    Certain,
    /// It goes out all the same.
    BestEffort,
}

impl State {
    /// A request without a session.
    pub(crate) fn anonymous(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// A request whose ticket opens `record`.
    pub(crate) fn found(record: Record, ticket: Ticket, limits: Limits) -> Self {
        let proof = Some(ticket.proof());
        let data = SessionData::loaded(record);
        Self { data, ticket: Some(ticket), proof, limits, ..Self::default() }
    }

    /// A request whose ticket was replaced a moment ago.
    pub(crate) fn superseded(limits: Limits) -> Self {
        Self { limits, phase: Phase::Superseded, ..Self::default() }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.phase == Phase::Finished
    }

    /// The request's tickets open nothing.
    pub(crate) fn reject(&mut self) {
        self.rejected = Some(Instant::now());
    }

    /// The visitor has asked for what such a ticket may be of to end.
    pub(crate) fn give_up(&mut self) {
        self.gives_up = true;
    }

    /// Whether a ticket that opens nothing may be taken away: the visitor has signed out, or it was
    /// looked up no longer ago than this.
    pub(crate) fn lets_go_within(&self, limit: Duration) -> bool {
        self.gives_up || self.rejected.is_some_and(|at| at.elapsed() <= limit)
    }

    /// Refuses changes that could not reach the visitor.
    pub(crate) fn check_writable(&self) -> Result<(), SessionError> {
        match self.phase {
            Phase::Open => Ok(()),
            Phase::Superseded => Err(SessionError::Superseded),
            Phase::Finished => Err(SessionError::Finished),
        }
    }

    /// Takes on what a load has found, and keeps what the request has said of its changes. After the
    /// end it can be looked at, not changed.
    pub(crate) fn arrive(&mut self, found: Self) {
        let finished = self.phase == Phase::Finished;
        let (effort, rejected, gives_up) = (self.effort, self.rejected, self.gives_up);
        *self = Self { effort, rejected, gives_up, ..found };
        if finished {
            self.phase = Phase::Finished;
        }
    }

    /// Takes on what the storage holds, after a copy of it had arrived before. What the request has
    /// changed meanwhile stays: `rebased` is that over the newer record. Answers whether there was
    /// room for it: changes are not carried over to another session.
    pub(crate) fn renew(
        &mut self,
        found: Self,
        rebased: Result<SessionData, SessionError>,
    ) -> bool {
        if !self.is_changed() {
            self.arrive(found);
            return true;
        }
        // A request that has signed out has no session any more that could be another one.
        if self.removal.is_some() || self.unseen.is_some() {
            return true;
        }
        if self.proof.is_none() || self.proof != found.proof {
            return false;
        }
        match rebased {
            Ok(data) => self.data = data,
            Err(error) => self.stuck = Some(error),
        }
        true
    }

    /// Why the changes could not be put over the newer record. They lie over the copy then, so a
    /// commit replays them once more.
    pub(crate) fn stuck(&self) -> Option<SessionError> {
        self.stuck.clone()
    }

    /// Whether the request has asked for anything.
    pub(crate) fn is_changed(&self) -> bool {
        self.data.is_dirty() || self.removal.is_some() || self.unseen.is_some()
    }

    pub(crate) fn ticket(&self) -> Option<&Ticket> {
        self.ticket.as_ref()
    }

    /// Whether this request's ticket opens the record: the one that it came with, or the one that it
    /// hands out.
    pub(crate) fn opens(&self, record: &Record) -> bool {
        let handed_out = self.ticket.as_ref().map(Ticket::proof);
        self.proof.iter().chain(&handed_out).any(|proof| record.accepts(proof))
    }

    /// Whether this request signs somebody in, which has not taken place yet.
    pub(crate) fn is_signing_in(&self) -> bool {
        self.phase != Phase::Finished && self.data.signs_in()
    }

    /// Runs a change of the data, and sees to it that a session with content has a ticket.
    pub(crate) fn change<T>(
        &mut self,
        change: impl FnOnce(&mut SessionData) -> Result<T, SessionError>,
    ) -> Result<T, SessionError> {
        let value = change(&mut self.data)?;
        if self.ticket.is_none() && self.data.is_dirty() {
            self.ticket = Some(Ticket::generate()?);
        }
        Ok(value)
    }

    pub(crate) fn rotate(&mut self) -> Result<(), SessionError> {
        let Some(ticket) = self.ticket.as_ref().filter(|_| self.data.record().is_some()) else {
            return Ok(());
        };
        let next = ticket.rotated()?;
        self.data.changes_mut().verifier = Some(next.proof());
        self.ticket = Some(next);
        Ok(())
    }

    pub(crate) fn destroy(&mut self) {
        if let (Some(record), Some(ticket)) = (self.data.record(), &self.ticket) {
            self.removal = Some(Removal::new(ticket.key(), record.owner().map(OwnerKey::of)));
        }
        self.let_go();
    }

    /// Goes on without the session. What is put in afterwards belongs to a new one.
    fn let_go(&mut self) {
        self.data = SessionData::new();
        self.ticket = None;
        self.proof = None;
        self.stuck = None;
    }

    /// The sign-out that was asked for.
    pub(crate) fn removal(&self) -> Option<Arc<Removal>> {
        self.removal.clone()
    }

    pub(crate) fn best_effort(&mut self) {
        self.effort = Effort::BestEffort;
    }

    /// The request's sign-out was carried out, or noted, without a look at the session, of which a
    /// copy may have arrived.
    pub(crate) fn sign_out_unseen(&mut self, outcome: Destroyed) {
        self.let_go();
        self.unseen = Some(outcome);
    }

    pub(crate) fn set_owner(&mut self, owner: &str) -> Result<(), SessionError> {
        if owner.is_empty() || owner.len() > OWNER_LIMIT {
            return Err(SessionError::OwnerName { length: owner.len() });
        }
        // Signing in makes a session of its own where the old ticket has none.
        if self.phase == Phase::Superseded {
            self.phase = Phase::Open;
        }
        self.check_writable()?;
        let is_other = self.data.owner().is_some_and(|before| before != owner);
        if is_other {
            self.data.start_over();
        }
        self.rotate()?;
        let limits = self.limits;
        self.change(|data| {
            let remembered = data.record().is_some_and(Record::is_persistent);
            let changes = data.changes_mut();
            changes.owner = Some(owner.to_owned());
            // A lifetime that this request asked for itself stays; one from before does not.
            changes.absolute_timeout.get_or_insert(limits.absolute_timeout);
            if remembered {
                changes.persistent.get_or_insert(Persistence::BrowserSession);
            }
            if remembered || is_other {
                changes.idle_timeout.get_or_insert(limits.idle_timeout);
            }
            Ok(())
        })
    }

    pub(crate) fn signed_in_at(&self) -> Option<Timestamp> {
        let signs_in = self.data.signs_in();
        let record = self.data.record().filter(|record| record.owner().is_some() && !signs_in);
        record.and_then(|record| record.started().known())
    }

    pub(crate) fn require_fresh_auth(&self, max_age: Duration) -> Result<(), SessionError> {
        if self.data.owner().is_none() {
            return Err(SessionError::SignInRequired);
        }
        // Nobody knows when the owner of an imported session has signed in, so it was long ago.
        let age = |record: &Record| Some(record.started().known()?.until(record.as_of()));
        let is_fresh = self.data.signs_in()
            || self.data.record().and_then(age).is_some_and(|age| age <= max_age);
        if is_fresh { Ok(()) } else { Err(SessionError::FreshSignInRequired { max_age }) }
    }

    pub(crate) fn set_idle_timeout(&mut self, idle_timeout: Duration) -> Result<(), SessionError> {
        lifetime::check(idle_timeout, self.limits.longest_lifetime)?;
        let kept = self.data.record().map(Record::idle_timeout) == Some(idle_timeout);
        self.data.changes_mut().idle_timeout = (!kept).then_some(idle_timeout);
        Ok(())
    }

    pub(crate) fn remember_for(&mut self, lifetime: Duration) -> Result<(), SessionError> {
        self.set_idle_timeout(lifetime)?;
        let changes = self.data.changes_mut();
        changes.absolute_timeout = Some(lifetime);
        changes.persistent = Some(Persistence::UntilDeadline);
        Ok(())
    }

    /// The key of a session in use whose idle deadline should be moved.
    pub(crate) fn wants_touch(&self, share: f64) -> Option<SessionKey> {
        let record = self.data.record()?;
        let key = self.ticket.as_ref()?.key();
        lifetime::wants_touch(record, share).then_some(key)
    }

    /// Ends the request: from now on nothing can be written, and only this caller acts.
    pub(crate) fn finish(&mut self) -> Option<Ending> {
        if mem::replace(&mut self.phase, Phase::Finished) == Phase::Finished {
            return None;
        }
        let data = if self.data.is_dirty() { self.data.clone() } else { SessionData::new() };
        Some(Ending {
            data,
            ticket: self.ticket.clone(),
            proof: self.proof,
            removal: self.removal.take(),
            unseen: self.unseen,
            effort: self.effort,
        })
    }

    /// Ends a request that nobody answers, which is as good as done where it has asked for nothing.
    pub(crate) fn abandon(&mut self) -> Option<Ending> {
        if self.is_changed() {
            return self.finish();
        }
        self.phase = Phase::Finished;
        None
    }
}
