//! [`Records`]: the records on the servers, and what one exchange does to them. The storage stands on
//! it, and the journal repeats removals by it.

use std::slice;
use std::time::Duration;

use bytes::Bytes;
use cloakroom::{
    Commit, Committed, CorruptRecord, Destroyed, Durability, Expect, Operation, Record, Seen,
    SessionKey, StorageError, StorageErrorKind, Timestamp, Touched, VerifierHash, Version, end_by,
};
use redis::{Cmd, Value};
use tokio::time::Instant;

use crate::connection::{Deadline, Question, Server, Servers, Watch};
use crate::journal::Meant;
use crate::keys::Keys;
use crate::removal::{self, Replicas};
use crate::scripts::{self, Meeting};
use crate::second_look::{self, Content};

/// How long a load may wait for the server's time beyond its answer, which is rarely asked for.
const CLOCK_LIMIT: Duration = Duration::from_millis(40);

/// Who is told over which connection a question goes out.
type Watching<'a> = Option<&'a dyn Watch>;

/// How often a commit that takes whatever is there may be overtaken by others.
const MAX_OVERTAKEN: usize = 16;

#[derive(Debug)]
pub(crate) struct Records {
    pub(crate) servers: Servers,
    pub(crate) keys: Keys,
    pub(crate) replicas: Replicas,
}

impl Records {
    pub(crate) async fn load(
        &self,
        key: &SessionKey,
        watch: Watching<'_>,
    ) -> Result<Option<Record>, StorageError> {
        let deadline = self.servers.deadline(Operation::Load);
        let name = self.keys.session(key);
        let get = command("GET", &name);
        let servers = self.servers.watched(watch);
        let mut answer = servers.ask_until(&name, Question::Command(&get), deadline).await?;
        let bytes = match std::mem::replace(&mut answer.value, Value::Nil) {
            Value::Nil => return Ok(None),
            Value::BulkString(bytes) => Bytes::from(bytes),
            _ => return Err(answer.unexpected(Operation::Load)),
        };
        // A record is large, so the common case hands it on at once; the rest is boxed, so that what
        // is rare takes no room in every load's future.
        match Record::decode(key, bytes, answer.clock().now()) {
            Ok(record) if !record.is_expired(record.as_of()) => Ok(Some(record)),
            read => {
                // What it finds came over other connections.
                if let Some(watch) = watch {
                    watch.sending(None);
                }
                Box::pin(look_closer(answer.server, key, &name, read.map(Some), deadline)).await
            }
        }
    }

    pub(crate) async fn commit(
        &self,
        key: &SessionKey,
        commit: &Commit,
        watch: Watching<'_>,
    ) -> Result<Committed, StorageError> {
        let expect = match commit.expect() {
            Expect::Absent => None,
            Expect::Exactly(version) => Some(version),
            Expect::Present => {
                let limit = self.servers.timeout(Operation::Commit);
                let work = self.commit_on_whatever(key, commit, watch);
                // Boxed, so that it takes no room in the future of every commit.
                return Box::pin(bounded(limit, Operation::Commit, work)).await;
            }
        };
        self.commit_on(key, commit, expect, None, watch).await
    }

    pub(crate) async fn touch(
        &self,
        key: &SessionKey,
        watch: Watching<'_>,
    ) -> Result<Touched, StorageError> {
        scripts::touch(self.servers.watched(watch), &self.keys.session(key), key).await
    }

    pub(crate) async fn remove(
        &self,
        key: &SessionKey,
        watch: Watching<'_>,
    ) -> Result<Destroyed, StorageError> {
        removal::remove(self.servers.watched(watch), &self.keys.session(key), self.replicas).await
    }

    /// Removes a record that was never looked at, if a ticket with this proof opens it.
    pub(crate) async fn remove_unseen(
        &self,
        key: &SessionKey,
        proof: &VerifierHash,
        watch: Watching<'_>,
    ) -> Result<Destroyed, StorageError> {
        let (name, servers) = (self.keys.session(key), self.servers.watched(watch));
        let removed = scripts::remove(servers, &name, None, slice::from_ref(proof)).await?;
        let alone = Durability::replicas(0, self.replicas.count);
        Ok(if removed { Destroyed::Removed(alone) } else { Destroyed::Absent(alone) })
    }

