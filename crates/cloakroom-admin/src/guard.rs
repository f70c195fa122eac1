//! [`Guard`]: the application's own way to tell operators from everybody else.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::http::request::Parts;

/// Somebody who may use the page, by the name that the audit trail shows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Operator(Arc<str>);

impl Operator {
    /// The operator with this name.
    pub fn named(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// Why a request may not use the page.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Nobody is signed in. A browser is sent to this address, a program gets 401.
    SignIn {
        /// Where the application signs people in, for example `/sign-in`.
        at: String,
    },
    /// Somebody is signed in who is no operator: 403.
    Forbidden,
    /// It cannot be said at present who this is: 503.
    Unavailable,
}

/// Decides who may use the page, from a request's head: headers, and what the application's layers
/// have put into its extensions.
///
/// It is asked for every request but those for the style sheet, the script and the icon. A closure
/// that needs not wait is a guard:
///
/// ```
/// use axum::http::request::Parts;
/// use cloakroom_admin::{Guard, Operator, Refusal};
///
/// fn guard() -> impl Guard {
///     |request: &Parts| match request.extensions.get::<Operator>() {
///         Some(operator) => Ok(operator.clone()),
///         None => Err(Refusal::SignIn { at: "/sign-in".to_owned() }),
///     }
/// }
/// # let _ = guard();
/// ```
///
/// Cross-site requests are refused by the page itself; the guard needs not think of them.
pub trait Guard: Send + Sync + 'static {
    /// Who this is, or why it is nobody who may use the page.
    fn admit(&self, request: &Parts) -> impl Future<Output = Result<Operator, Refusal>> + Send;
}

impl<F> Guard for F
where
    F: Fn(&Parts) -> Result<Operator, Refusal> + Send + Sync + 'static,
{
    fn admit(&self, request: &Parts) -> impl Future<Output = Result<Operator, Refusal>> + Send {
        std::future::ready(self(request))
    }
}

/// A guard of any type.
pub(crate) trait AnyGuard: Send + Sync {
    fn ask<'a>(
        &'a self,
        request: &'a Parts,
    ) -> Pin<Box<dyn Future<Output = Result<Operator, Refusal>> + Send + 'a>>;
}

impl<G: Guard> AnyGuard for G {
    fn ask<'a>(
        &'a self,
        request: &'a Parts,
    ) -> Pin<Box<dyn Future<Output = Result<Operator, Refusal>> + Send + 'a>> {
        Box::pin(self.admit(request))
    }
}
