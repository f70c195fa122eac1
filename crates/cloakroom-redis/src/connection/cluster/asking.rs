//! Who is asked for the map of a Cluster: a node that is known already, or one that was named at first.

use std::sync::Arc;

use redis::Value;

use crate::address::Endpoint;
use crate::connection::connector::connect_briefly;
use crate::connection::open_error::OpenError;
use crate::connection::pool::Pool;
use crate::connection::slot_map::{self, Served};

/// The command that tells the map. `CLUSTER SHARDS` would tell more; Redis 6.2 does not know it.
pub(in crate::connection) fn slots_command() -> redis::Cmd {
    let mut command = redis::cmd("CLUSTER");
    command.arg("SLOTS");
    command
}

pub(super) async fn ask_node(node: Arc<Pool>) -> Result<Vec<Served>, OpenError> {
    let answer = node.cluster_slots().await.ok_or(OpenError::Lost)?;
    read(&answer, &node.address())
}

pub(super) async fn ask_seed(seed: &Endpoint) -> Result<Vec<Served>, OpenError> {
    let mut connection = connect_briefly(seed).await?;
    let answer = slots_command().query_async(&mut *connection).await;
    let answer = answer.map_err(|error| match error.code() {
        Some("ERR") => OpenError::Unsupported(format!(
            "it belongs to no Cluster; write redis://{}, or set cluster-enabled to yes",
            seed.name()
        )),
        _ => OpenError::of_command("CLUSTER SLOTS", error),
    })?;
    read(&answer, seed.name())
}

/// Reads a node's answer. One that knows of no slots has been thrown out, or never taken in.
fn read(answer: &Value, asked: &str) -> Result<Vec<Served>, OpenError> {
    let host = asked.rsplit_once(':').map_or("", |(host, _)| host);
    let served = slot_map::read(answer, host.trim_matches(['[', ']'])).unwrap_or_default();
    if served.is_empty() { Err(OpenError::NoSlots) } else { Ok(served) }
}
