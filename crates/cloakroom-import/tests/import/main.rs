//! What other libraries have written is read, imported, and opened by their cookies.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod cookies;
mod fixtures;
mod reading;
mod spring;
mod walking;
