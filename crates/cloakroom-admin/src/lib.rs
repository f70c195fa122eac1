//! A page for the people who run sessions: who is signed in and how the storage is, live, and a way
//! to end one session, all others of its owner, all of an owner, or everything before a moment.
//!
//! It is a [`Router`](axum::Router) that any axum application can mount. It is closed: an
//! [`AdminPage`] is made with [`Operators`], who sign in with a password, or with the application's
//! own [`Guard`], and there is no third way.
//!
//! ```
//! use axum::Router;
//! use cloakroom::{Engine, MemorySessionStorage};
//! use cloakroom_admin::{AdminObserver, AdminPage, Operators};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! # let password = "correct horse battery staple";
//! let observer = AdminObserver::new();
//! let engine =
//!     Engine::builder(MemorySessionStorage::new()).observer(observer.clone()).build()?;
//!
//! let operators = Operators::new("ada", password)?;
//! let page = AdminPage::for_operators(engine, operators).observer(observer).router()?;
//! let app: Router = Router::new().nest("/admin", page);
//! # Ok::<(), cloakroom::ConfigError>(())
//! # }).unwrap();
//! ```
//!
//! It shows when, where from and whose a session is, never a value, a field's name or a ticket.
//! Everything that people do with it is [audited](Audit).

mod action;
mod activity;
mod admission;
mod api;
mod app;
mod assets;
mod audit;
mod census;
mod change;
mod door;
mod figures;
mod guard;
mod headers;
mod incidents;
mod latency;
mod listing;
mod measure;
mod mount;
mod observer;
mod operators;
mod overview;
mod owned;
mod page;
mod pages;
mod rfc3339;
mod ring;
mod sample;
mod seal;
mod shown;
mod sign_in;
mod throttle;
mod under_way;

pub use action::{Action, Outcome};
pub use audit::{Audit, AuditEntry};
pub use guard::{Guard, Operator, Refusal};
pub use observer::{AdminObserver, Seen};
pub use operators::{Operators, SHORTEST_PASSWORD};
pub use page::AdminPage;
pub use rfc3339::read_moment;
pub use shown::{shortened, shown};
pub use under_way::UnderWay;
