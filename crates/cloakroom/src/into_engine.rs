//! [`IntoEngine`]: what an adapter's layer or middleware is made of.

use crate::engine::Engine;

/// What a session layer, or a session middleware, can be made of: an [`Engine`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a session engine",
    label = "sessions come from an `Engine`",
    note = "build one first: `Engine::builder(storage).build()?`; then give it, or a reference to \
            it, to `SessionLayer::new` (axum) or `SessionMiddleware::new` (actix-web)"
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
