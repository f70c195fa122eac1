//! [`Owned`]: an owner's sessions by the owner's index, and what lies in the place of others.

use std::collections::HashSet;

use cloakroom::{Engine, Found, OwnerKey, SessionFacts, SessionKey, SessionStorage, StorageError};

/// How many are asked for at once.
const BATCH: usize = 250;

/// What an owner has.
#[derive(Debug)]
pub(crate) struct Owned {
    pub(crate) sessions: Vec<SessionFacts>,
    /// Places in which lies no record that this release can read, so that nobody can tell whose it is.
    /// A revocation leaves it alone.
    pub(crate) unreadable: usize,
}

impl Owned {
    /// Looks at what an owner has.
    ///
    /// # Errors
    /// [`StorageError`] where the storage could not say.
    pub(crate) async fn by(engine: &Engine, owner: &str) -> Result<Self, StorageError> {
        let storage = engine.storage();
        let index = storage.owner_index(&OwnerKey::of(owner)).await?;
        let sessions = engine.sessions_of(owner).await?;
        let shown: HashSet<SessionKey> = sessions.iter().map(|facts| facts.id().key()).collect();
        let others = index.entries.iter().map(|entry| entry.session);
        let others: Vec<_> = others.filter(|session| !shown.contains(session)).collect();
        let mut unreadable = 0;
        for batch in others.chunks(BATCH) {
            let found = storage.facts(batch).await?;
            unreadable += found.iter().filter(|found| matches!(found, Found::Unreadable)).count();
        }
        Ok(Self { sessions, unreadable })
    }
}
