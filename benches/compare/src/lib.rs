//! What the applications of the comparison share: how they are started, and what they keep. Each
//! application is one file in `src/bin`, written as a user of that library would write it.

mod arguments;
#[cfg(feature = "by-hand")]
pub mod by_hand;
mod runtime;
mod shop;

pub use arguments::{Arguments, Reads};
#[cfg(feature = "by-hand")]
pub use by_hand::{Store, lifetime};
pub use runtime::workers;
#[cfg(feature = "axum")]
pub use runtime::{listener, run};
pub use shop::{
    FIELDS, IDLE_TIMEOUT, KEY_COUNT, NONE, PLAIN, SetField, USER, key_names, next_owner, text,
};

/// Why an application could not be started.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
