//! Who is signed in: the owner of a session, and how long ago that was.

use std::time::Duration;

use super::Session;
use crate::clock::Timestamp;
use crate::error::SessionError;
use crate::handle::Handle;

impl Session {
    /// Signs a principal in: the session belongs to `owner` from now on.
    ///
    /// This always rotates the ticket, and the absolute timeout starts again (NIST SP 800-63B-4,
    /// 5.2). What an anonymous visitor put in stays; what another owner left is removed.
    ///
    /// # Errors
    /// [`SessionError::OwnerName`], [`SessionError::Random`], or [`SessionError::Finished`].
    #[doc(alias = "login")]
    #[doc(alias = "sign_in")]
    pub fn set_owner(&self, owner: &str) -> Result<(), SessionError> {
        self.state().set_owner(owner)
    }

    /// The principal that is signed in.
    pub fn owner(&self) -> Option<String> {
        self.state().data.owner().map(str::to_owned)
    }

    /// When the owner signed in, by the storage's clock; `None` where nobody is signed in, where it was
    /// in this very request, or where nobody knows: in a session that was imported.
    pub fn signed_in_at(&self) -> Option<Timestamp> {
        self.state().signed_in_at()
    }

    /// Lets the handler go on only if the owner signed in within the last `max_age`: before a change of
    /// the password, of the address, or the end of other sessions (OWASP ASVS 5.0, 7.5.1). A sign-in
    /// in this very request is fresh; that of an imported session never is.
    ///
    /// Signing in again through [`Session::set_owner`] makes it fresh, and gives the session a new
    /// ticket. The age is counted by the storage's clock. A session that was loaded from a near-cache's
    /// copy is read again first, as by [`Handle::refresh`]: what has ended elsewhere is not fresh.
    ///
    /// ```
    /// use std::time::Duration;
    /// use cloakroom::{Session, SessionError};
    ///
    /// async fn change_password(session: &Session) -> Result<(), SessionError> {
    ///     session.require_fresh_auth(Duration::from_secs(5 * 60)).await?;
    ///     // …
    ///     Ok(())
    /// }
    /// # let _ = change_password;
    /// ```
    ///
    /// # Errors
    /// [`SessionError::SignInRequired`] where nobody is signed in, otherwise
    /// [`SessionError::FreshSignInRequired`]; adapters answer both with 403. Match on them to send the
    /// visitor to a sign-in page instead. Those of [`Handle::refresh`] where the session was a copy.
    pub async fn require_fresh_auth(&self, max_age: Duration) -> Result<(), SessionError> {
        Handle { visit: self.visit.clone() }.refresh().await?;
        self.state().require_fresh_auth(max_age)
    }
}
