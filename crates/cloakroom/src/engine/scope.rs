//! [`RequestScope`]: a request from its beginning to its end, whatever that end is.

use std::sync::Arc;

use super::{Answer, Engine, Finished, finish, moving_in};
use crate::error::SessionError;
use crate::handle::{Handle, Visit};

/// Holds a request's session open. An adapter keeps it while the handler runs, and finishes it
/// before the first byte of the answer's body leaves.
///
/// Dropping it unfinished (the client disconnected, the handler panicked) discards the request's
/// changes, except for a sign-out: that is carried out all the same.
#[must_use = "dropping it ends the request without a commit"]
pub struct RequestScope {
    handle: Handle,
}

impl RequestScope {
    pub(super) fn new(visit: Arc<Visit>) -> Self {
        Self { handle: Handle { visit } }
    }

    /// What the handler reaches its session through.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Whether finishing has anything to do: somebody has asked for the session.
    pub fn was_used(&self) -> bool {
        self.handle.visit.loaded.get().is_some()
    }

    /// Ends the request: commits what has changed, carries out a sign-out, and says what to do to the
    /// handler's answer.
    ///
    /// What was begun is done even if this future is dropped.
    ///
    /// # Errors
    /// [`SessionError`] where the changes are not, or not certainly, in the storage. The answer
    /// must then say so: its body was written for a request that succeeded. It carries
    /// [`Handle::cookie_of_a_failure`] all the same.
    pub async fn finish(self, answer: Answer) -> Result<Finished, SessionError> {
        let engine = self.engine().clone();
        let finished = finish::finish(&engine, &self.handle, answer).await?;
        Ok(moving_in::hand_over(&self.handle, finished))
    }

    fn engine(&self) -> &Engine {
        &self.handle.visit.engine
    }
}

impl Drop for RequestScope {
    fn drop(&mut self) {
        finish::abandon(self.engine(), &self.handle);
    }
}

impl std::fmt::Debug for RequestScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestScope").field("handle", &self.handle).finish()
    }
}
