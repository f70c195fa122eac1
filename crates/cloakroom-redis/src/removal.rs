//! Removing one record, on the primary alone or confirmed by replicas.

use std::time::Duration;

use cloakroom::{Destroyed, Durability, Operation, StorageError};
use redis::Value;

use crate::connection::{Question, Watched};
use crate::records::command;

/// How many replicas shall confirm a removal, and for how long the server waits for them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Replicas {
    pub(crate) count: u32,
    pub(crate) limit: Duration,
}

/// Removes what lies under a key.
pub(crate) async fn remove(
    servers: Watched<'_>,
    name: &[u8],
    replicas: Replicas,
) -> Result<Destroyed, StorageError> {
    let del = command("DEL", name);
    let question = match replicas {
        Replicas { count: 0, .. } => Question::Command(&del),
        Replicas { count, limit } => Question::Durable { command: &del, replicas: count, limit },
    };
    let answer = servers.ask(name, Operation::Destroy, question).await?;
    let (removed, durability) = match &answer.value {
        Value::Int(removed) => (*removed, Durability::LOCAL),
        Value::Array(both) => match both.as_slice() {
            [Value::Int(removed), confirmed] => {
                // A server that cannot wait has removed it all the same.
                let confirmed = if let Value::Int(confirmed) = confirmed { *confirmed } else { 0 };
                let confirmed = u32::try_from(confirmed).unwrap_or(0);
                (*removed, Durability::replicas(confirmed, replicas.count))
            }
            _ => return Err(answer.unexpected(Operation::Destroy)),
        },
        _ => return Err(answer.unexpected(Operation::Destroy)),
    };
    Ok(if removed > 0 { Destroyed::Removed(durability) } else { Destroyed::Absent(durability) })
}
