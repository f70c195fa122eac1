//! The fault proxy in front of a real server: it changes nothing unless told to, and each fault does
//! exactly what it says. The client is a bare socket, so that nothing hides what arrives.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod client;
mod commands;
mod connections;
mod cuts;
mod pairs;
mod transparency;
mod wire;
