//! [`PublicSession`]: the session in a route that is of use to everybody, also while the storage
//! cannot say.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use cloakroom::SessionState;

use crate::extract;
use crate::respond::SessionRejection;

/// The outcome of loading the visitor's session, as a handler's parameter. It marks a route as
/// public: the handler runs while the storage is down, and the compiler asks what it does then.
///
/// Only a forgotten middleware is a rejection. An unavailable session is not an empty one: there is
/// none in [`SessionState::Unavailable`], and the visitor's cookie stays.
///
/// ```
/// use cloakroom_actix::{PublicSession, SessionState};
///
/// async fn front_page(PublicSession(state): PublicSession) -> String {
///     match state {
///         SessionState::Found(session) => match session.owner() {
///             Some(owner) => format!("Welcome back, {owner}."),
///             None => "Welcome back.".to_owned(),
///         },
///         SessionState::Anonymous(_) | SessionState::Rejected(..) => "Welcome.".to_owned(),
///         SessionState::Unavailable(_) => "Welcome. Accounts are not available just now.".to_owned(),
///     }
/// }
/// # let _ = front_page;
/// ```
#[derive(Clone, Debug)]
pub struct PublicSession(pub SessionState);

impl FromRequest for PublicSession {
    type Error = SessionRejection;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let handle = extract::handle(request);
        Box::pin(async move { Ok(Self(handle?.state().await)) })
    }
}
