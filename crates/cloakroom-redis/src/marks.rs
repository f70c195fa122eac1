//! The marks on the servers: each a string under a word of its own, so that no walk over the sessions
//! meets it. The mark's own key stands before its content: an answer that was meant for another
//! question is seen.

use std::time::Duration;

use bytes::Bytes;
use cloakroom::{MarkKey, Operation, StorageError};
use redis::Value;

use crate::connection::{Question, Servers};
use crate::error::unexpected;
use crate::keys::Keys;

/// How often a mark may end between two looks at it.
const TRIES: usize = 3;

/// What lies under a mark.
pub(crate) async fn look(
    servers: &Servers,
    keys: &Keys,
    key: &MarkKey,
) -> Result<Option<Bytes>, StorageError> {
    let name = keys.mark(key);
    let mut get = redis::cmd("GET");
    get.arg(&name);
    match servers.ask(&name, Operation::Load, Question::Command(&get)).await?.value {
        Value::Nil => Ok(None),
        Value::BulkString(bytes) if bytes.starts_with(key.as_bytes()) => {
            Ok(Some(Bytes::from(bytes).slice(key.as_bytes().len()..)))
        }
        _ => Err(unexpected(Operation::Load)),
    }
}

/// Leaves a mark unless there is one; answers what is there then. It may be sent twice.
pub(crate) async fn leave(
    servers: &Servers,
    keys: &Keys,
    key: &MarkKey,
    content: &[u8],
    lifetime: Duration,
) -> Result<Bytes, StorageError> {
    let name = keys.mark(key);
    let mut set = redis::cmd("SET");
    set.arg(&name).arg([key.as_bytes(), content].concat());
    set.arg("PX").arg(u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX).max(1)).arg("NX");
    for _ in 0..TRIES {
        match servers.ask(&name, Operation::Commit, Question::Command(&set)).await?.value {
            Value::Okay => return Ok(Bytes::copy_from_slice(content)),
            Value::Nil => {
                if let Some(before) = look(servers, keys, key).await? {
                    return Ok(before);
                }
            }
            _ => break,
        }
    }
    Err(unexpected(Operation::Commit))
}
