//! [`Walk`]: over all sessions in steps of about a thousand, for whoever looks at each of them.
//!
//! Each step ends in the storage's own time. One that fails for the moment is repeated for some
//! seconds, so that a short outage is survived, and then the walk ends with its position. Ctrl-C and
//! SIGTERM end it at once.
//!
//! A walk that reads remembers which sessions it has met, 16 bytes for each and about as much again for
//! the table that they stand in.

use std::collections::HashSet;
use std::time::Duration;

use cloakroom::{
    Engine, Found, Position, RevokedPage, SessionFacts, SessionKey, SessionStorage, StorageError,
    Timestamp,
};
use tokio::time::{Instant, sleep};

use crate::failure::Failure;
use crate::progress::Progress;
use crate::signals::Signals;

/// How long a step is tried again.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it is waited before a step is tried again.
const PAUSE: Duration = Duration::from_millis(250);

/// A walk that is under way.
pub(crate) struct Walk {
    engine: Engine,
    /// Where the next step begins; `None` at the end.
    position: Option<Position>,
    signals: Signals,
    progress: Progress,
    what: &'static str,
    /// A walk may meet a session twice.
    met: HashSet<SessionKey>,
    unreadable: u64,
    repeated: bool,
}

/// Why a walk has not come to its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Somebody has ended it.
    Interrupted,
    /// The storage could not say, again and again.
    Failed(StorageError),
}

impl Walk {
    pub(crate) fn begin(
        engine: &Engine,
        position: Position,
        what: &'static str,
    ) -> Result<Self, Failure> {
        Ok(Self {
            engine: engine.clone(),
            position: Some(position),
            signals: Signals::listen().map_err(Failure::new)?,
            progress: Progress::share(what),
            what,
            met: HashSet::new(),
            unreadable: 0,
            repeated: false,
        })
    }

    /// The sessions of the next step that were not met before; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<SessionFacts>>, Stop> {
        let Some(position) = self.position.clone() else { return Ok(None) };
        let engine = self.engine.clone();
        let (page, found) = self
            .try_step(async || {
                let page = engine.storage().walk(&position).await?;
                let found = engine.storage().facts(&page.sessions).await?;
                Ok((page, found))
            })
            .await?;
        let mut sessions = Vec::with_capacity(found.len());
        for (key, found) in page.sessions.iter().zip(found) {
            if !self.met.insert(*key) {
                continue;
            }
            match found {
                Found::Session(facts) => sessions.push(facts),
                Found::Unreadable => self.unreadable += 1,
                Found::Nothing | Found::Over(_) | Found::Ending => {}
            }
        }
        self.advance(page.next, page.done);
        Ok(Some(sessions))
    }

    /// Ends those of the next step that were created before a moment; `None` at the end.
    pub(crate) async fn revoke_next(
        &mut self,
        before: Timestamp,
    ) -> Result<Option<RevokedPage>, Stop> {
        let Some(position) = self.position.clone() else { return Ok(None) };
        let engine = self.engine.clone();
        let step = async || engine.revoke_created_before(before, &position).await;
        let page = self.try_step(step).await?;
        self.advance(page.next.clone(), page.done);
        Ok(Some(page))
    }

    /// Where the walk stands; `None` at the end.
    pub(crate) fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    /// How many keys of the storage hold something else than a session.
    pub(crate) fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// Whether a step was tried again, so that nobody knows what its first try has done.
    pub(crate) fn has_repeated(&self) -> bool {
        self.repeated
    }

    /// Where what goes on is shown.
    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    async fn try_step<T>(
        &mut self,
        step: impl AsyncFn() -> Result<T, StorageError>,
    ) -> Result<T, Stop> {
        let begin = Instant::now();
        loop {
            let tried = tokio::select! {
                tried = step() => tried,
                () = self.signals.next() => return Err(Stop::Interrupted),
            };
            match tried {
                Ok(done) => return Ok(done),
                Err(error) if error.is_transient() && begin.elapsed() < PATIENCE => {
                    self.repeated = true;
                    self.progress.now("the storage does not answer, trying again");
                }
                Err(error) => return Err(Stop::Failed(error)),
            }
            tokio::select! {
                () = sleep(PAUSE) => {}
                () = self.signals.next() => return Err(Stop::Interrupted),
            }
        }
    }

    fn advance(&mut self, next: Option<Position>, done: f64) {
        self.position = next;
        self.progress.now(self.what);
        self.progress.at(done);
    }
}
