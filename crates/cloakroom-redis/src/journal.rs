//! [`Journal`]: removals that must not be forgotten (sign-outs, revocations).
//!
//! The storage carries out every removal through it, and asks it at every load, commit and touch.
//! A removal is *under way*, then *confirmed* by the server, or *pending* where its outcome is
//! unknown: then a task repeats it until the server confirms it. Confirmed ones are remembered for a
//! minute, because a failover may lose what the old primary has confirmed; [`Journal::reapply`]
//! makes all of them due again.
//!
//! # What is refused
//! As long as a removal is under way, pending or due again, this node refuses its record: to
//! loads, commits and touches there is none, and none may be created under its key.
//!
//! A confirmed one refuses nothing by its key alone. The keys of tickets never come back, but a
//! session that the application names may be deleted and set again at once, also by another node,
//! of which this one hears nothing. What comes back *by itself* after a failover was created before
//! the removal was asked for, what is set again was created after it. So it is the loaded record's
//! time of creation that decides ([`Journal::accepts`]). Both times are the server's.
//!
//! # Creating under a key that was removed
//! [`Journal::commit`] takes the confirmed entry away *before* the creation is sent, so that no
//! `reapply` can meet the new record. It is put back only where it is certain that nothing was
//! created. If nobody knows, the entry stays away: the application wanted the session to exist. A
//! creation after a pending removal is refused with [`StorageErrorKind::Pending`]; the removal
//! could otherwise be carried out after it and end the new session. For a removal that is being
//! carried out at that moment a creation waits a little: callers who remove and set one name at once
//! see no error while the server is well.
//!
//! A repetition ends only what was there before: see [`Remove::remove`].
//!
//! # A sign-out that nobody could look at
//! While the server cannot be reached at all, a request cannot load its session, and nobody knows
//! whether its ticket is the session's own. [`Journal::remove_unseen`] notes the ticket's verifier
//! with the removal; the server compares it when the removal is carried out, so that an old ticket
//! ends nobody's session.
//!
//! # Why it is asked with the work itself
//! Whoever is handed an entry can forget to say what became of it. [`Journal::remove`] and
//! [`Journal::commit`] take the exchange with the server as a future, watch it, and also know what
//! to do if it is dropped half-way: a removal is then pending.
//!
//! # Bounds
//! Pending removals: 10,000, of those that nobody could look at the record for 1,000; then the caller gets the server's error and
//! [`Event::JournalFull`](cloakroom::Event) is told. Confirmed ones: 100,000, then the oldest give
//! way and are counted. Removals under way are bounded by the callers. Only the process remembers:
//! its end forgets all of them.

mod book;
mod entry;
mod register;
mod stats;
mod worker;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use cloakroom::{
    Commit, Committed, Destroyed, Expect, JournalHealth, Observer, Operation, SessionKey,
    StorageError, StorageErrorKind, Timestamp, VerifierHash,
};
use tokio::time::{Instant, timeout_at};

use book::{Book, Confirmed, StillToCome, Ticket, Verdict};
use register::Mark;
use worker::Desk;

pub(crate) use stats::JournalStats;

/// How long a creation waits for a removal of the same name that is being carried out.
const PATIENCE: Duration = Duration::from_millis(250);

/// Carries out the removals that the journal repeats. The storage does.
pub(crate) trait Remove: Send + Sync + 'static {
    /// Removes one record; `true` where there was one. It must end within a limit of its own.
    ///
    /// A record that is not the one meant stays, and the answer is `false`.
    fn remove(
        &self,
        key: &SessionKey,
        meant: &Meant,
    ) -> impl Future<Output = Result<bool, StorageError>> + Send;
}

/// Which record a removal means. By default whatever lies under the key.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Meant {
    /// What was created at this moment or later is another session under the same name, which nobody
    /// has asked to remove.
    pub(crate) before: Option<Timestamp>,
    /// It must have one of these verifiers; none where it may have any.
    pub(crate) proofs: Vec<VerifierHash>,
}

/// How much the journal remembers, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct JournalPolicy {
    /// The most removals that may be pending; 10,000.
    pub(crate) max_pending: usize,
    /// The most of them that nobody could look at the record for; 1,000. Anybody can ask for one, with
    /// any ticket, so they must not take the others' places.
    pub(crate) max_unseen: usize,
    /// The most confirmed removals that are remembered; 100,000.
    pub(crate) max_confirmed: usize,
    /// For how long a confirmed removal is remembered; 60 s.
    pub(crate) remember_for: Duration,
    /// When a pending removal is given up; 400 days, the longest life of a session.
    pub(crate) give_up_after: Duration,
}

impl Default for JournalPolicy {
    fn default() -> Self {
        Self {
            max_pending: 10_000,
            max_unseen: 1_000,
            max_confirmed: 100_000,
            remember_for: Duration::from_secs(60),
            give_up_after: Duration::from_secs(400 * 24 * 60 * 60),
        }
    }
}

