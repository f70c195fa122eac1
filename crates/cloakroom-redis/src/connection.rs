//! The connections: for each server a pool of multiplexed ones, each opened, watched and replaced on
//! its own.
//!
//! ```text
//! servers.rs     one server, or a Cluster's primaries                   watched.rs
//! cluster.rs     which node a key belongs to, redirections            slot_map.rs
//! pool.rs        deadline, breaker, repetition, choice of connection  failure.rs, question.rs,
//!                                                                     words.rs, exchange.rs
//! node.rs        one server's connections and what is known of it     slot.rs, opening.rs,
//!                                                                     confirmation.rs
//! supervisor.rs  heartbeat and replacement of each connection         connector.rs, sentinel.rs,
//!                                                                     first_answer.rs, hearing.rs,
//!                                                                     home.rs, succession.rs
//! ```

mod cluster;
mod confirmation;
mod connector;
mod deadline;
mod exchange;
mod failure;
mod first_answer;
mod hearing;
mod home;
mod node;
mod open_error;
mod opening;
mod pool;
mod question;
mod sentinel;
mod servers;
mod slot;
mod slot_map;
mod start_error;
mod succession;
mod supervisor;
mod watched;
mod words;

pub(crate) use connector::is_unknown_hello;
pub(crate) use deadline::{Deadline, Timeouts};
pub(crate) use node::NodeSettings;
pub(crate) use open_error::OpenError;
pub(crate) use question::{Question, Sent};
pub(crate) use servers::{Answer, Server, ServerSettings, Servers};
pub(crate) use slot_map::{Served, read as read_slots};
pub(crate) use start_error::config_error;
pub(crate) use watched::{Watch, Watched};
pub(crate) use words::Words;
