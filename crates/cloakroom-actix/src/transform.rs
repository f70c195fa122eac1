//! [`SessionMiddleware`]: gives every request of an application, or of a scope, a session.

use std::future::{Ready, ready};

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use cloakroom::{Engine, IntoEngine};

use crate::service::SessionService;

/// Adds sessions to an application: `App::new().wrap(SessionMiddleware::new(&engine))`.
///
/// actix-web makes an application for each of its worker threads. Build the engine once, before the
/// server, and let the closure that makes the applications own it.
#[derive(Clone, Debug)]
pub struct SessionMiddleware {
    engine: Engine,
}

impl SessionMiddleware {
    /// A middleware over an engine.
    pub fn new(engine: impl IntoEngine) -> Self {
        Self { engine: engine.into_engine() }
    }
}

impl<S, B> Transform<S, ServiceRequest> for SessionMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    type Response = <SessionService<S> as Service<ServiceRequest>>::Response;
    type Error = Error;
    type Transform = SessionService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, Self::InitError>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(SessionService::new(self.engine.clone(), inner)))
    }
}
