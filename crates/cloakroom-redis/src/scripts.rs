//! The scripts: how they are called, and what they answer.
//!
//! A script is called by its hash; a server that has forgotten it (restart, failover, flush) is
//! given its text on the same connection.

use std::io::Write;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use cloakroom::{
    Absolute, Commit, Committed, DestroyedBefore, Generation, Operation, Record, RecordBeginning,
    Seen, SessionKey, Stamp, StorageError, StorageErrorKind, Timestamp, Touched, VerifierHash,
    Version,
};
use redis::{Cmd, RedisWrite, ToRedisArgs, Value};

use crate::connection::{Answer as Reply, Question, Sent, Servers, Watched};

/// A script's text and the SHA-1 of it, by which the server knows it.
pub(crate) struct Script {
    text: &'static str,
    hash: String,
}

impl Script {
    pub(crate) fn new(text: &'static str) -> Self {
        Self { text, hash: redis::Script::new(text).get_hash().to_owned() }
    }

    /// A call about a key.
    pub(crate) fn call<'a>(&self, key: &'a [u8], arguments: &[&[u8]]) -> Call<'a> {
        let bytes = arguments.iter().map(|argument| argument.len()).sum();
        let mut call = self.begin(key, arguments.len(), bytes);
        for argument in arguments {
            call.command.arg(*argument);
        }
        call
    }

    /// The same without its arguments, with room for them.
    fn begin<'a>(&self, key: &'a [u8], arguments: usize, bytes: usize) -> Call<'a> {
        let name = "EVALSHA";
        let bytes = name.len() + self.hash.len() + 1 + key.len() + bytes;
        let mut command = Cmd::with_capacity(4 + arguments, bytes);
        command.arg(name).arg(&self.hash).arg(1).arg(key);
        Call { key, command, text: self.text }
    }
}

/// A script's call about one key, by the script's hash.
pub(crate) struct Call<'a> {
    key: &'a [u8],
    command: Cmd,
    text: &'static str,
}

impl Call<'_> {
    /// Sends it and waits for its answer until the operation's timeout.
    pub(crate) fn put<'a: 'q, 'q>(
        &'q self,
        servers: Watched<'a>,
        operation: Operation,
    ) -> impl Future<Output = Result<Reply<'a>, StorageError>> {
        let question = Question::Script { by_hash: &self.command, text: self.text };
        servers.ask(self.key, operation, question)
    }
}

/// How many bytes of a commit's nonce, and of a touch's key, the answer repeats.
pub(crate) const ECHO: usize = 8;

/// Room for what a commit's call says beside its record: the state that it expects, three durations
/// and two signs.
const BESIDE_THE_RECORD: usize = size_of::<RecordBeginning>() + 3 * 20 + 2;

static COMMIT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/commit.lua")));
static REMOVE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/remove.lua")));
static TOUCH: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/touch.lua")));

/// The record that a commit is meant for, and what the new one will be stamped with.
pub(crate) struct Meeting {
    /// The state that the record must be in; `None`: there must be none.
    pub(crate) expect: Option<Version>,
    /// The same, where it is known from its record.
    pub(crate) seen: Option<Seen>,
    /// The new stamp and the server's time that it was made at. `None` where the script is to make it,
    /// because the old one or the time is not known here, or the record may be over.
    pub(crate) stamped: Option<(Stamp, Timestamp)>,
}

/// A commit's outcome.
pub(crate) async fn commit(
    servers: Watched<'_>,
    name: &[u8],
    key: &SessionKey,
    commit: &Commit,
    meeting: Meeting,
) -> Result<Committed, StorageError> {
    let expect = meeting.expect;
    let (call, stamped) = write(servers, name, key, commit, meeting);
    let reply = call.put(servers, Operation::Commit).await?;
    if let Value::BulkString(short) = &reply.value
        && let (Some((b'S', echo)), Some((stamp, as_of))) = (short.split_first(), stamped)
    {
        return match echo == &commit.nonce().as_bytes()[..ECHO] {
            true => {
                servers.written(|| commit.stamped(key, &stamp));
                Ok(Committed::Applied { stamp, as_of })
            }
            false => Err(reply.unexpected(Operation::Commit)),
        };
    }
    let mut answer = Answer::parse(reply, Operation::Commit)?;
    answer.strip_echo(commit.nonce().as_bytes())?;
    let outcome = match answer.outcome {
        b'A' => Committed::Applied { stamp: answer.stamp()?, as_of: answer.now },
        b'C' => {
            let newer = answer.record(key)?;
            let seen = expect.map_or(Generation::ZERO, |expect| expect.generation());
            // Its own nonce would have been overwritten by the next commit.
            if answer.sent == Sent::Twice && newer.generation() > seen.next() {
                return Err(lost_track());
            }
            Committed::Conflict(newer)
        }
        b'E' if answer.sent == Sent::Twice => return Err(lost_track()),
        b'E' => Committed::Exists,
        b'G' => Committed::Gone,
        _ => return Err(answer.refusal()),
    };
    answer.reply.clock().set(answer.now);
    Ok(outcome)
}

