//! [`Device`]: an owner's sessions as the owner may see and end them, and nobody else's.

use std::ops::Deref;

use super::Session;
use crate::engine::Revoked;
use crate::error::SessionError;
use crate::facts::{Found, SessionFacts};
use crate::storage::{Destroyed, Durability};
use crate::ticket::Ticket;
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
    /// [`SessionError::SignInRequired`]; [`SessionError::Gone`] where this session has ended meanwhile,
    /// and [`SessionError::Superseded`] where another request has given it a new ticket;
    /// [`SessionError::Storage`] where the storage could not say.
    pub async fn devices(&self) -> Result<Vec<Device>, SessionError> {
        let owner = self.owner().ok_or(SessionError::SignInRequired)?;
        let current = self.public_id();
        let mut sessions = self.visit.engine.sessions_of(&owner).await?;
        if let Some(facts) = self.signed_in(&owner).await?
            && !sessions.iter().any(|other| other.id() == facts.id())
        {
            self.visit.engine.enter_lost_later(&owner, facts.clone());
            sessions.push(facts);
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
            // One that is over by this node's time may live on.
            Found::Session(facts) | Found::Over(facts) => facts.owner() == Some(&owner),
            // It is refused here already; whose it is makes no difference.
            Found::Ending => true,
            Found::Nothing | Found::Unreadable => false,
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

    /// The owner, where [`Session::signed_in`] says so.
    async fn still_signed_in(&self) -> Result<String, SessionError> {
        let owner = self.owner().ok_or(SessionError::SignInRequired)?;
        if let Some(facts) = self.signed_in(&owner).await? {
            self.visit.engine.enter_lost_later(&owner, facts);
        }
        Ok(owner)
    }

    /// This session, by what the storage holds now: one that has just ended may lie in a near-cache
    /// still, and a handler may keep one whose ticket another request has replaced. Neither may see
    /// or end anybody. `None` where the owner signs in with this very request.
    async fn signed_in(&self, owner: &str) -> Result<Option<SessionFacts>, SessionError> {
        let (id, is_signing_in) = {
            let state = self.state();
            (state.ticket().map(Ticket::public_id), state.is_signing_in())
        };
        let Some(id) = id.filter(|_| !is_signing_in) else { return Ok(None) };
        let record = self.visit.engine.record(id).await?.ok_or(SessionError::Gone)?;
        if !self.state().opens(&record) {
            return Err(SessionError::Superseded);
        }
        let facts = SessionFacts::of(&id.key(), &record).session();
        let facts = facts.filter(|facts| facts.owner() == Some(owner));
        facts.map(Some).ok_or(SessionError::Gone)
    }
}
