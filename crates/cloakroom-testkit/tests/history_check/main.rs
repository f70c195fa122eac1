//! The checker reports each violation of each invariant, and nothing that is allowed.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod data;
mod finality;
mod limits;
mod loss;
mod recorder;
mod story;
