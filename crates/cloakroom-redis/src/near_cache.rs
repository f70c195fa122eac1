//! The near-cache: copies of records in the application's own memory, which the server calls back
//! when somebody changes them (`CLIENT TRACKING`). Off by default.
//!
//! ```text
//! settings.rs   how much, how old, and for how long without a sign of life
//! cached.rs     the records with the cache in front: what the storage stands on
//! cache.rs      copies, tickets and writes of all sessions, and what the server pushes
//! shard.rs      a part of them behind one lock                          copies.rs, claims.rs
//! coverage.rs   whether one connection can be relied on to hear of changes
//! moment.rs     a clock that goes on while the machine sleeps
//! listener.rs   takes the pushes off a connection
//! ```
//!
//! # Why a copy is never older than stated
//! A copy is *armed* on one connection: the one that its bytes came over, where the server remembers
//! that this client has read the key. When anybody changes the key, the server pushes an invalidation
//! on that connection, and the task that reads the socket drops the copy before it hands on any later
//! answer. So whoever has had the answer to a `PING` has dropped all copies that were outdated when
//! the server answered it. A copy is served only within the *lease*: so long after the last answered
//! `PING` was **sent**. What is served can therefore be outdated by no more than the lease, whatever
//! the network does.
//!
//! # Why a late answer never overtakes an invalidation
//! Before a `GET` is sent, a *ticket* is noted for its key and connection. An invalidation takes the
//! ticket away, and an answer is kept only by whoever still has its ticket.
//!
//! # Why the next read after a write of our own finds a copy
//! A commit takes the copy and the ticket of its key away before it is sent, and as long as it is
//! under way nobody gets a ticket. Its script reads the key before it writes and behind that. So the
//! connection is told of the write itself, exactly once and right behind its answer, and of whatever
//! others do later. The first is expected and costs the new copy nothing, all further ones end it.
//! Other connections that had read the key hear of the write too; a copy that is armed elsewhere
//! survives that. A write of which nobody knows whether it was carried out needs no care: should it
//! be, the server tells everybody.

mod cache;
mod cached;
mod claims;
mod copies;
mod coverage;
mod listener;
mod moment;
mod settings;
mod shard;

pub(crate) use cache::Cache;
pub(crate) use cached::Cached;
pub(crate) use coverage::Coverage;
pub(crate) use listener::Listener;
pub(crate) use moment::Moment;
pub use settings::NearCache;

#[cfg(test)]
mod tests;
