//! What an examination finds on real servers: sound ones, badly set up ones, sick ones.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod answers;
mod deployments;
mod doors;
#[cfg(feature = "tls")]
mod encryption;
mod settings;
mod support;
mod users;