    /// Removes the record that is meant, if it is there. `true` where there was one.
    pub(crate) async fn remove_meant(
        &self,
        key: &SessionKey,
        meant: &Meant,
        watch: Watching<'_>,
    ) -> Result<bool, StorageError> {
        if *meant == Meant::default() {
            return Ok(matches!(self.remove(key, watch).await?, Destroyed::Removed(_)));
        }
        let (name, servers) = (self.keys.session(key), self.servers.watched(watch));
        scripts::remove(servers, &name, meant.before, &meant.proofs).await
    }

    /// The time of the server that a key belongs to; `None` as long as no server has told it.
    pub(crate) fn now(&self, key: &SessionKey) -> Option<Timestamp> {
        self.servers.now(&self.keys.session(key))
    }

    async fn commit_on(
        &self,
        key: &SessionKey,
        commit: &Commit,
        expect: Option<Version>,
        stored: Option<&Record>,
        watch: Watching<'_>,
    ) -> Result<Committed, StorageError> {
        let name = self.keys.session(key);
        let seen = stored.map(Seen::of).or_else(|| commit.seen(key).copied());
        let stamped = self.servers.recent(&name).and_then(|now| {
            let stamp = match stored {
                Some(stored) => Some(commit.stamp(Some(&stored.stamp()), now)),
                None => commit.expected_stamp(key, now),
            };
            // Whether a record is over is the server's business.
            let is_over = seen.is_some_and(|seen| seen.stamp().idle_deadline < now);
            stamp.filter(|_| !is_over).map(|stamp| (stamp, now))
        });
        let servers = self.servers.watched(watch);
        scripts::commit(servers, &name, key, commit, Meeting { expect, seen, stamped }).await
    }

    /// Commits over whatever record is there. It is looked at first: what is damaged may not be
    /// overwritten, and a repetition must know which state it was meant for.
    async fn commit_on_whatever(
        &self,
        key: &SessionKey,
        commit: &Commit,
        watch: Watching<'_>,
    ) -> Result<Committed, StorageError> {
        let Some(mut stored) = self.load(key, None).await? else { return Ok(Committed::Gone) };
        for _ in 0..MAX_OVERTAKEN {
            if stored.version().nonce() == commit.nonce() {
                return Ok(Committed::Applied { stamp: stored.stamp(), as_of: stored.as_of() });
            }
            let expect = Some(stored.version());
            match self.commit_on(key, commit, expect, Some(&stored), watch).await? {
                Committed::Conflict(newer) => stored = newer,
                outcome => return Ok(outcome),
            }
        }
        Ok(Committed::Conflict(stored))
    }
}

/// What a load may answer whose first look has shown no record of this session, or one that is over.
async fn look_closer(
    server: Server<'_>,
    key: &SessionKey,
    name: &[u8],
    read: Content,
    deadline: Deadline,
) -> Result<Option<Record>, StorageError> {
    let read = if second_look::is_needed(&read) {
        second_look::take(&server, (key, name), &read, deadline).await?
    } else {
        read
    };
    let Some(record) = read.map_err(unreadable)? else { return Ok(None) };
    if !record.is_expired(record.as_of()) {
        return Ok(Some(record));
    }
    // The server removes what has expired by itself. So either somebody took the key's expiry away,
    // or the server's clock was set back: it has to be asked.
    let now = bounded(CLOCK_LIMIT, Operation::Load, server.refresh_clock(deadline)).await?;
    let record = Record::decode(key, record.as_bytes().clone(), now).map_err(unreadable)?;
    Ok((!record.is_expired(now)).then_some(record))
}

/// A command on one key, in as much memory as it needs.
pub(crate) fn command(name: &str, key: &[u8]) -> Cmd {
    let mut command = Cmd::with_capacity(2, name.len() + key.len());
    command.arg(name).arg(key);
    command
}

/// Several exchanges under one limit.
async fn bounded<T>(
    limit: Duration,
    operation: Operation,
    work: impl Future<Output = Result<T, StorageError>>,
) -> Result<T, StorageError> {
    let start = Instant::now();
    end_by(start + limit, work).await.unwrap_or_else(|| {
        let name = format!("{operation} timeout");
        Err(StorageError::timeout(operation, &name, limit, start.elapsed()))
    })
}

fn unreadable(corrupt: CorruptRecord) -> StorageError {
    StorageError::new(StorageErrorKind::Corrupt, Operation::Load, corrupt.to_string())
}
