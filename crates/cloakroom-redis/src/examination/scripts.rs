//! Whether a session can be written, read, renewed and removed: by the storage's own scripts, on a
//! session of this examination's own.

use std::time::Duration;

use bytes::Bytes;
use cloakroom::{
    Absolute, CommitBuilder, Expect, Operation, Record, SessionKey, StorageErrorKind, Timestamp,
    Token,
};
use redis::{Cmd, RedisError, Value};

use super::finding::{Finding, Topic};
use super::line::{Line, Silence};
use super::visit::Visit;
use crate::error::{is_unknown_command, storage_error};
use crate::server_info::Role;

/// How long the session lives, should nobody be left to remove it.
const LIFE: Duration = Duration::from_secs(10);

/// How many names are tried for one that lies on the server. A prefix with a tag in braces puts all
/// sessions on one of a Cluster's nodes.
const TRIES: usize = 20_000;

const COMMIT: &str = include_str!("../lua/commit.lua");
const TOUCH: &str = include_str!("../lua/touch.lua");
const REMOVE: &str = include_str!("../lua/remove.lua");

/// A session key that nobody has, and its name; of those that belong to the server.
pub(super) fn key_of(visit: &Visit<'_>) -> Option<(SessionKey, Vec<u8>)> {
    (0..TRIES).find_map(|_| {
        let key = Token::generate().ok()?.key();
        let name = visit.task.keys.session(&key);
        visit.server.holds(&name).then_some((key, name))
    })
}

pub(super) async fn find(visit: &mut Visit<'_>) -> Vec<Finding> {
    let is_replica = visit.info.as_ref().is_some_and(|info| info.about.role == Role::Replica);
    if is_replica {
        return Vec::new();
    }
    let Some((key, name)) = key_of(visit) else {
        let text = "no session would ever lie here: the prefix has a tag in braces";
        return vec![
            Finding::warning(Topic::Scripts, text)
                .because("all sessions lie on another node, which carries all of the load")
                .remedy("take the braces out of the prefix"),
        ];
    };
    let host = visit.server.endpoint.name().to_owned();
    let outcome = play(&mut visit.line, &key, &name).await;
    if outcome.is_err() {
        // What may have been written must not lie there until it expires.
        let _ = visit.line.ask(redis::cmd("DEL").arg(&name)).await;
    }
    match outcome {
        Ok(()) => {
            let text = "a session was written, read, renewed and removed";
            vec![Finding::ok(Topic::Scripts, text)]
        }
        Err(Stop::Over) => Vec::new(),
        Err(Stop::Strange(step)) => vec![
            Finding::error(Topic::Scripts, format!("{step} gave an answer that Redis never gives"))
                .remedy("connect to Redis or Valkey itself, without a proxy that changes commands"),
        ],
        Err(Stop::Refused(step, error)) => vec![refused(step, &error, &host)],
    }
}

/// Why the play did not come to its end.
enum Stop {
    Over,
    Strange(&'static str),
    Refused(&'static str, RedisError),
}

async fn play(line: &mut Line, key: &SessionKey, name: &[u8]) -> Result<(), Stop> {
    let life = LIFE.as_millis().to_string();
    let commit = CommitBuilder::new(Expect::Absent)
        .absolute(Absolute::Start(LIFE))
        .idle_timeout(LIFE)
        .field("purpose", r#""examination""#)
        .build();
    let content = commit.map_err(|_| Stop::Strange("the making of a session"))?.content(key);
    let arguments = [b"".as_slice(), life.as_bytes(), life.as_bytes(), &content, b""];
    let answer = call(line, "writing", COMMIT, name, &arguments).await?;
    if !begins_with(&answer, b"A") {
        return Err(Stop::Strange("writing"));
    }
    let answer = ask(line, "reading", redis::cmd("GET").arg(name)).await?;
    let Value::BulkString(bytes) = answer else { return Err(Stop::Strange("reading")) };
    Record::decode(key, Bytes::from(bytes), Timestamp::from_millis(0))
        .map_err(|_| Stop::Strange("reading"))?;
    let answer = call(line, "renewing", TOUCH, name, &[key.as_bytes()]).await?;
    if !begins_with(&answer, b"TU") {
        return Err(Stop::Strange("renewing"));
    }
    match call(line, "removing", REMOVE, name, &[b"", b""]).await? {
        Value::Int(1) => Ok(()),
        _ => Err(Stop::Strange("removing")),
    }
}

/// Whether the answer's first byte is one of these.
fn begins_with(answer: &Value, outcomes: &[u8]) -> bool {
    match answer {
        Value::BulkString(bytes) => bytes.first().is_some_and(|first| outcomes.contains(first)),
        _ => false,
    }
}

/// Calls a script as a storage does: by its hash, and where the server does not know it by its text.
async fn call(
    line: &mut Line,
    step: &'static str,
    script: &str,
    key: &[u8],
    arguments: &[&[u8]],
) -> Result<Value, Stop> {
    let form = |name: &str, script: &str| {
        let mut command = redis::cmd(name);
        command.arg(script).arg(1).arg(key);
        for argument in arguments {
            command.arg(*argument);
        }
        command
    };
    let hash = redis::Script::new(script);
    match ask(line, step, &form("EVALSHA", hash.get_hash())).await {
        Err(Stop::Refused(_, error)) if error.code() == Some("NOSCRIPT") => {
            ask(line, step, &form("EVAL", script)).await
        }
        answer => answer,
    }
}

async fn ask(line: &mut Line, step: &'static str, question: &Cmd) -> Result<Value, Stop> {
    line.ask(question).await.map_err(|silence| match silence {
        Silence::Over => Stop::Over,
        Silence::Hidden(error) | Silence::Refused(error) => Stop::Refused(step, error),
    })
}

fn refused(step: &'static str, error: &RedisError, host: &str) -> Finding {
    if is_unknown_command(error) {
        let text = format!("{step} a session was refused: the server does not know a command");
        return Finding::error(Topic::Scripts, text).remedy("bring back what `rights` names");
    }
    let error = storage_error(error, Operation::Commit, host);
    let remedy = match error.kind() {
        StorageErrorKind::Full => "raise maxmemory, or remove other data",
        StorageErrorKind::Denied => "give the user what `cloakroom acl` prints",
        StorageErrorKind::ReadOnly => {
            "look into the server's log: it cannot save, or lacks replicas that it must have"
        }
        _ => "look into the server's log",
    };
    Finding::error(Topic::Scripts, format!("{step} a session was refused: {error}")).remedy(remedy)
}
