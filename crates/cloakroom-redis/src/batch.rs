//! One question about each of many keys: in few exchanges, each to the server that has the keys.

use std::collections::HashMap;
use std::sync::Arc;

use cloakroom::{Operation, StorageError, StorageErrorKind};
use redis::{Cmd, Pipeline, RedisError, Value};

use crate::connection::{Question, Servers};
use crate::error::{code, storage_error, unexpected};

/// How many keys one exchange is about. A server answers other questions between two commands, so
/// nobody waits for all of them.
const CHUNK: usize = 256;

/// What a server says of one key.
#[derive(Clone)]
pub(crate) enum One {
    Value(Value),
    /// What lies under the key is of another type.
    OtherType,
    /// The server does not know the script.
    NoScript,
}

/// Asks about each key, and gives the answers in the order of the keys. `None` stands for a key that
/// is not where it was thought to be: it has to be asked about [alone](alone).
pub(crate) async fn ask(
    servers: &Servers,
    names: &[Vec<u8>],
    operation: Operation,
    command: impl Fn(&[u8]) -> Cmd + Sync,
) -> Result<Vec<Option<One>>, StorageError> {
    let mut answers = vec![None; names.len()];
    let mut groups: HashMap<Option<Arc<str>>, Vec<usize>> = HashMap::new();
    for (at, name) in names.iter().enumerate() {
        groups.entry(servers.of(name).map(|server| server.address())).or_default().push(at);
    }
    for chunk in groups.values().flat_map(|group| group.chunks(CHUNK)) {
        let asked = together(servers, names, chunk, operation, &command).await?;
        for (at, answer) in chunk.iter().zip(asked) {
            answers[*at] = answer;
        }
    }
    Ok(answers)
}

/// Asks one server about several keys.
async fn together(
    servers: &Servers,
    names: &[Vec<u8>],
    chunk: &[usize],
    operation: Operation,
    command: &(impl Fn(&[u8]) -> Cmd + Sync),
) -> Result<Vec<Option<One>>, StorageError> {
    let server = chunk.first().and_then(|first| servers.of(&names[*first]));
    let Some(server) = server else { return Ok(vec![None; chunk.len()]) };
    let mut pipeline = Pipeline::with_capacity(chunk.len());
    for at in chunk {
        pipeline.add_command(command(&names[*at]));
    }
    let deadline = servers.deadline(operation);
    match server.ask_here(Question::Pipeline(&pipeline), deadline).await? {
        Value::Array(values) if values.len() == chunk.len() => {
            let host = server.address();
            values.into_iter().map(|value| read(value, operation, &host)).collect()
        }
        _ => Err(unexpected(operation)),
    }
}

/// Asks about one key, wherever it is now.
pub(crate) async fn alone(
    servers: &Servers,
    name: &[u8],
    operation: Operation,
    command: &Cmd,
) -> Result<One, StorageError> {
    match servers.ask(name, operation, Question::Command(command)).await {
        Ok(answer) => Ok(One::Value(answer.value)),
        Err(error) if *error.kind() == StorageErrorKind::Corrupt => Ok(One::OtherType),
        Err(error) => Err(error),
    }
}

fn read(value: Value, operation: Operation, host: &str) -> Result<Option<One>, StorageError> {
    let Value::ServerError(error) = value else { return Ok(Some(One::Value(value))) };
    let error = RedisError::from(error);
    match code(&error) {
        Some("MOVED" | "ASK" | "TRYAGAIN" | "CLUSTERDOWN") => Ok(None),
        Some("WRONGTYPE") => Ok(Some(One::OtherType)),
        Some("NOSCRIPT") => Ok(Some(One::NoScript)),
        _ => Err(storage_error(&error, operation, host)),
    }
}
