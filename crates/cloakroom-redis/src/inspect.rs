//! What operators ask for: the facts of many sessions, a walk over all of them, and the end of all
//! that are older than a moment. Never on a request's path.

use std::collections::HashSet;
use std::hash::{Hash, Hasher};

use cloakroom::{
    ConfigError, ConfigErrorKind, DestroyedBefore, FACTS_BYTES, Found, Operation, Page, Position,
    SessionFacts, SessionKey, StorageError, StorageErrorKind, Timestamp,
};
use futures_util::future::try_join_all;
use redis::{Cmd, Value};

use crate::batch::{self, One};
use crate::connection::{Question, Server, Servers};
use crate::error::unexpected;
use crate::keys::Keys;
use crate::scripts;
use crate::storage::RedisSessionStorage;

/// How many keys the server looks at per round of a walk.
const COUNT: usize = 1000;

/// What may be seen of these sessions: the beginnings of their records, no values.
pub(crate) async fn facts(
    servers: &Servers,
    keys: &Keys,
    sessions: &[SessionKey],
) -> Result<Vec<Found>, StorageError> {
    let names: Vec<_> = sessions.iter().map(|session| keys.session(session)).collect();
    // Before the reads: a session that is renewed between the two must not look as if it were over.
    let times: Vec<_> = names.iter().map(|name| servers.now(name)).collect();
    let deadline = servers.deadline(Operation::Facts);
    let both = |name: &[u8]| [head(name), size(name)];
    let answers = batch::ask(servers, &names, deadline, both).await?;
    let mut found = Vec::with_capacity(sessions.len());
    for ((session, name), (answer, time)) in
        sessions.iter().zip(&names).zip(answers.into_iter().zip(times))
    {
        found.push(look(servers, session, name, answer, time).await?);
    }
    Ok(found)
}

/// What has been found under one key, by the batch's answer or by asking once more.
async fn look(
    servers: &Servers,
    session: &SessionKey,
    name: &[u8],
    answer: Option<[One; 2]>,
    time: Option<Timestamp>,
) -> Result<Found, StorageError> {
    let [head, size] = match answer {
        Some(answer) => answer,
        None => {
            let head = batch::alone(servers, name, Operation::Facts, &head(name)).await?;
            [head, batch::alone(servers, name, Operation::Facts, &size(name)).await?]
        }
    };
    match (head, size, time.or_else(|| servers.now(name))) {
        (One::OtherType, ..) | (_, One::OtherType, _) => Ok(Found::Unreadable),
        (One::Value(Value::BulkString(head)), One::Value(Value::Int(size)), Some(now)) => {
            let size = u64::try_from(size).unwrap_or(0);
            Ok(SessionFacts::from_head(session, &head, size, now))
        }
        _ => Err(unexpected(Operation::Facts)),
    }
}

/// One step of a walk: one `SCAN` on one server. The position is the cursor, the server, and which runs
/// of which servers the walk began on: where one of them is another one by now, it begins anew.
pub(crate) async fn walk(
    servers: &Servers,
    keys: &Keys,
    position: &Position,
) -> Result<Page, StorageError> {
    let mut all = servers.all(Operation::Walk)?;
    all.sort_by_key(|server| server.address());
    let servers_now = runs(&all);
    let (cursor, at) = place(position, &all, &servers_now)?;
    let mut scan = redis::cmd("SCAN");
    scan.arg(cursor).arg("MATCH").arg(keys.pattern()).arg("COUNT").arg(COUNT);
    let deadline = servers.deadline(Operation::Walk);
    let page = all[at].ask_here(Question::Command(&scan), deadline).await?;
    let (cursor, names): (u64, Vec<Vec<u8>>) =
        redis::from_redis_value(page).map_err(|_| unexpected(Operation::Walk))?;
    let sessions = names.iter().filter_map(|name| keys.parse(name)).collect();
    let done = done(at, cursor, all.len());
    let next = if cursor == 0 { all.get(at + 1) } else { all.get(at) };
    let next =
        next.map(|server| Position::new(format!("{cursor}@{}#{servers_now}", server.address())));
    Ok(Page { sessions, next, done })
}

