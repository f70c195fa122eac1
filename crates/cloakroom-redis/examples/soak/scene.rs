//! [`Scene`]: what a fault has at hand: the history for its marks, the dice, and the time.

use std::io;
use std::time::Duration;

use cloakroom::{Clock, SystemClock, Timestamp};
use cloakroom_testkit::history::{History, Mark, Moment};
use cloakroom_testkit::{RedisServer, Reply, Snapshot};

use crate::dice::Dice;

/// When a fault began and ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    pub(crate) from: Moment,
    pub(crate) to: Moment,
}

pub(crate) struct Scene<'a> {
    history: &'a History,
    pub(crate) dice: Dice,
    /// The data of an earlier moment of this history.
    pub(crate) backup: Option<(Moment, Snapshot)>,
    began: Moment,
    /// Whether a failover may have lost entries of indexes since the last calm.
    failed_over: bool,
    /// Whoever has signed in since is in an index.
    pub(crate) listed_since: Timestamp,
    past: Vec<Stretch>,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(history: &'a History, dice: Dice) -> Self {
        let (failed_over, listed_since) = (false, Timestamp::from_millis(0));
        let (began, past) = (Moment::START, Vec::new());
        Self { history, dice, backup: None, began, failed_over, listed_since, past }
    }

    pub(crate) fn begins(&mut self) {
        self.began = self.history.mark(Mark::FaultBegan);
    }

    pub(crate) fn ends(&mut self) {
        let to = self.history.mark(Mark::FaultEnded);
        self.past.push(Stretch { from: self.began, to });
    }

    pub(crate) fn failed_over(&mut self) {
        self.failed_over = true;
        self.history.mark(Mark::FailedOver);
    }

    pub(crate) fn restored_from(&self, moment: Moment) {
        self.history.mark(Mark::RestoredFrom(moment));
    }

    /// The present fault hands answers to the wrong questions.
    pub(crate) fn confuses(&self) {
        self.history.mark(Mark::Confused);
    }

    pub(crate) fn now(&self) -> Moment {
        self.history.now()
    }

    /// The faults since the last call.
    pub(crate) fn take_past(&mut self) -> Vec<Stretch> {
        std::mem::take(&mut self.past)
    }

    /// Lets a fault last for a random time of so many milliseconds.
    pub(crate) async fn lasts(&mut self, range: std::ops::Range<u64>) {
        tokio::time::sleep(self.dice.millis(range)).await;
    }

    /// Gives the applications the time that they are allowed to recover, before the next fault.
    pub(crate) async fn calm(&mut self) {
        // Longer than any bound that counts from the end of a fault.
        tokio::time::sleep(Duration::from_millis(2_500) + self.dice.millis(0..1_000)).await;
        if std::mem::take(&mut self.failed_over) {
            // The servers of this machine have its clock.
            self.listed_since = SystemClock.now();
        }
    }
}

/// Sends a command that has to be carried out.
pub(crate) async fn order(server: &RedisServer, words: &[&str]) -> io::Result<()> {
    match server.ask(words).await? {
        Reply::Error(error) => Err(io::Error::other(error)),
        _ => Ok(()),
    }
}