/// Remembers removals until they are certain. Its drop ends the task that repeats them.
pub(crate) struct Journal<R: Remove> {
    desk: Arc<Desk<R>>,
}

impl<R: Remove> Journal<R> {
    /// A journal whose removals are repeated by `remover`. It is held weakly, since it usually owns
    /// the journal.
    pub(crate) fn new(policy: JournalPolicy, remover: Weak<R>) -> Self {
        Self { desk: Arc::new(Desk::new(Book::new(policy), remover)) }
    }

    /// Who is told of removals that were carried out late, or not at all.
    pub(crate) fn set_observer(&self, observer: Arc<dyn Observer>) {
        self.desk.set_observer(observer);
    }

    /// Whether a load has to be answered as if there were no such record, without asking the server. One relaxed load where no removal is under way or pending.
    #[inline]
    pub(crate) fn denies(&self, key: &SessionKey) -> bool {
        self.desk.register().denies(key)
    }

    /// Whether a commit or touch has to be answered as if there were no such record.
    #[inline]
    pub(crate) fn holds_writes(&self, key: &SessionKey) -> bool {
        self.desk.register().holds_writes(key)
    }

    /// Whether a loaded record may be shown. `false` where it was removed and has come back; it is
    /// then removed again at once. One relaxed load where nothing was removed lately.
    #[inline]
    pub(crate) fn accepts(
        &self,
        key: &SessionKey,
        created: Timestamp,
        is_opened_by: impl Fn(&VerifierHash) -> bool,
    ) -> bool {
        match self.desk.register().look(key) {
            None => true,
            Some(Mark::Denied) => false,
            Some(Mark::Unseen { proofs }) => !proofs.iter().any(is_opened_by),
            Some(Mark::Confirmed { asked }) if asked.is_none_or(|asked| created >= asked) => true,
            Some(Mark::Confirmed { .. }) => {
                self.desk.change(|book| book.came_back(key, Instant::now()));
                self.desk.wake();
                false
            }
        }
    }

    /// Carries out one removal. From the first poll on the key is refused.
    ///
    /// `asked` is the server's time, or `None` where it is not known yet. The answer is
    /// [`Destroyed::Pending`] where the outcome is unknown and the journal goes on trying; dropping
    /// the future leaves it to the journal as well.
    ///
    /// # Errors
    /// [`StorageErrorKind::Denied`]: a missing permission does not come by waiting, so nothing is
    /// remembered. Any other error means that the journal is full.
    pub(crate) async fn remove(
        &self,
        key: &SessionKey,
        asked: Option<Timestamp>,
        work: impl Future<Output = Result<Destroyed, StorageError>>,
    ) -> Result<Destroyed, StorageError> {
        let attempt = Attempt::begin(&self.desk, key, asked, None);
        match work.await {
            Ok(Destroyed::Pending) => attempt.end(Verdict::Unknown, Ok(Destroyed::Pending)),
            Ok(destroyed) => attempt.end(Verdict::Confirmed, Ok(destroyed)),
            Err(error) if *error.kind() == StorageErrorKind::Denied => {
                attempt.end(Verdict::Refused, Err(error))
            }
            Err(error) => attempt.end(Verdict::Unknown, Err(error)),
        }
    }

    /// The same for a removal that nobody could look at the record for: it means only a record with
    /// this verifier. Until that can be compared, nothing is written under the key on this node, and a
    /// record with that verifier is not shown; the holder of a newer ticket goes on reading.
    ///
    /// # Errors
    /// As [`Journal::remove`].
    pub(crate) async fn remove_unseen(
        &self,
        key: &SessionKey,
        proof: &VerifierHash,
        asked: Option<Timestamp>,
        work: impl Future<Output = Result<Destroyed, StorageError>>,
    ) -> Result<Destroyed, StorageError> {
        let attempt = Attempt::begin(&self.desk, key, asked, Some(*proof));
        match work.await {
            Ok(removed @ Destroyed::Removed(_)) => attempt.end(Verdict::Confirmed, Ok(removed)),
            // Somebody else's record, or none: there is nothing to remember.
            Ok(Destroyed::Absent(alone)) => {
                attempt.end(Verdict::Refused, Ok(Destroyed::Absent(alone)))
            }
            Ok(Destroyed::Pending) => attempt.end(Verdict::Unknown, Ok(Destroyed::Pending)),
            Err(error) if *error.kind() == StorageErrorKind::Denied => {
                attempt.end(Verdict::Refused, Err(error))
            }
            Err(error) => attempt.end(Verdict::Unknown, Err(error)),
        }
    }

    /// Carries out one commit, as far as removals let it pass. Here a removed record is
    /// [`Committed::Gone`], and a creation over a removal that is still to come is refused.
    ///
    /// # Errors
    /// [`StorageErrorKind::Pending`] where a creation was refused; what `work` answered otherwise.
    pub(crate) async fn commit(
        &self,
        key: &SessionKey,
        commit: &Commit,
        work: impl Future<Output = Result<Committed, StorageError>>,
    ) -> Result<Committed, StorageError> {
        match commit.expect() {
            Expect::Absent => self.create(key, work).await,
            Expect::Present | Expect::Exactly(_) if self.holds_writes(key) => Ok(Committed::Gone),
            Expect::Present | Expect::Exactly(_) => work.await,
        }
    }

