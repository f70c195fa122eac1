//! The second look at an answer that is no record of the session that was asked for.
//!
//! Either a connection's answers are out of step, by the fault of a proxy or a client, or that is
//! really what lies under the key: somebody has copied a key, or has written something else there.
//! The one must bring new connections. The other must not bring any, however often it is read, or
//! one copied key would have the storage reconnect for ever. So a load asks again between two PINGs
//! that have to answer with words of their own: in their midst stands what lies under the key.

use bytes::Bytes;
use cloakroom::{CorruptRecord, Operation, Record, SessionKey, StorageError, StorageErrorKind};
use redis::Value;
use tokio::time::Instant;

use crate::connection::{Deadline, Question, Server, Words};

/// What a load has read.
pub(crate) type Content = Result<Option<Record>, CorruptRecord>;

/// Whether what was read can be the answer to another question: a sound record of somebody else, or
/// what is no record, as the answers of scripts are.
pub(crate) fn is_needed(read: &Content) -> bool {
    matches!(read, Err(CorruptRecord::Foreign(_) | CorruptRecord::NotARecord))
}

/// What really lies under a key of which the first look has shown `seen`. Where that was the answer to
/// another question, all connections are replaced.
///
/// # Errors
/// [`StorageErrorKind::Unavailable`] where a new connection's answers are out of step too.
pub(crate) async fn take(
    server: &Server<'_>,
    (key, name): (&SessionKey, &[u8]),
    seen: &Content,
    deadline: Deadline,
) -> Result<Content, StorageError> {
    // Where a reply was lost, the last of these does not come. That must leave time for another try.
    let half = deadline.at().saturating_duration_since(Instant::now()) / 2;
    if half.is_zero() {
        return Err(deadline.error());
    }
    let first = tokio::time::timeout(half, framed(server, key, name, deadline)).await;
    if let Some(found) = first.unwrap_or(Ok(None))? {
        if is_other(&found, seen) {
            server.out_of_step_since(deadline);
        }
        return Ok(found);
    }
    server.out_of_step_since(deadline);
    if let Some(found) = framed(server, key, name, deadline).await? {
        return Ok(found);
    }
    server.out_of_step(Operation::Load);
    let message = "the answers of Redis belong to other questions; its connections are replaced";
    Err(StorageError::new(StorageErrorKind::Unavailable, Operation::Load, message))
}

/// Reads the key between two PINGs; `None` where their answers are not in their places.
async fn framed(
    server: &Server<'_>,
    key: &SessionKey,
    name: &[u8],
    deadline: Deadline,
) -> Result<Option<Content>, StorageError> {
    let words = Words::draw(Operation::Load)?;
    let (mut question, [before, after]) = (redis::pipe(), words.pings());
    question.add_command(before).cmd("GET").arg(name).add_command(after);
    let answer = server.ask_here(Question::Pipeline(&question), deadline).await?;
    let Value::Array(answers) = answer else { return Ok(None) };
    let Ok([before, found, after]) = <[Value; 3]>::try_from(answers) else { return Ok(None) };
    if !words.came_back([&before, &after]) {
        return Ok(None);
    }
    Ok(match found {
        Value::Nil => Some(Ok(None)),
        Value::BulkString(bytes) => {
            Some(Record::decode(key, Bytes::from(bytes), server.clock().now()).map(Some))
        }
        _ => None,
    })
}

fn is_other(found: &Content, seen: &Content) -> bool {
    match (found, seen) {
        (Err(found), Err(seen)) => found != seen,
        _ => true,
    }
}