/// A commit's call, and the stamp that the record in it has, if it has one.
fn write<'a>(
    servers: Watched<'_>,
    name: &'a [u8],
    key: &SessionKey,
    commit: &Commit,
    Meeting { expect, seen, stamped }: Meeting,
) -> (Call<'a>, Option<(Stamp, Timestamp)>) {
    let life = |(stamp, now): &(Stamp, Timestamp)| millis(now.until(stamp.idle_deadline));
    // What is over at once has no life that Redis would accept.
    let stamped = stamped.filter(|stamped| life(stamped) > 0);
    let (head, sections) = commit.parts(key, stamped.as_ref().map(|(stamp, _)| stamp));
    let mut call = COMMIT.begin(name, 6, BESIDE_THE_RECORD + head.len() + sections.len());
    let command = &mut call.command;
    match (expect, seen) {
        (Some(_), Some(seen)) => command.arg(seen.beginning()),
        (Some(expect), None) => {
            let generation = expect.generation().number().to_be_bytes();
            command.arg(Parts([&generation, expect.nonce().as_bytes()]))
        }
        (None, _) => command.arg(""),
    };
    match commit.absolute() {
        Absolute::Keep => command.arg(""),
        Absolute::Start(timeout) => command.arg(millis(timeout)),
        Absolute::Prolong(timeout) => command.arg(format!("+{}", millis(timeout))),
    };
    command.arg(millis(commit.idle_timeout())).arg(Parts([&head, sections]));
    match &stamped {
        Some(stamped) => command.arg(life(stamped)),
        None => command.arg(""),
    };
    if servers.is_watched() {
        command.arg("w");
    }
    (call, stamped)
}

/// One argument that lies in two places.
struct Parts<'a>([&'a [u8]; 2]);

impl ToRedisArgs for Parts<'_> {
    fn write_redis_args<W: RedisWrite + ?Sized>(&self, out: &mut W) {
        let mut argument = out.writer_for_next_arg();
        for part in self.0 {
            argument.write_all(part).expect("a command is memory, which takes all that is written");
        }
    }
}

/// A touch's outcome.
pub(crate) async fn touch(
    servers: Watched<'_>,
    name: &[u8],
    key: &SessionKey,
) -> Result<Touched, StorageError> {
    let call = TOUCH.call(name, &[key.as_bytes()]);
    let reply = call.put(servers, Operation::Touch).await?;
    let mut answer = Answer::parse(reply, Operation::Touch)?;
    answer.strip_echo(key.as_bytes())?;
    let outcome = match answer.outcome {
        b'T' => Touched::Extended(answer.stamp()?),
        b'U' => Touched::Unchanged,
        b'G' => Touched::Gone,
        _ => return Err(answer.refusal()),
    };
    answer.reply.clock().set(answer.now);
    Ok(outcome)
}

/// Removes a record, unless it was created at `before` or later, or has none of these verifiers
/// (none: it may have any). `true` where one was removed.
pub(crate) async fn remove(
    servers: Watched<'_>,
    key: &[u8],
    before: Option<Timestamp>,
    proofs: &[VerifierHash],
) -> Result<bool, StorageError> {
    let before = before.map(|before| before.as_millis().to_string()).unwrap_or_default();
    let proofs: Vec<u8> = proofs.iter().flat_map(|proof| *proof.as_bytes()).collect();
    Ok(call_remove(servers, key, &[before.as_bytes(), &proofs]).await? > 0)
}

