//! [`Device`]: an owner's sessions as the owner may see and end them, and nobody else's.

use std::ops::Deref;

use super::Session;
use crate::engine::Revoked;
use crate::error::SessionError;
use crate::facts::{Found, SessionFacts};
use crate::storage::{Destroyed, Durability};
use crate::token::PublicId;

/// One of the places where an owner is signed in: a session, and whether it is this one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Device {
    facts: SessionFacts,
    is_current: bool,
}

impl Device {
    /// Whether it is the session of this request.
    pub fn is_current(&self) -> bool {
        self.is_current
    }

    /// What may be seen of it.
    pub fn facts(&self) -> &SessionFacts {
        &self.facts
    }
}

impl Deref for Device {
    type Target = SessionFacts;

    fn deref(&self) -> &SessionFacts {
        &self.facts
    }
}

impl Session {
    /// Where the owner of this session is signed in, this session first, then the most recently seen
    /// (OWASP ASVS 5.0, 7.5.2).
    ///
    /// It is what the storage holds, never a near-cache's copy: a sign-in of this very request is not
    /// among them. Where the owner's index has lost this session, in a failover or to an eviction, it
    /// is entered again; another one that was lost is among them again once somebody looks from there,
    /// signs in there or is remembered there.
    ///
    /// # Errors
    /// [`SessionError::SignInRequired`]; [`SessionError::Gone`] where this session has ended meanwhile;
    /// [`SessionError::Storage`] where the storage could not say.
    pub async fn devices(&self) -> Result<Vec<Device>, SessionError> {
        let owner = self.owner().ok_or(SessionError::SignInRequired)?;
        let current = self.public_id();
        let engine = &self.visit.engine;
        let mut sessions = engine.sessions_of(&owner).await?;
        if let Some(current) = current.filter(|_| !self.is_signing_in())
            && !sessions.iter().any(|facts| facts.id() == current)
        {
            let facts = engine.signed_in_session(current, &owner).await?;
            sessions.push(facts.ok_or(SessionError::Gone)?);
        }
        let mut devices: Vec<_> = sessions
            .into_iter()
            .map(|facts| Device { is_current: Some(facts.id()) == current, facts })
            .collect();
        // Stable: the others stay in their order.
        devices.sort_by_key(|device| !device.is_current);
        Ok(devices)
    }

    /// Ends another session of this session's owner. A session of somebody else, or none at all, is
    /// [`Destroyed::Absent`]: an id that a visitor sends is never trusted. This session ends by
    /// [`Session::destroy`].
    ///
    /// # Errors
    /// Those of [`Session::devices`].
    pub async fn end_device(&self, id: PublicId) -> Result<Destroyed, SessionError> {
        let owner = self.still_signed_in().await?;
        let engine = &self.visit.engine;
        let is_own = match engine.session(id).await? {
            Found::Session(facts) => facts.owner() == Some(&owner),
            // It is refused here already; whose it is makes no difference.
            Found::Ending => true,
            Found::Nothing | Found::Over(_) | Found::Unreadable => false,
        };
        if !is_own || self.public_id() == Some(id) {
            return Ok(Destroyed::Absent(Durability::LOCAL));
        }
        Ok(engine.revoke(id).await?)
    }

    /// Ends all other sessions of this session's owner. Offer it after a change of the password, and
    /// in a list of devices (OWASP ASVS 5.0, 7.4.3).
    ///
    /// # Errors
    /// Those of [`Session::devices`]. Where not all of them could be ended, call it again.
    pub async fn end_other_devices(&self) -> Result<Revoked, SessionError> {
        let owner = self.still_signed_in().await?;
        Ok(self.visit.engine.revoke_owner_but(&owner, self.public_id()).await?)
    }

    /// The owner, by what the storage holds now: a session that has just ended may lie in a near-cache
    /// still, and must end nobody.
    async fn still_signed_in(&self) -> Result<String, SessionError> {
        let owner = self.owner().ok_or(SessionError::SignInRequired)?;
        let Some(current) = self.public_id().filter(|_| !self.is_signing_in()) else {
            return Ok(owner);
        };
        let found = self.visit.engine.signed_in_session(current, &owner).await?;
        found.map(|_| owner).ok_or(SessionError::Gone)
    }
}
