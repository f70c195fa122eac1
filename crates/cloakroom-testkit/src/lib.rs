//! The laws that every Cloakroom storage and web adapter must pass, and the servers to test them on.

mod manual_clock;
mod redis_server;

pub use manual_clock::ManualClock;
pub use redis_server::{RedisServer, SERVER_PROGRAM};