/// Removes the record of a session if it was created before a moment; what is no record of it stays,
/// and is told as unreadable.
pub(crate) async fn remove_record(
    servers: &Servers,
    key: &[u8],
    session: &SessionKey,
    before: Timestamp,
) -> Result<DestroyedBefore, StorageError> {
    let before = before.as_millis().to_string();
    let arguments = [before.as_bytes(), b"", session.as_bytes()];
    call_remove(servers.watched(None), key, &arguments).await.map(destroyed)
}

/// What its answer says.
pub(crate) fn destroyed(answer: i64) -> DestroyedBefore {
    let mut destroyed = DestroyedBefore::default();
    destroyed.removed = usize::from(answer > 0);
    destroyed.unreadable = usize::from(answer < 0);
    destroyed
}

/// The same call for one of many in a row, whose answer [`destroyed`] reads. Where the server does not
/// know the script, [`remove_record`] is to be asked instead.
pub(crate) fn removal_of_record(key: &[u8], session: &SessionKey, before: Timestamp) -> Cmd {
    let before = before.as_millis().to_string();
    REMOVE.call(key, &[before.as_bytes(), b"", session.as_bytes()]).command
}

async fn call_remove(
    servers: Watched<'_>,
    key: &[u8],
    arguments: &[&[u8]],
) -> Result<i64, StorageError> {
    let call = REMOVE.call(key, arguments);
    let answer = call.put(servers, Operation::Destroy).await?;
    match answer.value {
        Value::Int(answer) => Ok(answer),
        _ => Err(answer.unexpected(Operation::Destroy)),
    }
}

/// A script's answer: one byte of outcome, eight bytes of the server's time, the rest.
pub(crate) struct Answer<'a> {
    operation: Operation,
    sent: Sent,
    pub(crate) outcome: u8,
    pub(crate) now: Timestamp,
    pub(crate) body: Bytes,
    pub(crate) reply: Reply<'a>,
}

impl<'a> Answer<'a> {
    pub(crate) fn parse(mut reply: Reply<'a>, operation: Operation) -> Result<Self, StorageError> {
        let Value::BulkString(bytes) = std::mem::replace(&mut reply.value, Value::Nil) else {
            return Err(reply.unexpected(operation));
        };
        let bytes = Bytes::from(bytes);
        let (Some(&outcome), Some(now)) =
            (bytes.first(), bytes.get(1..9).and_then(|now| now.first_chunk()))
        else {
            return Err(reply.unexpected(operation));
        };
        let now = Timestamp::from_millis(u64::from_be_bytes(*now));
        Ok(Self { operation, sent: reply.sent, outcome, now, body: bytes.slice(9..), reply })
    }

    /// Takes off the part that says which call this answers, so that another one's success is never
    /// taken for ours.
    pub(crate) fn strip_echo(&mut self, asked: &[u8; 16]) -> Result<(), StorageError> {
        if self.body.get(..ECHO) != asked.get(..ECHO) {
            return Err(self.reply.unexpected(self.operation));
        }
        self.body = self.body.slice(ECHO..);
        Ok(())
    }

    fn stamp(&self) -> Result<Stamp, StorageError> {
        let stamp = self.body.as_ref().try_into();
        let stamp = stamp.map_err(|_| self.reply.unexpected(self.operation))?;
        Ok(Stamp::from_bytes(stamp))
    }

    fn record(&self, key: &SessionKey) -> Result<Record, StorageError> {
        Record::decode(key, self.body.clone(), self.now).map_err(|corrupt| {
            StorageError::new(StorageErrorKind::Corrupt, self.operation, corrupt.to_string())
        })
    }

    fn refusal(&self) -> StorageError {
        if self.outcome != b'X' {
            return self.reply.unexpected(self.operation);
        }
        let message =
            "what lies under the key is not a record of this session that this release can change";
        StorageError::new(StorageErrorKind::Corrupt, self.operation, message)
    }
}

/// After a commit was sent twice: whether the first one was applied cannot be seen any more.
fn lost_track() -> StorageError {
    let message = "the connection broke during the commit and others have written since, so nobody \
                   can tell whether it was applied";
    StorageError::new(StorageErrorKind::Unavailable, Operation::Commit, message)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
