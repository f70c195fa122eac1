//! The connections: a pool of multiplexed ones, each opened, watched and replaced on its own.

mod address;
mod connector;
mod opening;
mod pool;
mod question;
mod renewal;
mod slot;
mod slots;

pub(crate) use connector::Connector;
pub(crate) use pool::{Pool, Reply, Sent};
pub(crate) use question::Question;
