//! What becomes of a sign-in whose commit has failed. Nobody is told of its ticket, so a session that
//! was signed in all the same is nobody's: it would only take a place of its owner's.
//!
//! It is ended in the background, by the verifier that only this sign-in has drawn: a session that
//! another request has signed in is never meant. It is looked at first, because a storage may take no
//! writes to a session whose removal is under way, and a session that lives on as it was has a holder.
//! The commit may still be on its way when it is looked for, so it is looked for several times.
//!
//! Each of these tasks ends with its engine, or as soon as somebody waits for it ([`Engine::drain`]):
//! then it looks once more and no further.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::background::Background;
use super::sign_in::SignIn;
use super::{Engine, Inner};
use crate::error::{Operation, SessionError, StorageErrorKind};
use crate::event::Event;
use crate::facts::Found;
use crate::index::IndexChange;
use crate::owner::OwnerKey;
use crate::storage::{Destroyed, SessionStorage};
use crate::token::{SessionKey, VerifierHash};

/// How many sign-ins may be taken back at once. Further ones keep their entries, and count as signed in
/// until a reader finds out that they are not.
const MAX_TAKINGS: usize = 1024;

/// After which pauses a commit that may be on its way, or an end that is not carried out yet, is looked
/// for again.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(20),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(4),
];

/// How soon a storage that could not say is asked again. That goes on for the idle timeout: by then a
/// session that nobody holds has ended by itself.
const IN_AN_OUTAGE: Duration = Duration::from_secs(10);

/// What is known of a commit that was not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommitOutcome {
    NotApplied,
    /// There was no session any more.
    Gone,
    Unknown,
}

impl CommitOutcome {
    pub(super) fn of(error: &SessionError) -> Self {
        use StorageErrorKind::{Denied, Full, Pending, ReadOnly, Rejected};
        match error {
            SessionError::Storage(error) => match error.kind() {
                // Nothing was sent, or nothing was written.
                Denied | Full | Pending | ReadOnly | Rejected => Self::NotApplied,
                _ => Self::Unknown,
            },
            SessionError::Gone => Self::Gone,
            _ => Self::NotApplied,
        }
    }
}

impl SignIn<'_> {
    /// Takes back the creation of a session. Nobody else has ever known its key.
    pub(super) fn take_back_creation(
        &self,
        engine: &Engine,
        outcome: CommitOutcome,
        verifier: VerifierHash,
    ) {
        match outcome {
            CommitOutcome::NotApplied | CommitOutcome::Gone => {
                engine.leave_later(self.index, self.session);
            }
            CommitOutcome::Unknown => self.begin(engine, Goal::EndNew(verifier)),
        }
    }

    /// Takes back a sign-in in a session that exists. As long as it may live on as it was, its entry
    /// stays: other requests may have signed it in.
    pub(super) fn take_back(
        &self,
        engine: &Engine,
        outcome: CommitOutcome,
        verifier: VerifierHash,
    ) {
        match outcome {
            CommitOutcome::NotApplied => {}
            CommitOutcome::Gone => self.begin(engine, Goal::Leave),
            CommitOutcome::Unknown => self.begin(engine, Goal::End(verifier)),
        }
    }

    fn begin(&self, engine: &Engine, goal: Goal) {
        let Inner { takings, background, .. } = &*engine.inner;
        let Ok(place) = takings.places.clone().try_acquire_owned() else { return };
        let taking = Taking {
            engine: Arc::downgrade(&engine.inner),
            background: background.clone(),
            index: self.index,
            session: self.session,
            goal,
        };
        background.spawn(async move {
            taking.carry_out().await;
            drop(place);
        });
    }
}

/// Room for the sign-ins that an engine takes back.
pub(super) struct Takings {
    places: Arc<Semaphore>,
}

impl Default for Takings {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(MAX_TAKINGS)) }
    }
}

/// The end of a session that was signed in and that nobody was told of.
struct Taking {
    /// Held only while something is asked.
    engine: Weak<Inner>,
    background: Arc<Background>,
    index: OwnerKey,
    session: SessionKey,
    goal: Goal,
}

#[derive(Clone, Copy)]
enum Goal {
    /// The session ends where it has this verifier.
    End(VerifierHash),
    /// The same, and its place is free as soon as it is not there, even if its commit is still to come.
    EndNew(VerifierHash),
    /// It leaves the index as soon as there certainly is no session: nobody shall wait for an entry of
    /// which nothing comes any more. What has ended it may be under way.
    Leave,
}

/// What one look has shown.
enum Seen {
    /// Nothing is left to be done.
    Done,
    /// What is waited for has not come.
    NotYet,
    /// The storage could not say. The observer has heard of it.
    Unknown,
}

impl Taking {
    async fn carry_out(mut self) {
        let (begun, mut pauses, mut is_last) = (Instant::now(), PAUSES.into_iter(), false);
        loop {
            let Some(engine) = self.engine.upgrade().map(|inner| Engine { inner }) else { return };
            let pause = match self.look(&engine).await {
                Seen::Done => None,
                Seen::NotYet => pauses.next(),
                Seen::Unknown if begun.elapsed() > engine.policy().idle_timeout => None,
                Seen::Unknown => Some(IN_AN_OUTAGE),
            };
            drop(engine);
            let Some(pause) = pause.filter(|_| !is_last) else { return };
            is_last = !self.background.pause(pause).await;
        }
    }

    async fn look(&mut self, engine: &Engine) -> Seen {
        let (Goal::End(verifier) | Goal::EndNew(verifier)) = self.goal else {
            return match engine.session(self.session.public_id()).await {
                Ok(Found::Nothing) => self.leave(engine),
                Ok(_) => Seen::NotYet,
                Err(_) => Seen::Unknown,
            };
        };
        match engine.ask(Operation::Load, engine.storage().load(&self.session)).await {
            Ok(Some(record)) if record.accepts(&verifier) => self.end(engine, &verifier).await,
            Ok(_) => {
                if let Goal::EndNew(_) = self.goal {
                    self.goal = Goal::End(verifier);
                    engine.leave_later(self.index, self.session);
                }
                Seen::NotYet
            }
            Err(_) => Seen::Unknown,
        }
    }

    async fn end(&self, engine: &Engine, verifier: &VerifierHash) -> Seen {
        let removal = engine.storage().destroy_unseen(&self.session, verifier);
        match engine.ask(Operation::Destroy, removal).await {
            Ok(Destroyed::Removed(_)) => self.leave(engine),
            Ok(Destroyed::Pending) => {
                let session = self.session.public_id();
                engine.emit(&Event::DestroyPending { session });
                Seen::Done
            }
            Ok(Destroyed::Absent(_)) => Seen::NotYet,
            Err(_) => Seen::Unknown,
        }
    }

    fn leave(&self, engine: &Engine) -> Seen {
        engine.leave_later(self.index, self.session);
        Seen::Done
    }
}

impl Engine {
    fn leave_later(&self, index: OwnerKey, session: SessionKey) {
        self.change_index_later(index, IndexChange::Leave(vec![session]));
    }
}
