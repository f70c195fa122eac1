//! Cloakroom sessions for actix-web.
//!
//! Wrap the application in a [`SessionMiddleware`] and ask for a [`Session`] in a handler:
//!
//! ```
//! use actix_web::{App, web};
//! use cloakroom::{Engine, MemorySessionStorage};
//! use cloakroom_actix::{Session, SessionMiddleware, SessionRejection};
//!
//! async fn count(session: Session) -> Result<String, SessionRejection> {
//!     let visits = session.update("visits", |visits: Option<u32>| visits.unwrap_or(0) + 1)?;
//!     Ok(format!("You were here {visits} times."))
//! }
//!
//! // One engine for all workers: build it outside of the closure that makes their applications.
//! let engine = Engine::builder(MemorySessionStorage::new()).build()?;
//! let app = move || {
//!     App::new().wrap(SessionMiddleware::new(&engine)).route("/", web::get().to(count))
//! };
//! # let _ = app();
//! # Ok::<(), cloakroom::ConfigError>(())
//! ```
//!
//! All changes are committed after the handler and before the first byte of the answer's body. A
//! commit that fails becomes the answer: 503 with `Retry-After`, 409, or 500. A sign-out that is
//! pending, because the storage's server cannot be reached, becomes the answer as well, unless the
//! handler knows of it ([`cloakroom::OutagePolicy`] tells all that happens in an outage).
//!
//! A handler that returns an error has answered with that error's status: below 500 its changes are
//! kept, from 500 on they are discarded. A handler that panics changes nothing, and actix-web hangs
//! up. A client that closes its connection in order does not end its handler, as long as actix-web is
//! left to allow half-closed connections (`HttpServer::h1_allow_half_closed`): it runs to its end, and
//! its changes are committed. After a reset, or where TLS is cut off without `close_notify`, it is
//! dropped and they are discarded.
//!
//! A middleware within another one of the same engine (on the application and on a scope again) leaves
//! the request to that one.
//!
//! Sessions in Redis: each worker gets its own connections if the pool has enough of them. Give
//! `RedisSessionStorage::builder().pool_size(..)` two for each worker and two more (default: 10, enough
//! for four workers).
//!
//! [`health_routes`] adds `/livez` and `/readyz`.

mod extract;
mod health;
mod public;
mod respond;
mod service;
mod transform;

pub use cloakroom::{HealthDetail, IntoEngine, SessionState};
pub use extract::{ExistingSession, FreshSession, Session, SessionHandle};
pub use health::{health_routes, liveness, readiness};
pub use public::PublicSession;
pub use respond::SessionRejection;
pub use service::{SessionFuture, SessionService};
pub use transform::SessionMiddleware;
