//! The Redis storage and its server: how it connects, what a sick server means, what lies in it.
//!
//! Every test starts a server of its own.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod bad_data;
mod black_holes;
mod broken_connections;
mod clock;
mod configuration;
mod constructors;
mod factory;
mod foreign;
mod least_privilege;
mod mixed_up_replies;
mod older_protocol;
mod out_of_step;
mod overload;
mod owners;
mod refusals;
mod repeated_sign_ins;
mod runtimes;
mod secrets;
mod silent_connections;
mod sockets;
mod start_errors;
mod stats;
mod support;
mod timeouts;
#[cfg(feature = "tls")]
mod tls;
mod unseen;
