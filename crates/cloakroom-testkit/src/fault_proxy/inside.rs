//! [`Inside`]: what a proxy and the tasks of its connections share.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use super::counters::Counters;
use super::gate::Gate;
use super::link::Links;
use super::rules::Rules;

#[derive(Debug)]
pub(super) struct Inside {
    pub(super) gate: Gate,
    pub(super) links: Links,
    pub(super) rules: Rules,
    pub(super) counters: Counters,
    /// Numbers the cuts ordered so far.
    pub(super) cuts: AtomicU64,
    server: Mutex<SocketAddr>,
}

impl Inside {
    pub(super) fn new(server: SocketAddr) -> io::Result<Self> {
        Ok(Self {
            gate: Gate::open()?,
            links: Links::default(),
            rules: Rules::default(),
            counters: Counters::default(),
            cuts: AtomicU64::new(0),
            server: Mutex::new(server),
        })
    }

    pub(super) fn server(&self) -> SocketAddr {
        *self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_server(&self, server: SocketAddr) {
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = server;
    }
}
