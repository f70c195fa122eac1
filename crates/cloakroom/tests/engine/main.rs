//! What a request does to a session, through the engine as an adapter calls it.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod house;
mod storages;

mod concurrency;
mod cost;
mod creation;
mod ending;
mod fingerprints;
mod flashes;
mod late;
mod lifetimes;
mod overtaken;
mod sign_in;
mod size;
mod unavailable;
