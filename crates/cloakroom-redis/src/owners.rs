//! The owners' indexes on the server: how they are looked at and changed, byte for byte.

use std::sync::LazyLock;

use cloakroom::{
    EntryState, IndexChange, IndexEntry, IndexOutcome, Operation, OwnerIndex, OwnerKey, SessionKey,
    StorageError, Timestamp,
};

use redis::Value;

use crate::connection::{Question, Servers, Words};
use crate::keys::Keys;
use crate::scripts::{Answer, Script};

/// The session key, the state and its moment.
const ENTRY_BYTES: usize = 16 + 1 + 8;

static OWNER: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/owner.lua")));

/// The index as it is: a plain read, which a server without scripts or writes answers as well. Its answer
/// does not say whose index it is, so it is framed: another owner's would make a revocation believe that
/// there is nobody to end.
pub(crate) async fn look(
    servers: &Servers,
    keys: &Keys,
    owner: &OwnerKey,
) -> Result<OwnerIndex, StorageError> {
    let name = keys.owner(owner);
    let mut range = redis::cmd("ZRANGE");
    range.arg(&name).arg(0).arg(-1).arg("WITHSCORES");
    let question = Question::Framed { command: &range, words: Words::draw(Operation::Index)? };
    let mut answer = servers.ask(&name, Operation::Index, question).await?;
    let now = answer.clock().now();
    let entries = match std::mem::replace(&mut answer.value, Value::Nil) {
        // Which would be read as an empty index.
        Value::Nil => return Err(answer.unexpected(Operation::Index)),
        found => redis::from_redis_value::<Vec<(Vec<u8>, f64)>>(found),
    };
    let entries = entries.map_err(|_| answer.unexpected(Operation::Index))?;
    let entries = entries.iter().filter_map(|(entry, deadline)| {
        // A score is a whole number of milliseconds.
        read_entry(entry, Timestamp::from_millis(*deadline as u64))
    });
    // What is over by this node's time stays in: the server itself removes what is over by its own.
    Ok(OwnerIndex { outcome: IndexOutcome::Done, now, entries: entries.collect() })
}

/// Takes one step, and answers the index after it.
pub(crate) async fn change(
    servers: &Servers,
    keys: &Keys,
    owner: &OwnerKey,
    change: &IndexChange,
) -> Result<OwnerIndex, StorageError> {
    let name = keys.owner(owner);
    let (step, arguments) = written(change);
    let (echo, _) = owner.as_bytes().split_at(crate::scripts::ECHO);
    let mut all = vec![step, echo];
    all.extend(arguments.iter().map(Vec::as_slice));
    let call = OWNER.call(&name, &all);
    let reply = call.put(servers.watched(None), Operation::Index).await?;
    let mut answer = Answer::parse(reply, Operation::Index)?;
    answer.strip_echo(owner.as_bytes())?;
    let outcome = match answer.outcome {
        b'D' => IndexOutcome::Done,
        b'F' => IndexOutcome::Full,
        b'X' => IndexOutcome::Condemned,
        _ => return Err(answer.reply.unexpected(Operation::Index)),
    };
    let (entries, rest) = answer.body.as_chunks::<{ ENTRY_BYTES + 8 }>();
    if !rest.is_empty() {
        return Err(answer.reply.unexpected(Operation::Index));
    }
    let entries = entries.iter().filter_map(|bytes| {
        let (entry, deadline) = bytes.split_first_chunk::<ENTRY_BYTES>()?;
        read_entry(entry, moment(deadline)?)
    });
    let index = OwnerIndex { outcome, now: answer.now, entries: entries.collect() };
    answer.reply.clock().set(answer.now);
    Ok(index)
}

/// The step's letter, and what it needs.
fn written(change: &IndexChange) -> (&'static [u8], Vec<Vec<u8>>) {
    let number = |number: u128| number.to_string().into_bytes();
    let limit = |most: &Option<u32>| most.map(|most| number(most.into())).unwrap_or_default();
    match change {
        IndexChange::Enter { session, lifetime, pending, refuse_at } => {
            let (lifetime, pending) = (number(lifetime.as_millis()), number(pending.as_millis()));
            (b"E", vec![session.as_bytes().to_vec(), lifetime, pending, limit(refuse_at)])
        }
        IndexChange::Settle { session, deadline, most } => {
            let deadline = number(deadline.as_millis().into());
            (b"S", vec![session.as_bytes().to_vec(), deadline, limit(most)])
        }
        IndexChange::Condemn { session, most, over, candidates } => {
            let (most, session) = (number((*most).into()), session.as_bytes().to_vec());
            (b"C", vec![session, most, all(over), keys_of(candidates)])
        }
        IndexChange::Remove(entries) => (b"R", vec![all(entries)]),
        IndexChange::Leave(sessions) => (b"L", vec![keys_of(sessions)]),
        // The script says that it does not know the step.
        _ => (b"?", vec![Vec::new()]),
    }
}

fn keys_of(sessions: &[SessionKey]) -> Vec<u8> {
    sessions.iter().flat_map(|session| *session.as_bytes()).collect()
}

fn all(entries: &[IndexEntry]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len() * ENTRY_BYTES);
    for entry in entries {
        let (state, moment) = match entry.state {
            EntryState::Pending(until) => (b'p', until),
            EntryState::SignedIn(since) => (b's', since),
            EntryState::Renewing(until) => (b'r', until),
            EntryState::Condemned(since) => (b'x', since),
        };
        bytes.extend_from_slice(entry.session.as_bytes());
        bytes.push(state);
        bytes.extend_from_slice(&moment.as_millis().to_be_bytes());
    }
    bytes
}

/// Reads an entry; `None` where it is none of ours.
fn read_entry(bytes: &[u8], deadline: Timestamp) -> Option<IndexEntry> {
    let (session, rest) = bytes.split_first_chunk::<16>()?;
    let (state, rest) = rest.split_first()?;
    let moment = moment(rest)?;
    let state = match state {
        b'p' => EntryState::Pending(moment),
        b's' => EntryState::SignedIn(moment),
        b'r' => EntryState::Renewing(moment),
        b'x' => EntryState::Condemned(moment),
        _ => return None,
    };
    Some(IndexEntry { session: SessionKey::from_bytes(*session), state, deadline })
}

fn moment(bytes: &[u8]) -> Option<Timestamp> {
    Some(Timestamp::from_millis(u64::from_be_bytes(bytes.try_into().ok()?)))
}
