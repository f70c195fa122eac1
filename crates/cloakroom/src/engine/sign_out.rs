//! [`Removal`]: one sign-out, from the wish of a handler to the storage's answer.
//!
//! A handler may have it carried out at once, and then words its own answer; otherwise the end of
//! the request does it. Whoever comes first asks the storage, whoever comes later hears the same
//! answer: a removal that the storage has taken is never asked for twice.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::Engine;
use crate::error::{Operation, StorageError};
use crate::event::Event;
use crate::index::IndexChange;
use crate::owner::OwnerKey;
use crate::storage::{Destroyed, Durability, SessionStorage};
use crate::token::{SessionKey, VerifierHash};

/// A record that a request wants to be gone.
#[derive(Debug)]
pub(crate) struct Removal {
    key: SessionKey,
    /// Whose index has to hear of it.
    owner: Option<OwnerKey>,
    /// What the storage has answered; empty as long as it could not say.
    outcome: OnceCell<Destroyed>,
    told: Mutex<Told>,
}

/// What the handler has heard of its sign-out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Told {
    /// Nothing: its answer was written in the hope that all goes well.
    #[default]
    Nothing,
    /// What the storage has answered.
    Outcome,
    /// That the storage could not say.
    Failure,
}

impl Removal {
    pub(crate) fn new(key: SessionKey, owner: Option<OwnerKey>) -> Arc<Self> {
        Arc::new(Self { key, owner, outcome: OnceCell::new(), told: Mutex::default() })
    }

    /// What the handler knows at this moment.
    pub(super) fn told(&self) -> Told {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the record removed, unless that was done before. After an error the next call asks again.
    pub(super) async fn carry_out(&self, engine: &Engine) -> Result<Destroyed, StorageError> {
        self.outcome.get_or_try_init(|| self.destroy(engine)).await.copied()
    }

    async fn destroy(&self, engine: &Engine) -> Result<Destroyed, StorageError> {
        let session = self.key.public_id();
        let outcome = engine.ask(Operation::Destroy, engine.storage().destroy(&self.key)).await?;
        engine.emit(&match outcome {
            Destroyed::Removed(_) | Destroyed::Absent(_) => Event::Destroyed { session },
            Destroyed::Pending => Event::DestroyPending { session },
        });
        if let (Some(owner), Destroyed::Removed(_)) = (self.owner, outcome) {
            engine.change_index_later(owner, IndexChange::Leave(vec![self.key]));
        }
        Ok(outcome)
    }

    fn tell(&self, told: Told) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = told;
    }
}

impl Engine {
    /// Carries a sign-out out for a handler that waits for it. It goes on if the handler does not.
    pub(crate) async fn sign_out_now(
        &self,
        removal: Arc<Removal>,
    ) -> Result<Destroyed, StorageError> {
        let (engine, carried_out) = (self.clone(), removal.clone());
        let work = async move { carried_out.carry_out(&engine).await };
        let answer = self.inner.background.complete(work).await;
        removal.tell(if answer.is_ok() { Told::Outcome } else { Told::Failure });
        answer
    }

    /// Signs out whatever a request's tickets open, although none could be loaded. It goes on if the
    /// handler does not wait for it.
    pub(crate) async fn sign_out_unseen(
        &self,
        proofs: Vec<(SessionKey, VerifierHash)>,
    ) -> Result<Destroyed, StorageError> {
        let engine = self.clone();
        let work = async move {
            let mut all = Destroyed::Absent(Durability::LOCAL);
            for (key, proof) in proofs {
                let outcome = destroy_unseen(&engine, key, proof).await?;
                all = match (all, outcome) {
                    (Destroyed::Pending, _) | (_, Destroyed::Absent(_)) => all,
                    (_, outcome) => outcome,
                };
            }
            Ok(all)
        };
        self.inner.background.complete(work).await
    }
}

async fn destroy_unseen(
    engine: &Engine,
    key: SessionKey,
    proof: VerifierHash,
) -> Result<Destroyed, StorageError> {
    let removal = engine.storage().destroy_unseen(&key, &proof);
    let outcome = engine.ask(Operation::Destroy, removal).await?;
    let session = key.public_id();
    match outcome {
        Destroyed::Removed(_) => engine.emit(&Event::Destroyed { session }),
        Destroyed::Pending => engine.emit(&Event::DestroyPending { session }),
        Destroyed::Absent(_) => {}
    }
    Ok(outcome)
}
