//! Moves sessions of other libraries into Cloakroom, and lets their visitors stay signed in.
//!
//! ```text
//! library.rs         the libraries, and which of their keys are sessions
//! tower_sessions.rs  actix_session.rs  connect_redis.rs  spring_session.rs
//!                    bytes of one key  -> OldSession or Unreadable
//! owner.rs           which field holds the user
//! import.rs          the walk over all keys, resumable -> Report
//! target.rs          one session into the storage: index, note, record
//! library_cookie.rs  the libraries' cookies, checked as they check them
//! ```
//!
//! An [`Import`] reads with `SCAN`, writes each session through the storage's own commit and
//! overwrites nothing, so it may be repeated. A [`LibraryCookie`] given to the engine opens what was
//! imported; what holds then stands at [`OldCookie`](cloakroom::OldCookie).
//!
//! ```no_run
//! # // Needs a server: the crate's tests run the same against one that they start.
//! # async fn move_in() -> Result<(), Box<dyn std::error::Error>> {
//! use std::ops::ControlFlow;
//!
//! use cloakroom::Engine;
//! use cloakroom_import::{Import, Library, LibraryCookie, OwnerField};
//! use cloakroom_redis::{ForeignCursor, RedisConfig, RedisSessionStorage};
//!
//! let storage = RedisSessionStorage::new().await?;
//! let import = Import::connect(Library::ConnectRedis, RedisConfig::default(), None, storage.clone())
//!     .await?
//!     .owner_field(OwnerField::new("passport.user"));
//! let report = import.run(ForeignCursor::start(), |_| ControlFlow::Continue(())).await?;
//! println!("{} sessions written", report.written);
//!
//! // In the application:
//! let cookie = LibraryCookie::express_session(["the secret"])?;
//! let engine = Engine::builder(storage).old_cookie(cookie).build()?;
//! # Ok(())
//! # }
//! ```

mod actix_session;
mod again;
mod connect_redis;
mod import;
mod library;
mod library_cookie;
mod old_session;
mod owner;
mod report;
mod spring_session;
mod target;
mod tower_sessions;

pub use import::{Import, Interrupted};
pub use library::{Library, UnknownLibrary};
pub use library_cookie::{LibraryCookie, Seal};
pub use old_session::{LeftBehind, OldSession, Raw, RawValue, Unreadable};
pub use owner::OwnerField;
pub use report::{Report, Tally};
