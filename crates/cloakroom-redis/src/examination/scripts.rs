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
use super::servers::Server;
use super::visit::Visit;
use crate::error::{is_unknown_command, storage_error};
use crate::keys::Keys;
use crate::server_info::Role;

/// How long the session lives, should nobody be left to remove it.
const LIFE: Duration = Duration::from_secs(10);

/// How many names are tried for one that lies on the server: enough for a thousandth of a Cluster.
const TRIES: usize = 10_000;

const COMMIT: &str = include_str!("../lua/commit.lua");
const TOUCH: &str = include_str!("../lua/touch.lua");
const REMOVE: &str = include_str!("../lua/remove.lua");

/// A session that nobody has.
pub(super) struct Trial {
    key: SessionKey,
    pub(super) name: Vec<u8>,
}

impl Trial {
    /// One of those that belong to the server. A prefix with a tag in braces puts all sessions on one
    /// of a Cluster's nodes, so that one try tells.
    pub(super) fn on(server: &Server, keys: &Keys) -> Option<Self> {
        let tries = if has_tag(keys.prefix()) { 1 } else { TRIES };
        (0..tries).find_map(|_| {
            let key = Token::generate().ok()?.key();
            let name = keys.session(&key);
            server.holds(&name).then_some(Self { key, name })
        })
    }
}

/// Whether a Cluster looks only at what stands in braces.
fn has_tag(prefix: &str) -> bool {
    let inside = prefix.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    inside.is_some_and(|(tag, _)| !tag.is_empty())
}

pub(super) async fn find(visit: &mut Visit<'_>) -> Vec<Finding> {
    let is_replica = visit.info.as_ref().is_some_and(|info| info.about.role == Role::Replica);
    if is_replica {
        return Vec::new();
    }
    let Some(Trial { key, name }) = &visit.trial else {
        if !has_tag(visit.task.keys.prefix()) {
            let text = "it serves so few slots that no session was found to try";
            return vec![Finding::info(Topic::Scripts, text).remedy("give it more slots, or none")];
        }
        let text = "no session would ever lie here: the prefix has a tag in braces";
        return vec![
            Finding::warning(Topic::Scripts, text)
                .because("all sessions lie on another node, which carries all of the load")
                .remedy("take the braces out of the prefix"),
        ];
    };
    let host = visit.server.endpoint.name().to_owned();
    let outcome = play(&mut visit.line, key, name).await;
    if outcome.is_err() {
        // What may have been written must not lie there until it expires.
        let _ = visit.line.ask(redis::cmd("DEL").arg(name)).await;
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
    if error.code() == Some("MOVED") {
        let text = format!("{step} a session was refused: it belongs to another node of a Cluster");
        return Finding::error(Topic::Scripts, text).remedy(format!(
            "write redis+cluster://{host}; if it stays, look at the Cluster again"
        ));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_what_a_cluster_takes_for_one() {
        for prefix in ["{shop}:", "a{b}c{d}:", "{a{b}:"] {
            assert!(has_tag(prefix), "{prefix}");
        }
        for prefix in ["shop:", "{}shop:", "{}{shop}:", "shop}{:", "{shop:"] {
            assert!(!has_tag(prefix), "{prefix}");
        }
    }
}
