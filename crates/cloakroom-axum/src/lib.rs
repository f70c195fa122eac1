//! Cloakroom sessions for axum.
//!
//! Add a [`SessionLayer`] to the router and ask for a [`Session`] in a handler:
//!
//! ```
//! use axum::{Router, routing::get};
//! use cloakroom::{Engine, MemorySessionStorage, SessionError};
//! use cloakroom_axum::{Session, SessionLayer, SessionRejection};
//!
//! async fn count(session: Session) -> Result<String, SessionRejection> {
//!     let visits = session.update("visits", |visits: Option<u32>| visits.unwrap_or(0) + 1)?;
//!     Ok(format!("You were here {visits} times."))
//! }
//!
//! let engine = Engine::builder(MemorySessionStorage::new()).build()?;
//! let app: Router = Router::new().route("/", get(count)).layer(SessionLayer::new(engine));
//! # Ok::<(), cloakroom::ConfigError>(())
//! ```
//!
//! All changes are committed after the handler and before the first byte of the answer's body. A
//! commit that fails becomes the answer: 503 with `Retry-After`, 409, or 500. A sign-out that is
//! pending, because the storage's server cannot be reached, becomes the answer as well, unless the
//! handler knows of it ([`cloakroom::OutagePolicy`] tells all that happens in an outage).
//!
//! [`health_routes`] adds `/livez` and `/readyz`.

mod extract;
mod facts;
mod health;
mod layer;
mod public;
mod respond;
mod service;

pub use cloakroom::{HealthDetail, IntoEngine, SessionState};
pub use extract::{FreshSession, Session, SessionHandle};
pub use facts::client_address;
pub use health::{health_routes, liveness, readiness};
pub use layer::SessionLayer;
pub use public::PublicSession;
pub use respond::SessionRejection;
pub use service::{SessionFuture, SessionService};
