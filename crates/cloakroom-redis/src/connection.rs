//! The connections: a pool of multiplexed ones, each opened, watched and replaced on its own.

mod connector;
mod pool;
mod question;
mod slot;

pub(crate) use connector::Connector;
pub(crate) use pool::{Pool, Reply, Sent};
pub(crate) use question::Question;