/// Removes those of these sessions that were created before a moment.
pub(crate) async fn destroy_created_before(
    servers: &Servers,
    keys: &Keys,
    sessions: &[SessionKey],
    moment: Timestamp,
) -> Result<DestroyedBefore, StorageError> {
    let mut open: Vec<_> = sessions.iter().map(|session| keys.session(session)).collect();
    // Every name was made of a session.
    let session = |name: &[u8]| keys.parse(name).unwrap_or(SessionKey::from_bytes([0; 16]));
    let removal = |name: &[u8]| [scripts::removal_of_record(name, &session(name), moment)];
    // One for the whole page, as for the step of a walk that it was found in.
    let deadline = servers.deadline_as(Operation::Destroy, Operation::Walk);
    let alone =
        async |name: &[u8]| match scripts::remove_record(servers, name, &session(name), moment)
            .await
        {
            // Another type.
            Err(error) if *error.kind() == StorageErrorKind::Corrupt => Ok(scripts::destroyed(-1)),
            destroyed => destroyed,
        };
    let mut destroyed = DestroyedBefore::default();
    while !open.is_empty() {
        let answers = batch::ask(servers, &open, deadline, removal).await?;
        let mut untaught = Vec::new();
        for (name, answer) in open.into_iter().zip(answers) {
            match answer {
                Some([One::Value(Value::Int(answer))]) => destroyed += scripts::destroyed(answer),
                Some([One::NoScript]) => untaught.push(name),
                None => destroyed += alone(&name).await?,
                Some([One::OtherType]) => destroyed.unreadable += 1,
                Some([One::Value(_)]) => return Err(unexpected(Operation::Destroy)),
            }
        }
        // One teaches its server the script, each server at the same time, and the others are asked
        // about in a row again.
        let mut taught = HashSet::new();
        let (teaching, rest): (Vec<_>, Vec<_>) = untaught
            .into_iter()
            .partition(|name| taught.insert(servers.of(name).map(|server| server.address())));
        for one in try_join_all(teaching.iter().map(|name| alone(name))).await? {
            destroyed += one;
        }
        open = rest;
    }
    Ok(destroyed)
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

/// The cursor, and which of the servers it belongs to. Where they are not what they were, the walk
/// begins anew: sessions may have gone from one that was still to come to one that was walked over,
/// and a cursor means nothing to another run of its server.
fn place(
    position: &Position,
    servers: &[Server<'_>],
    servers_now: &str,
) -> Result<(u64, usize), StorageError> {
    if position.is_start() {
        return Ok((0, 0));
    }
    let Some((cursor, address, servers_then)) = read(position) else {
        let message = "the position is none of a walk over a Redis";
        return Err(StorageError::new(StorageErrorKind::Backend, Operation::Walk, message));
    };
    let at = servers.iter().position(|server| &*server.address() == address);
    Ok(at.filter(|_| servers_then == servers_now).map_or((0, 0), |at| (cursor, at)))
}

/// The cursor, the address of its server, and which runs of which servers there were.
fn read(position: &Position) -> Option<(u64, &str, &str)> {
    let (cursor, rest) = position.as_str().split_once('@')?;
    let (address, servers) = rest.rsplit_once('#')?;
    Some((cursor.parse().ok()?, address, servers))
}

impl RedisSessionStorage {
    /// Whether a walk goes on at a position. It begins anew where the servers are not the ones, or not
    /// the runs of them, that the position was told for.
    ///
    /// # Errors
    /// [`ConfigError`] where it is no position of a walk over a Redis.
    pub fn goes_on_at(&self, position: &Position) -> Result<bool, ConfigError> {
        if position.is_start() {
            return Ok(true);
        }
        let (_, _, servers_then) = read(position).ok_or_else(|| {
            let message = "the position is none of a walk over a Redis";
            ConfigError::new(ConfigErrorKind::Invalid, "position", message)
        })?;
        let mut all = self.servers().each();
        all.sort_by_key(|server| server.address());
        Ok(runs(&all) == servers_then)
    }
}

/// Which runs of which servers there are, in a few letters.
pub(crate) fn runs(servers: &[Server<'_>]) -> String {
    let mut hash = std::hash::DefaultHasher::new();
    for server in servers {
        (&*server.address(), server.run()).hash(&mut hash);
    }
    format!("{:08x}", hash.finish() as u32)
}

/// How much of the servers' keys a walk has passed whose cursor is now this one, on one of so many.
pub(crate) fn done(at: usize, cursor: u64, servers: usize) -> f64 {
    let of_this = if cursor == 0 { 1.0 } else { share(cursor) };
    (at as f64 + of_this) / servers as f64
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
