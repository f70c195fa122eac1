//! What becomes of a sign-in whose commit has failed. Nobody is told of its ticket, so a session that
//! was signed in all the same is nobody's: it would only take a place of its owner's.
//!
//! It is ended in the background, by the verifier that only this sign-in has drawn: a session that
//! another request has signed in is never meant. The commit may still be on its way when it is looked
//! for, so it is looked for several times.

use std::time::Duration;

use super::Engine;
use super::sign_in::SignIn;
use crate::error::{Operation, SessionError, StorageError, StorageErrorKind};
use crate::event::Event;
use crate::facts::Found;
use crate::index::IndexChange;
use crate::owner::OwnerKey;
use crate::storage::{Destroyed, SessionStorage};
use crate::token::{SessionKey, VerifierHash};

/// After which pauses a commit that may be on its way, or an end that is not carried out yet, is looked
/// for again.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(20),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(4),
];

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
        let (index, session) = (self.index, self.session);
        match outcome {
            CommitOutcome::NotApplied | CommitOutcome::Gone => engine.leave_later(index, session),
            CommitOutcome::Unknown => {
                let taking = Taking { engine: engine.clone(), index, session, verifier };
                engine.inner.background.spawn(async move {
                    let is_done = taking.look().await;
                    // Its place is free at once, even if its commit is still to come.
                    taking.engine.leave_later(index, session);
                    if !is_done {
                        taking.look_again().await;
                    }
                });
            }
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
        let (index, session) = (self.index, self.session);
        let taking = Taking { engine: engine.clone(), index, session, verifier };
        match outcome {
            CommitOutcome::NotApplied => {}
            // Nobody shall wait for an entry of which nothing comes any more.
            CommitOutcome::Gone => {
                engine.inner.background.spawn(async move { taking.leave_when_gone().await });
            }
            CommitOutcome::Unknown => engine.inner.background.spawn(async move {
                if !taking.look().await {
                    taking.look_again().await;
                }
            }),
        }
    }
}

/// The end of a session that was signed in and that nobody was told of.
struct Taking {
    engine: Engine,
    index: OwnerKey,
    session: SessionKey,
    verifier: VerifierHash,
}

impl Taking {
    async fn look_again(&self) {
        for pause in PAUSES {
            tokio::time::sleep(pause).await;
            if self.look().await {
                return;
            }
        }
    }

    /// Leaves the index as soon as there certainly is no session. What ended it may be under way.
    async fn leave_when_gone(&self) {
        let mut pauses = PAUSES.into_iter();
        loop {
            if let Ok(Found::Nothing) = self.engine.session(self.session.public_id()).await {
                return self.engine.leave_later(self.index, self.session);
            }
            let Some(pause) = pauses.next() else { return };
            tokio::time::sleep(pause).await;
        }
    }

    /// Answers whether nothing is left to be done here.
    async fn look(&self) -> bool {
        let removal = self.engine.storage().destroy_unseen(&self.session, &self.verifier);
        let outcome: Result<_, StorageError> = self.engine.ask(Operation::Destroy, removal).await;
        match outcome {
            Ok(Destroyed::Removed(_)) => {
                self.engine.leave_later(self.index, self.session);
                true
            }
            Ok(Destroyed::Pending) => {
                let session = self.session.public_id();
                self.engine.emit(&Event::DestroyPending { session });
                true
            }
            // The observer has heard of an error.
            Ok(Destroyed::Absent(_)) | Err(_) => false,
        }
    }
}

impl Engine {
    fn leave_later(&self, index: OwnerKey, session: SessionKey) {
        self.change_index_later(index, IndexChange::Leave(vec![session]));
    }
}
