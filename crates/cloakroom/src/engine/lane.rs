//! The commit lane: per session and process one commit is in flight; whatever arrives meanwhile
//! waits, and goes out together in the next one.
//!
//! The first request commits where it stands, so a session that nobody else writes pays one map
//! entry for its lane and nothing else. When it is done and others wait, a task takes over: it
//! replays all of their changes in turn on the newest record and commits once for all of them.
//! So one hot session costs Redis a bounded number of calls, however many requests write to it.

mod batch;
mod registry;

use std::sync::Arc;

use tokio::time::Instant;

use super::{Engine, GRACE};
use crate::changes::Changes;
use crate::clock::Timestamp;
use crate::commit::{Commit, Committed};
use crate::error::{Operation, SessionError, StorageError, StorageErrorKind};
use crate::record::{Record, Stamp};
use crate::storage::{SessionStorage, end_by};
use crate::token::{SessionKey, VerifierHash};

use batch::{Batch, Newest};
pub(super) use registry::Lanes;
use registry::{Entered, Lane, Waiting};

/// One request's wish to change a session that exists.
pub(super) struct Attempt {
    /// The record that the request has seen.
    pub(super) base: Record,
    /// What the request's ticket proved itself with.
    pub(super) proof: VerifierHash,
    pub(super) changes: Arc<Changes>,
}

/// A commit that was applied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Landed {
    pub(super) stamp: Stamp,
    pub(super) as_of: Timestamp,
    pub(super) persistent: bool,
    /// What a ticket must prove itself with from now on.
    pub(super) verifier: VerifierHash,
}

pub(super) type Verdict = Result<Landed, SessionError>;

impl Engine {
    /// Commits one request's changes, alone or together with others that change the same session.
    pub(super) async fn commit(&self, key: SessionKey, attempt: Attempt) -> Verdict {
        let start = Instant::now();
        let deadline = start + self.policy().commit_timeout;
        match self.inner.lanes.enter(key, attempt, deadline) {
            Entered::Leading(lane, attempt) => self.lead(lane, attempt, deadline).await,
            Entered::Waiting(verdict) => match end_by(deadline + GRACE, verdict).await {
                Some(Ok(verdict)) => verdict,
                Some(Err(_)) => Err(interrupted().into()),
                None => Err(self.commit_timed_out(start).into()),
            },
            Entered::Full => Err(too_many_waiting().into()),
        }
    }

    /// Sends a commit once; it ends by the deadline, which is a commit timeout away from its start.
    pub(super) async fn commit_until(
        &self,
        key: &SessionKey,
        commit: &Commit,
        deadline: Instant,
    ) -> Result<Committed, StorageError> {
        let send = async {
            let answer = end_by(deadline, self.storage().commit(key, commit)).await;
            let start = deadline - self.policy().commit_timeout;
            answer.unwrap_or_else(|| Err(self.commit_timed_out(start)))
        };
        self.observed(Operation::Commit, send).await
    }

    async fn lead(&self, mut lane: Lane, attempt: Attempt, deadline: Instant) -> Verdict {
        let mut batch = Batch::of_one(attempt, deadline);
        let newest = batch.commit(self, lane.key()).await;
        let verdict = batch.into_verdicts().next().unwrap_or_else(|| Err(interrupted().into()));
        if let Some(waiting) = lane.next() {
            let engine = self.clone();
            self.inner.background.spawn(async move { engine.follow(lane, waiting, newest).await });
        }
        verdict
    }

    /// Commits for those who wait, until nobody does.
    async fn follow(&self, mut lane: Lane, waiting: Vec<Waiting>, newest: Newest) {
        let (mut next, mut newest) = (Some(waiting), newest);
        while let Some(waiting) = next {
            let (mut batch, replies) = Batch::of_many(waiting, newest.into_record(lane.key()));
            newest = batch.commit(self, lane.key()).await;
            for (reply, verdict) in replies.into_iter().zip(batch.into_verdicts()) {
                // Whoever has gone away need not be told.
                let _ = reply.send(verdict);
            }
            next = lane.next();
        }
    }

    /// What a request is told whose deadline has passed before its commit was sent once more.
    fn too_late(&self, deadline: Instant, tries: u32) -> SessionError {
        let limit = self.policy().commit_timeout;
        match tries {
            // Nobody was faster: it waited in the lane for a storage that does not answer.
            0 => self.commit_timed_out(deadline - limit).into(),
            attempts => SessionError::Conflict { attempts, limit },
        }
    }

    fn commit_timed_out(&self, start: Instant) -> StorageError {
        let limit = self.policy().commit_timeout;
        StorageError::timeout(Operation::Commit, "commit timeout", limit, start.elapsed())
    }
}

fn interrupted() -> StorageError {
    let message = "the commit was interrupted, its outcome is unknown";
    StorageError::new(StorageErrorKind::Unavailable, Operation::Commit, message)
}

fn too_many_waiting() -> StorageError {
    let message = "too many requests are waiting to change this one session";
    StorageError::new(StorageErrorKind::Rejected, Operation::Commit, message)
}
