//! The Redis storage on a Sentinel set and on a Cluster: the same laws as on one server, and what
//! happens when primaries change and slots move.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod cluster_laws;
mod fixture;
mod sentinel_laws;
