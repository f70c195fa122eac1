//! The model: what a storage must do, written as plainly as possible, and random histories that
//! are played on the model and on a real storage at once. Every answer of the storage is compared.
//!
//! A storage's own tests call [`follow`] with [`histories`] made by proptest, and [`race`]. With a
//! [`ManualClock`](crate::ManualClock) the histories move time and meet deadlines to the
//! millisecond; with [`RealTime`] nothing expires, everything else is compared all the same.
//!
//! ```no_run
//! # // The storages' own tests run the same; here its many histories would only cost time.
//! use cloakroom_testkit::model::{RealTime, follow, histories};
//! use proptest::prelude::*;
//!
//! # fn storage() -> cloakroom::MemorySessionStorage { cloakroom::MemorySessionStorage::new() }
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
//! let storage = storage();
//! proptest!(|(history in histories())| {
//!     let same = runtime.block_on(follow(&storage, &RealTime, &history));
//!     prop_assert!(same.is_ok(), "{}", same.unwrap_err());
//! });
//! ```

mod history;
mod play;
mod race;
mod reference;
mod time;

pub use history::{Content, Lifetime, Step, Wanted, histories};
pub use play::{Difference, follow};
pub use race::race;
pub use time::{RealTime, Time};
