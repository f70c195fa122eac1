//! [`SessionLayer`]: gives every request of a router a session.

use cloakroom::Engine;
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

/// What a [`SessionLayer`] can be made of: an [`Engine`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a session engine",
    label = "a session layer is made of an `Engine`",
    note = "build one first: `SessionLayer::new(Engine::builder(storage).build()?)`, and add the \
            layer with `Router::layer`"
)]
pub trait IntoEngine {
    /// The engine.
    fn into_engine(self) -> Engine;
}

impl IntoEngine for Engine {
    fn into_engine(self) -> Engine {
        self
    }
}

impl IntoEngine for &Engine {
    fn into_engine(self) -> Engine {
        self.clone()
    }
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
