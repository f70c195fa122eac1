//! The Redis storage on a Sentinel set and on a Cluster: the same laws as on one server, and what
//! happens when primaries change and slots move.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod cluster_failovers;
mod cluster_foreign;
mod cluster_laws;
mod cluster_redirections;
mod cluster_slots;
mod cluster_starts;
mod durability;
mod fixture;
mod load;
mod sentinel_failovers;
mod sentinel_laws;
mod sentinel_starts;
mod support;
