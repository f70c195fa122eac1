//! What a request does to a session, through the engine as an adapter calls it.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod ailing;
mod house;
mod near;
mod owners;
mod storages;

mod best_effort;
mod concurrency;
mod cost;
mod creation;
mod ending;
mod fingerprints;
mod flashes;
mod fresh;
mod late;
mod lifetimes;
mod moving_in;
mod overtaken;
mod pending;
mod revocation;
mod runtimes;
mod sign_in;
mod size;
mod states;
mod taken_back;
mod unavailable;
mod unending;
mod unsure;
