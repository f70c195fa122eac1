//! How long a session lives: its deadlines, and the wishes of the application.

use std::time::Duration;

use super::Session;
use crate::clock::Timestamp;
use crate::error::SessionError;

impl Session {
    /// When the session was created, by the storage's clock; `None` while it is not stored, and where
    /// nobody knows because it was imported.
    pub fn created_at(&self) -> Option<Timestamp> {
        self.state().data.created_at()
    }

    /// When the session ends unless it is used, by the storage's clock; `None` while it is not
    /// stored.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.state().data.record().map(|record| record.idle_deadline())
    }

    /// When the session ends whatever happens, by the storage's clock; `None` while it is not
    /// stored.
    pub fn ends_at(&self) -> Option<Timestamp> {
        self.state().data.record().map(|record| record.absolute_deadline())
    }

    /// Sets how long this session may lie unused. The record keeps it, so it holds for all
    /// requests to come.
    ///
    /// # Errors
    /// [`SessionError::Lifetime`] where it is zero or above the policy's `longest_lifetime`, or
    /// [`SessionError::Finished`].
    pub fn set_idle_timeout(&self, idle_timeout: Duration) -> Result<(), SessionError> {
        self.writable()?.set_idle_timeout(idle_timeout)
    }

    /// Remembers the visitor: the session may lie unused for that long, ends for good after that
    /// long, and the browser keeps the cookie when it is closed.
    ///
    /// A fingerprint is compared all the same: with the default one a visitor whose browser was
    /// updated or whose network has changed has to sign in again. Where visitors are remembered for
    /// days, [`FingerprintMode::Disabled`](crate::FingerprintMode::Disabled) may serve them better.
    ///
    /// # Errors
    /// [`SessionError::Lifetime`] where it is zero or above the policy's `longest_lifetime`, or
    /// [`SessionError::Finished`].
    #[doc(alias = "remember_me")]
    #[doc(alias = "set_expiry")]
    pub fn remember_for(&self, lifetime: Duration) -> Result<(), SessionError> {
        self.writable()?.remember_for(lifetime)
    }
}
