//! [`SessionLayer`]: gives every request of a router a session.

use cloakroom::{Engine, IntoEngine};
use tower_layer::Layer;

use crate::service::SessionService;

/// Adds sessions to a router.
///
/// To tell the engine the visitors' addresses, serve the router with
/// `into_make_service_with_connect_info::<SocketAddr>()`; without it fingerprints compare user
/// agents only.
#[derive(Clone, Debug)]
pub struct SessionLayer {
    engine: Engine,
}

impl SessionLayer {
    /// A layer over an engine.
    pub fn new(engine: impl IntoEngine) -> Self {
        Self { engine: engine.into_engine() }
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService::new(self.engine.clone(), inner)
    }
}
