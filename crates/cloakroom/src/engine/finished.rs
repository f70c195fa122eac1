//! [`Finished`]: what an adapter has to do to a handler's answer before it leaves.

use super::SetCookie;
use crate::policy::PendingSignOut;

/// How a request has ended: the cookie that its answer must carry, what became of a sign-out, and
/// whether the handler's answer may be sent at all.
///
/// ```
/// use cloakroom::{Finished, PendingSignOut, SetCookie};
///
/// fn respond(status: u16, finished: &Finished) -> (u16, Option<&SetCookie>) {
///     let status = match finished.replacement() {
///         None => status,
///         Some(PendingSignOut::Accepted) => 202,
///         Some(PendingSignOut::Unavailable) => 503,
///     };
///     (status, finished.cookie())
/// }
/// # let _ = respond;
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "the answer may need a cookie, and may claim a sign-out that has not taken place yet"]
pub struct Finished {
    cookie: Option<SetCookie>,
    sign_out: Option<SignOut>,
    replacement: Option<PendingSignOut>,
}

/// What became of a sign-out that the request has asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignOut {
    /// The session is gone from the storage.
    Done,
    /// The storage's server could not be reached or took no writes. This node refuses the session
    /// from now on; it is removed as soon as the server answers.
    Pending,
}

impl Finished {
    pub(super) fn with_cookie(cookie: Option<SetCookie>) -> Self {
        Self { cookie, ..Self::default() }
    }

    /// The same answer with this cookie instead of its own.
    pub(super) fn carrying(mut self, cookie: SetCookie) -> Self {
        self.cookie = Some(cookie);
        self
    }

    pub(super) fn with_sign_out(mut self, sign_out: Option<SignOut>) -> Self {
        self.sign_out = sign_out;
        self
    }

    pub(super) fn replaced_by(mut self, replacement: Option<PendingSignOut>) -> Self {
        self.replacement = replacement;
        self
    }

    /// The header to add to the answer, also where it is replaced.
    pub fn cookie(&self) -> Option<&SetCookie> {
        self.cookie.as_ref()
    }

    /// As [`Finished::cookie`], where nothing else is of interest.
    pub fn into_cookie(self) -> Option<SetCookie> {
        self.cookie
    }

    /// What became of the request's sign-out; `None` where it asked for none, or where its session
    /// was not stored.
    pub fn sign_out(&self) -> Option<SignOut> {
        self.sign_out
    }

    /// What to answer in the place of the handler's answer; `None` where that may be sent.
    ///
    /// A sign-out is pending, and the handler did not know when it wrote its answer: sent as it is,
    /// it would say "done". A handler that has used
    /// [`Session::destroy_now`](crate::Session::destroy_now) knows, and a server error claims
    /// nothing; those answers are kept.
    pub fn replacement(&self) -> Option<PendingSignOut> {
        self.replacement
    }
}
