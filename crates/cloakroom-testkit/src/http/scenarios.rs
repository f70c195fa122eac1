//! The scenarios, each a function named after the behaviour that it proves.
//!
//! Those of one node take its address, those of two nodes both addresses, those of an outage an
//! address and the Redis server behind it, and those of an illness an address and the storage.

mod cookies;
mod failing;
mod illness;
mod moving_in;
mod outage;
mod signing_in;
mod signing_out;
mod streaming;
mod ticket;
mod visiting;
mod writing;

pub use cookies::*;
pub use failing::*;
pub use illness::*;
pub use moving_in::*;
pub use outage::*;
pub use signing_in::*;
pub use signing_out::*;
pub use streaming::*;
pub use visiting::*;
pub use writing::*;
