//! The laws that every Cloakroom storage and web adapter must pass, and the servers to test them on.

mod ailing_storage;
mod cluster_set;
mod fake_request;
pub mod fault_proxy;
pub mod history;
pub mod http;
pub mod laws;
mod manual_clock;
pub mod model;
mod pass_on;
mod patience;
mod redis_server;
mod sentinel_set;
pub mod workload;

pub use ailing_storage::{AilingStorage, Mood, Room};
#[doc(hidden)]
pub use bytes::Bytes;
pub use cluster_set::{ClusterSet, ClusterSetBuilder};
pub use fake_request::{FakeRequest, cookie_pair, ticket_in};
pub use fault_proxy::FaultProxy;
pub use manual_clock::ManualClock;
pub use redis_server::{
    ACL_RULES, Certificates, ClientCertificate, Persistence, RedisServer, RedisServerBuilder,
    Reply, SERVER_PROGRAM, Snapshot,
};
pub use sentinel_set::{SentinelSet, SentinelSetBuilder};
