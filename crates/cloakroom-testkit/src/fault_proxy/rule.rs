//! [`FaultRule`]: the handle of a rule that goes by commands; its drop clears the rule.

use std::sync::Arc;

use super::inside::Inside;
use super::rules::Tally;

/// A rule in force. It ends with this value, with [`clear`](Self::clear), or with
/// [`FaultProxy::clear`](super::FaultProxy::clear); replies that it has chosen and not yet changed
/// are spared then, and what it holds is let go.
#[derive(Debug)]
#[must_use = "the rule ends with this value; `keep` leaves it in force"]
pub struct FaultRule {
    inside: Arc<Inside>,
    tally: Arc<Tally>,
    kept: Kept,
}

#[derive(Debug, PartialEq, Eq)]
enum Kept {
    No,
    Yes,
}

impl FaultRule {
    pub(super) fn new(inside: Arc<Inside>, tally: Arc<Tally>) -> Self {
        Self { inside, tally, kept: Kept::No }
    }

    /// How many replies (or requests, where the rule is for those) it has changed so far.
    pub fn struck(&self) -> u64 {
        self.tally.struck()
    }

    /// Waits until it has changed so many.
    pub async fn until_struck(&self, times: u64) {
        self.tally.reached(times).await;
    }

    /// Ends the rule now.
    pub fn clear(self) {}

    /// Leaves the rule in force until the proxy is cleared or dropped.
    pub fn keep(mut self) {
        self.kept = Kept::Yes;
    }
}

impl Drop for FaultRule {
    fn drop(&mut self) {
        if self.kept == Kept::No {
            self.inside.rules.remove(&self.tally);
        }
    }
}
