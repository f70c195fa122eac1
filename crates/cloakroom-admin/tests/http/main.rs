//! The page over HTTP: who gets in, what every answer carries, what the actions do and say.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

mod access;
mod actions;
mod answers;
mod census;
mod gate;
mod hostile;
mod lists;
mod mounts;
mod outage;
mod site;
