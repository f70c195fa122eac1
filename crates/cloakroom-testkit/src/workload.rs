//! [`Workload`]: visitors who sign in, read, write and sign out on several application nodes at
//! once, and everything they see goes into a [`History`].
//!
//! Each visitor has one browser with its cookies. Clients pick visitors at random, so requests of
//! one visitor meet on several nodes and at the same moment, as those of one page do. Every
//! session names its own visitor, so that a mixed-up answer shows itself at the first read.
//!
//! The workload reaches the engines as an adapter does, through their public interface only. Break
//! the servers while it runs, mark in the history what you do, and check the history in the end.
//!
//! ```
//! use std::time::Duration;
//! use cloakroom::{Engine, MemorySessionStorage};
//! use cloakroom_testkit::history::{Bounds, History};
//! use cloakroom_testkit::workload::Workload;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let storage = MemorySessionStorage::new();
//! let node = || Engine::builder(storage.clone()).build();
//! let nodes = [node()?, node()?];
//!
//! let history = History::new();
//! let workload = Workload::new().visitors(20).clients(4).operations(2_000);
//! let summary = workload.run(&nodes, &history).await;
//!
//! let verdict = history.check(&Bounds::default());
//! assert!(verdict.holds(), "{summary}\n{verdict}");
//! # Ok::<(), cloakroom::ConfigError>(())
//! # }).unwrap();
//! ```

mod browser;
mod client;
mod dice;
mod latency;
mod mix;
mod pace;
mod plan;
mod request;
mod summary;

pub use latency::Latency;
pub use mix::Mix;
pub use plan::Workload;
pub use summary::{Recovery, Summary};

#[cfg(doc)]
use crate::history::History;
