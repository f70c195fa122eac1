//! [`FaultProxy`]: stands between a client and its Redis server and does what networks and servers
//! in trouble do, when a test says so. It knows RESP2 and RESP3, so that faults can be for a certain
//! command or reply. Without an order it changes no byte.
//!
//! ```no_run
//! # // Starts a real server; the tests of this crate do the same.
//! use cloakroom_testkit::fault_proxy::{Direction, End, ErrorReply, On, Scope, Times};
//! use cloakroom_testkit::{FaultProxy, RedisServer};
//!
//! # async fn example() -> std::io::Result<()> {
//! let server = RedisServer::start().await?;
//! let proxy = FaultProxy::before(&server).await?;
//! // ... a client connects to proxy.url() ...
//!
//! // The server's memory is full: writes fail, reads do not.
//! let full = proxy.refuse_commands(On::writes(), ErrorReply::Oom, Times::UntilCleared);
//! // ... the client writes ...
//! assert!(full.struck() > 0);
//! drop(full);
//!
//! // The next deletion is carried out, and nobody is told.
//! let lost = proxy.cut_replies(On::commands(["DEL"]), 0, End::Reset, Times::Once);
//! // ... the client deletes, and sees a reset ...
//! lost.until_struck(1).await;
//!
//! // The firewall forgets all connections; new ones work.
//! proxy.black_hole(Scope::OpenNow, Direction::Both);
//! // ... the client notices, and connects again ...
//! proxy.clear()?;
//! # Ok(())
//! # }
//! ```
//!
//! Faults on the wire, such as [`black_hole`](FaultProxy::black_hole), are states: the newest order
//! holds until it is healed. Faults by command are rules, each with a [`FaultRule`] that ends it.
//!
//! Replies are matched with commands one to one. Where this is impossible (after `MONITOR`,
//! `PSYNC`, `CLIENT REPLY`, `SUBSCRIBE` in RESP2, and what is no RESP, such as TLS) rules leave a
//! connection alone from there on, and faults on the wire still work.

mod answer;
mod chance;
mod conditions;
mod connection;
mod counters;
mod delivery;
mod error_reply;
mod frame;
mod gate;
mod inside;
mod link;
mod on;
mod outbox;
mod pairing;
mod push;
mod reply_faults;
mod reply_pump;
mod request_pump;
mod rule;
mod rules;
mod scope;
mod waiting;
mod wire_faults;

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::net::{ToSocketAddrs, lookup_host};
use tokio::task::{AbortHandle, JoinSet};

use crate::RedisServer;
use inside::Inside;

pub use answer::Answer;
pub use conditions::{Latency, Pace};
pub use error_reply::{ErrorReply, Redirect};
pub use on::{On, Times};
pub use push::Push;
pub use rule::FaultRule;
pub use scope::{Direction, End, Scope};

/// A proxy on a free port of 127.0.0.1, which ends with this value. See the [module](self).
#[derive(Debug)]
pub struct FaultProxy {
    inside: Arc<Inside>,
    task: AbortHandle,
}

impl FaultProxy {
    /// Starts a proxy in front of the server at an address.
    ///
    /// # Errors
    /// Where the address is none, or the system gives the proxy no port.
    pub async fn start(server_address: impl ToSocketAddrs) -> io::Result<Self> {
        let server = resolved(server_address).await?;
        let inside = Arc::new(Inside::new(server)?);
        let task = tokio::spawn(accept(inside.clone())).abort_handle();
        Ok(Self { inside, task })
    }

    /// Starts a proxy in front of a test's own server.
    ///
    /// # Errors
    /// Where the system gives the proxy no port.
    pub async fn before(server: &RedisServer) -> io::Result<Self> {
        Self::start((Ipv4Addr::LOCALHOST, server.port())).await
    }

    /// The port that the proxy listens on.
    pub fn port(&self) -> u16 {
        self.inside.gate.port()
    }

    /// The URL to give to the client.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port())
    }

    /// Connects clients that come from now on with another server.
    ///
    /// # Errors
    /// Where the address is none.
    pub async fn forward_to(&self, server_address: impl ToSocketAddrs) -> io::Result<()> {
        self.inside.set_server(resolved(server_address).await?);
        Ok(())
    }

    /// Ends all faults and rules, those that were kept included, and accepts connections again.
    ///
    /// # Errors
    /// Where the system gives the proxy no listening socket.
    pub fn clear(&self) -> io::Result<()> {
        self.inside.rules.clear();
        self.heal(Scope::All);
        self.accept_connections()
    }

    /// How many connections have been accepted so far.
    pub fn accepted(&self) -> u64 {
        self.inside.counters.accepted()
    }

    /// How many connections are open now.
    pub fn open(&self) -> usize {
        self.inside.links.open_in(Scope::OpenNow).len()
    }

    /// How many commands of this name have come so far, those refused included.
    pub fn commands(&self, name: &str) -> u64 {
        self.inside.counters.commands(name)
    }

    /// How many requests and replies rules have changed so far.
    pub fn faulted(&self) -> u64 {
        self.inside.counters.faulted()
    }

    /// Waits until so many connections have been accepted since the start.
    pub async fn until_accepted(&self, connections: u64) {
        self.inside.counters.until(|counters| counters.accepted() >= connections).await;
    }

    /// Waits until so many commands of this name have come to the proxy since the start.
    pub async fn until_commands(&self, name: &str, times: u64) {
        self.inside.counters.until(|counters| counters.commands(name) >= times).await;
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.inside.gate.refuse_connections();
        self.task.abort();
    }
}

async fn accept(inside: Arc<Inside>) {
    let mut connections = JoinSet::new();
    loop {
        let client = inside.gate.next().await;
        connections.spawn(connection::serve(client, inside.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn resolved(address: impl ToSocketAddrs) -> io::Result<std::net::SocketAddr> {
    let mut addresses = lookup_host(address).await?;
    addresses.next().ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}
