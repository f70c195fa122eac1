//! [`Batch`]: the changes of one request or of several, committed as one.

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Attempt, Landed, Verdict, Waiting};
use crate::changes::Draft;
use crate::clock::Timestamp;
use crate::commit::{Commit, Committed, Nonce};
use crate::engine::Engine;
use crate::error::SessionError;
use crate::event::Event;
use crate::lifetime;
use crate::record::{Record, Stamp};
use crate::storage::SessionStorage;
use crate::token::{SessionKey, VerifierHash};

/// The newest state of a record that is known when a batch is done.
#[allow(clippy::large_enum_variant, reason = "moved once; a box would cost every commit")]
pub(super) enum Newest {
    /// What the storage has answered, or what a request has seen.
    Read(Record),
    /// What the batch has written. Nobody may need it, so it is not made a record yet.
    Written { commit: Commit, stamp: Stamp, as_of: Timestamp },
    /// There is none any more.
    Unknown,
}

impl Newest {
    pub(super) fn into_record(self, key: &SessionKey) -> Option<Record> {
        match self {
            Self::Read(record) => Some(record),
            Self::Written { commit, stamp, as_of } => {
                Record::decode(key, commit.stamped(key, &stamp), as_of).ok()
            }
            Self::Unknown => None,
        }
    }
}

/// Attempts on one session, each with its verdict as soon as there is one.
pub(super) struct Batch {
    newest: Option<Record>,
    members: Vec<Member>,
}

struct Member {
    attempt: Attempt,
    deadline: Instant,
    verdict: Option<Verdict>,
}

/// A commit, and what its record says about the ticket.
struct Drafted {
    commit: Commit,
    persistent: bool,
    verifier: VerifierHash,
    /// Until when somebody waits for it.
    deadline: Instant,
}

impl Batch {
    pub(super) fn of_one(attempt: Attempt, deadline: Instant) -> Self {
        let newest = Some(attempt.base.clone());
        Self { newest, members: vec![Member { attempt, deadline, verdict: None }] }
    }

    /// A batch of those who wait, on the newest record that anybody knows.
    pub(super) fn of_many(
        waiting: Vec<Waiting>,
        mut newest: Option<Record>,
    ) -> (Self, Vec<oneshot::Sender<Verdict>>) {
        let mut replies = Vec::with_capacity(waiting.len());
        let mut members = Vec::with_capacity(waiting.len());
        for Waiting { attempt, deadline, reply } in waiting {
            let seen = &attempt.base;
            if newest.as_ref().is_none_or(|newest| newest.generation() < seen.generation()) {
                newest = Some(seen.clone());
            }
            // Whoever has gone away has been told an error; the changes must not come true later.
            let verdict = reply.is_closed().then_some(Err(SessionError::Finished));
            members.push(Member { attempt, deadline, verdict });
            replies.push(reply);
        }
        (Self { newest, members }, replies)
    }

    pub(super) fn into_verdicts(self) -> impl Iterator<Item = Verdict> {
        self.members.into_iter().map(|member| member.verdict.unwrap_or(Err(SessionError::Gone)))
    }

    /// Commits until every member has its verdict.
    pub(super) async fn commit(&mut self, engine: &Engine, key: &SessionKey) -> Newest {
        let mut tries = 0;
        while let Some(base) = self.newest.take() {
            let limit = engine.storage().max_session_bytes();
            let drafted = match self.draft(engine, &base, tries, limit) {
                Ok(Some(drafted)) => drafted,
                Ok(None) => return Newest::Read(base),
                Err(error) => {
                    self.settle(&Err(error));
                    return Newest::Read(base);
                }
            };
            tries += 1;
            match engine.commit_until(key, &drafted.commit, drafted.deadline).await {
                Ok(Committed::Applied { stamp, as_of }) => {
                    let (session, requests) = (key.public_id(), self.open().count());
                    engine.emit(&Event::Committed { session, requests, attempts: tries });
                    let Drafted { commit, persistent, verifier, .. } = drafted;
                    self.settle(&Ok(Landed { stamp, as_of, persistent, verifier }));
                    return Newest::Written { commit, stamp, as_of };
                }
                Ok(Committed::Conflict(newer)) => self.newest = Some(newer),
                Ok(Committed::Gone | Committed::Exists) => {
                    self.settle(&Err(SessionError::Gone));
                    return Newest::Unknown;
                }
                Err(error) => {
                    self.settle(&Err(error.into()));
                    return Newest::Read(base);
                }
            }
            lifetime::pause_after_conflict(tries - 1).await;
        }
        Newest::Unknown
    }

    /// Replays all open members on a record. Members that cannot go along get their verdict; `None`
    /// where nobody is left.
    fn draft(
        &mut self,
        engine: &Engine,
        base: &Record,
        tries: u32,
        limit: usize,
    ) -> Result<Option<Drafted>, SessionError> {
        let (now, nonce) = (Instant::now(), Nonce::generate()?);
        let alone = self.members.len() == 1;
        let mut draft = Draft::rewrite(base);
        let mut verdicts = Vec::new();
        for (at, member) in self.members.iter().enumerate() {
            if member.verdict.is_some() {
                continue;
            }
            let refusal = if now > member.deadline {
                Some(engine.too_late(member.deadline, tries))
            } else if !draft.accepts(&member.attempt.proof) {
                Some(SessionError::Superseded)
            } else if alone && base.version() == member.attempt.base.version() {
                member.attempt.changes.apply_as_seen(&mut draft);
                None
            } else if alone {
                member.attempt.changes.apply(&mut draft).err()
            } else {
                // One member's oversized value must not fail the others.
                let before = draft.clone();
                let applied = member.attempt.changes.apply(&mut draft);
                let fits = |()| Ok(draft.commit(nonce).check_size(limit)?);
                let refusal = applied.and_then(fits).err();
                if refusal.is_some() {
                    draft = before;
                }
                refusal
            };
            if let Some(refusal) = refusal {
                verdicts.push((at, refusal));
            }
        }
        let commit = draft.commit(nonce);
        let (persistent, verifier) = (draft.is_persistent(), draft.verifier);
        for (at, refusal) in verdicts {
            self.members[at].verdict = Some(Err(refusal));
        }
        let Some(deadline) = self.open().map(|member| member.deadline).max() else {
            return Ok(None);
        };
        commit.check_size(limit)?;
        Ok(Some(Drafted { commit, persistent, verifier, deadline }))
    }

    fn open(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.verdict.is_none())
    }

    fn settle(&mut self, verdict: &Verdict) {
        for member in self.members.iter_mut().filter(|member| member.verdict.is_none()) {
            member.verdict = Some(verdict.clone());
        }
    }
}
