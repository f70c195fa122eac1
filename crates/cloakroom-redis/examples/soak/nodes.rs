//! The application nodes: engines with storages of their own, as in processes of their own.

use std::time::Duration;

use cloakroom::{ConfigError, Engine, Policy};
use cloakroom_redis::RedisSessionStorage;

use crate::events::Events;
use crate::topology::Topology;

/// How many application nodes there are.
pub(crate) const NODES: usize = 2;

/// So short that sessions are renewed, and end by themselves, within the shortest run.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
pub(crate) const ABSOLUTE_TIMEOUT: Duration = Duration::from_secs(40);

/// Fewer than the default, so that a fault meets more of what is under way on one connection.
pub(crate) const POOL_SIZE: usize = 4;

pub(crate) async fn start<T: Topology>(
    servers: &T,
    events: &Events,
) -> Result<Vec<Engine>, ConfigError> {
    let mut policy = Policy::default();
    policy.idle_timeout = IDLE_TIMEOUT;
    policy.absolute_timeout = ABSOLUTE_TIMEOUT;
    let mut nodes = Vec::new();
    for node in 0..NODES {
        let storage =
            RedisSessionStorage::builder().url(servers.url(node)).pool_size(POOL_SIZE).build();
        let engine = Engine::builder(storage.await?)
            .policy(policy.clone())
            .observer(events.clone())
            .build()?;
        nodes.push(engine);
    }
    Ok(nodes)
}
