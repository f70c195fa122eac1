//! What operators ask for: the facts of many sessions, a walk over all of them, and the end of all
//! that are older than a moment. Never on a request's path.

use cloakroom::{
    FACTS_BYTES, Found, Operation, Page, Position, SessionFacts, SessionKey, StorageError,
    StorageErrorKind, Timestamp,
};
use redis::{Cmd, Value};

use crate::batch::{self, One};
use crate::connection::{Question, Server, Servers};
use crate::error::unexpected;
use crate::keys::Keys;
use crate::scripts;

/// How many keys the server looks at per round of a walk.
const COUNT: usize = 1000;

/// What may be seen of these sessions: the beginnings of their records, no values.
pub(crate) async fn facts(
    servers: &Servers,
    keys: &Keys,
    sessions: &[SessionKey],
) -> Result<Vec<Found>, StorageError> {
    let names: Vec<_> = sessions.iter().map(|session| keys.session(session)).collect();
    let heads = batch::ask(servers, &names, Operation::Facts, head).await?;
    let sizes = batch::ask(servers, &names, Operation::Facts, size).await?;
    let mut found = Vec::with_capacity(sessions.len());
    for ((session, name), (head, size)) in
        sessions.iter().zip(&names).zip(heads.into_iter().zip(sizes))
    {
        found.push(look(servers, session, name, head, size).await?);
    }
    Ok(found)
}

async fn look(
    servers: &Servers,
    session: &SessionKey,
    name: &[u8],
    seen_head: Option<One>,
    seen_size: Option<One>,
) -> Result<Found, StorageError> {
    let head = match seen_head {
        Some(head) => head,
        None => batch::alone(servers, name, Operation::Facts, &head(name)).await?,
    };
    let size = match seen_size {
        Some(size) => size,
        None => batch::alone(servers, name, Operation::Facts, &size(name)).await?,
    };
    let now = servers.of(name).map(|server| server.clock().now());
    match (head, size, now) {
        (One::OtherType, ..) | (_, One::OtherType, _) => Ok(Found::Unreadable),
        (One::Value(Value::BulkString(head)), One::Value(Value::Int(size)), Some(now)) => {
            let size = u64::try_from(size).unwrap_or(0);
            Ok(SessionFacts::from_head(session, &head, size, now))
        }
        _ => Err(unexpected(Operation::Facts)),
    }
}

/// One step of a walk: one `SCAN` on one server. The position is the cursor and the server.
pub(crate) async fn walk(
    servers: &Servers,
    keys: &Keys,
    position: &Position,
) -> Result<Page, StorageError> {
    let mut all = servers.all(Operation::Walk)?;
    all.sort_by_key(|server| server.address());
    let (cursor, at) = place(position, &all)?;
    let mut scan = redis::cmd("SCAN");
    scan.arg(cursor).arg("MATCH").arg(keys.pattern()).arg("COUNT").arg(COUNT);
    let deadline = servers.deadline(Operation::Walk);
    let page = all[at].ask_here(Question::Command(&scan), deadline).await?;
    let (cursor, names): (u64, Vec<Vec<u8>>) =
        redis::from_redis_value(page).map_err(|_| unexpected(Operation::Walk))?;
    let sessions = names.iter().filter_map(|name| keys.parse(name)).collect();
    let of_this = if cursor == 0 { 1.0 } else { share(cursor) };
    let done = (at as f64 + of_this) / all.len() as f64;
    let next = if cursor == 0 { all.get(at + 1) } else { all.get(at) };
    let next = next.map(|server| Position::new(format!("{cursor}@{}", server.address())));
    Ok(Page { sessions, next, done })
}

/// Removes those of these sessions that were created before a moment; answers how many.
pub(crate) async fn destroy_created_before(
    servers: &Servers,
    keys: &Keys,
    sessions: &[SessionKey],
    moment: Timestamp,
) -> Result<usize, StorageError> {
    let mut open: Vec<_> = sessions.iter().map(|session| keys.session(session)).collect();
    let removal = |name: &[u8]| scripts::removal(name, moment);
    let mut removed = 0;
    while !open.is_empty() {
        let answers = batch::ask(servers, &open, Operation::Destroy, removal).await?;
        let mut untaught = Vec::new();
        for (name, answer) in open.into_iter().zip(answers) {
            match answer {
                Some(One::Value(Value::Int(count))) => {
                    removed += usize::try_from(count).unwrap_or(0)
                }
                Some(One::NoScript) => untaught.push(name),
                None => removed += destroy_alone(servers, &name, moment).await?,
                // Not ours.
                Some(One::OtherType) => {}
                Some(One::Value(_)) => return Err(unexpected(Operation::Destroy)),
            }
        }
        // One teaches its server the script, and the others are asked about in a row again.
        if let Some(name) = untaught.pop() {
            removed += destroy_alone(servers, &name, moment).await?;
        }
        open = untaught;
    }
    Ok(removed)
}

async fn destroy_alone(
    servers: &Servers,
    name: &[u8],
    moment: Timestamp,
) -> Result<usize, StorageError> {
    match scripts::remove(servers.watched(None), name, Some(moment), &[]).await {
        Err(error) if *error.kind() == StorageErrorKind::Corrupt => Ok(0),
        removed => Ok(usize::from(removed?)),
    }
}

fn head(name: &[u8]) -> Cmd {
    let mut command = redis::cmd("GETRANGE");
    command.arg(name).arg(0).arg(FACTS_BYTES - 1);
    command
}

fn size(name: &[u8]) -> Cmd {
    let mut command = redis::cmd("STRLEN");
    command.arg(name);
    command
}

/// The cursor, and which of the servers it belongs to. Where that one is gone the walk begins anew:
/// what it held has moved to any of the others.
fn place(position: &Position, servers: &[Server<'_>]) -> Result<(u64, usize), StorageError> {
    if position.is_start() {
        return Ok((0, 0));
    }
    let read = position.as_str().split_once('@');
    let Some((cursor, address)) = read.and_then(|(cursor, it)| Some((cursor.parse().ok()?, it)))
    else {
        let message = "the position is none of a walk over a Redis";
        return Err(StorageError::new(StorageErrorKind::Backend, Operation::Walk, message));
    };
    let at = servers.iter().position(|server| &*server.address() == address);
    Ok(at.map_or((0, 0), |at| (cursor, at)))
}

/// How much of the table a cursor has passed: it counts from its highest bit on.
fn share(cursor: u64) -> f64 {
    cursor.reverse_bits() as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_tells_how_far_a_walk_is() {
        // A table of 8 places is walked in the order 0 4 2 6 1 5 3 7.
        let shares = [4, 2, 6, 1, 5, 3, 7].map(share);
        for (at, share) in shares.into_iter().enumerate() {
            assert!((share - (at + 1) as f64 / 8.0).abs() < 1e-9, "{at}: {share}");
        }
    }
}
