//! The near-cache with real servers: what a copy saves, when it is given up, and how old it can be.
//!
//! Every test starts servers of its own.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod by_copies;
mod commands;
mod laws;
mod lost_connections;
mod races;
mod refusals;
mod staleness;
mod starts;
mod support;
mod topologies;
