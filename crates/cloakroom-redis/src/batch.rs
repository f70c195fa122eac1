//! The same question about each of many keys: in few exchanges, side by side, each with the server
//! that has the keys.

use std::collections::HashMap;
use std::sync::Arc;

use cloakroom::{Operation, StorageError, StorageErrorKind};
use futures_util::future::try_join_all;
use redis::{Cmd, Pipeline, RedisError, Value};

use crate::connection::{Deadline, Question, Servers};
use crate::error::{code, storage_error, unexpected};

/// How many keys one exchange is about. A server answers other questions between two commands, so
/// nobody waits for all of them.
const CHUNK: usize = 256;

/// How many exchanges are under way at once: one after the other, a far server would make whoever asks
/// wait for each.
const AT_ONCE: usize = 16;

/// What a server says of one key.
#[derive(Clone)]
pub(crate) enum One {
    Value(Value),
    /// What lies under the key is of another type.
    OtherType,
    /// The server does not know the script.
    NoScript,
}

/// Asks about each key, with `N` commands in a row, and gives the answers in the order of the keys.
/// `None` stands for a key that is not where it was thought to be: it has to be asked about
/// [alone](alone).
pub(crate) async fn ask<const N: usize>(
    servers: &Servers,
    names: &[Vec<u8>],
    deadline: Deadline,
    commands: impl Fn(&[u8]) -> [Cmd; N] + Sync,
) -> Result<Vec<Option<[One; N]>>, StorageError> {
    let mut answers = vec![None; names.len()];
    let mut groups: HashMap<Option<Arc<str>>, Vec<usize>> = HashMap::new();
    for (at, name) in names.iter().enumerate() {
        groups.entry(servers.of(name).map(|server| server.address())).or_default().push(at);
    }
    let chunks: Vec<_> = groups.values().flat_map(|group| group.chunks(CHUNK)).collect();
    for chunks in chunks.chunks(AT_ONCE) {
        let asking =
            chunks.iter().map(|chunk| together(servers, names, chunk, deadline, &commands));
        for (chunk, asked) in chunks.iter().zip(try_join_all(asking).await?) {
            for (at, answer) in chunk.iter().zip(asked) {
                answers[*at] = answer;
            }
        }
    }
    Ok(answers)
}

/// Asks one server about several keys.
async fn together<const N: usize>(
    servers: &Servers,
    names: &[Vec<u8>],
    chunk: &[usize],
    deadline: Deadline,
    commands: &(impl Fn(&[u8]) -> [Cmd; N] + Sync),
) -> Result<Vec<Option<[One; N]>>, StorageError> {
    let server = chunk.first().and_then(|first| servers.of(&names[*first]));
    let Some(server) = server else { return Ok(vec![None; chunk.len()]) };
    let mut pipeline = Pipeline::with_capacity(chunk.len() * N);
    for command in chunk.iter().flat_map(|at| commands(&names[*at])) {
        pipeline.add_command(command);
    }
    let operation = deadline.operation();
    let Value::Array(values) = server.ask_here(Question::Pipeline(&pipeline), deadline).await?
    else {
        return Err(unexpected(operation));
    };
    if values.len() != chunk.len() * N {
        return Err(unexpected(operation));
    }
    let (host, mut values) = (server.address(), values.into_iter());
    let mut answers = Vec::with_capacity(chunk.len());
    for _ in chunk {
        let of_one = values.by_ref().take(N).map(|value| read(value, operation, &host));
        // All of them are taken, or the next key would get one of this one's.
        let of_one = of_one.collect::<Result<Vec<_>, _>>()?;
        let of_one: Option<Vec<_>> = of_one.into_iter().collect();
        answers.push(of_one.and_then(|of_one| of_one.try_into().ok()));
    }
    Ok(answers)
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