    async fn create(
        &self,
        key: &SessionKey,
        work: impl Future<Output = Result<Committed, StorageError>>,
    ) -> Result<Committed, StorageError> {
        if self.desk.register().look(key).is_none() {
            return work.await;
        }
        let Ok(confirmed) = self.take_confirmed(key).await else { return Err(creation_refused()) };
        let outcome = work.await;
        if let Some(confirmed) = confirmed
            && created_nothing(&outcome)
        {
            self.desk.change(|book| book.put_back(confirmed, Instant::now()));
            self.desk.wake();
        }
        outcome
    }

    /// Waits for a removal that is being carried out at this moment, but not for one that is pending.
    async fn take_confirmed(&self, key: &SessionKey) -> Result<Option<Confirmed>, StillToCome> {
        let give_up = Instant::now() + PATIENCE;
        loop {
            // Before the look, so that nothing that happens after it is missed.
            let settled = self.desk.settled();
            match self.desk.change(|book| book.take_confirmed(key)) {
                Err(StillToCome::Soon) if timeout_at(give_up, settled).await.is_ok() => {}
                taken => return taken,
            }
        }
    }

    /// The server is back: all pending removals are carried out now, the oldest first.
    pub(crate) fn retry_now(&self) {
        self.desk.change(|book| book.retry_now(Instant::now()));
        self.desk.wake();
    }

    /// The server has another history (failover, restart, restore): all that was confirmed lately is
    /// carried out again, and refused until then. To be called before the first load from it.
    pub(crate) fn reapply(&self) {
        self.desk.change(|book| book.reapply(Instant::now()));
        self.desk.wake();
    }

    /// Depth, age and counters.
    pub(crate) fn stats(&self) -> JournalStats {
        self.desk.change(|book| book.stats(Instant::now()))
    }

    /// Depth and age beside their bounds.
    pub(crate) fn health(&self) -> JournalHealth {
        self.desk.change(|book| book.health(Instant::now()))
    }
}

impl<R: Remove> Drop for Journal<R> {
    fn drop(&mut self) {
        self.desk.stop();
    }
}

impl<R: Remove> fmt::Debug for Journal<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// A removal under way. Dropped half-way it is pending.
struct Attempt<'a, R: Remove> {
    desk: &'a Arc<Desk<R>>,
    ticket: Option<Ticket>,
}

impl<'a, R: Remove> Attempt<'a, R> {
    fn begin(
        desk: &'a Arc<Desk<R>>,
        key: &SessionKey,
        asked: Option<Timestamp>,
        proof: Option<VerifierHash>,
    ) -> Self {
        let ticket = desk.change(|book| book.begin(key, asked, proof));
        Self { desk, ticket: Some(ticket) }
    }

    /// Notes the outcome. An unknown one is answered with pending where there is room for it.
    fn end(
        mut self,
        verdict: Verdict,
        answer: Result<Destroyed, StorageError>,
    ) -> Result<Destroyed, StorageError> {
        let noted = self.note(verdict);
        match (verdict, noted) {
            (Verdict::Unknown, Ok(())) => Ok(Destroyed::Pending),
            (Verdict::Unknown, Err(_)) => answer.and_then(|_| Err(journal_full())),
            _ => answer,
        }
    }

    fn note(&mut self, verdict: Verdict) -> Result<(), book::Full> {
        let Some(ticket) = self.ticket.take() else { return Ok(()) };
        let noted = self.desk.settle(|book| book.end(ticket, verdict, Instant::now()));
        self.desk.wake();
        noted
    }
}

impl<R: Remove> Drop for Attempt<'_, R> {
    fn drop(&mut self) {
        // If the journal is full the observer is told; the caller has gone.
        let _: Result<(), book::Full> = self.note(Verdict::Unknown);
    }
}

/// Whether it is certain that a creation has left no record of its own.
fn created_nothing(outcome: &Result<Committed, StorageError>) -> bool {
    match outcome {
        Ok(Committed::Applied { .. }) => false,
        Ok(Committed::Conflict(_) | Committed::Gone | Committed::Exists) => true,
        Err(error) => matches!(
            error.kind(),
            StorageErrorKind::Rejected
                | StorageErrorKind::TooLarge { .. }
                | StorageErrorKind::Denied
                | StorageErrorKind::Full
                | StorageErrorKind::ReadOnly
        ),
    }
}

fn creation_refused() -> StorageError {
    let message = "a removal of the session that had the same name is still to come; set it again \
                   when that has been carried out";
    StorageError::new(StorageErrorKind::Pending, Operation::Commit, message)
}

fn journal_full() -> StorageError {
    let message = "the removal could not be carried out, and too many are pending already";
    StorageError::new(StorageErrorKind::Unavailable, Operation::Destroy, message)
}
