//! Which breaker lets a question through, and what both of them learn from its answer.

use cloakroom::{BreakerState, Operation, Side};
use tokio::time::Instant;

use super::Pool;
use crate::breaker::{Outcome, Pass};
use crate::connection::failure::Failure;
use crate::connection::node::is_write;

/// Which breaker decides about an operation; none about what operators ask for.
///
/// A removal goes by the one for reads: a server that is full takes removals, and whether one that
/// is read-only has recovered is worth a try for whoever signs out. So does an owner's index, by which
/// sessions are found that are to be removed.
pub(super) fn gate(operation: Operation) -> Option<Side> {
    match operation {
        Operation::Load | Operation::Destroy | Operation::Index => Some(Side::Reads),
        operation if is_write(operation) => Some(Side::Writes),
        _ => None,
    }
}

impl Pool {
    #[cold]
    pub(super) fn count(
        &self,
        pass: Pass<'_>,
        gate: Side,
        failure: &Failure,
        operation: Operation,
    ) -> Option<BreakerState> {
        let now = Instant::now();
        let outcome = if failure.counts_against(gate, operation) {
            Outcome::Failure
        } else if failure.is_an_answer() {
            Outcome::Success
        } else {
            Outcome::Neutral
        };
        self.tell_the_other_side(gate, failure, operation, now);
        pass.finish(outcome, now)
    }

    /// Trouble with the connection is trouble for reads and writes.
    fn tell_the_other_side(
        &self,
        gate: Side,
        failure: &Failure,
        operation: Operation,
        now: Instant,
    ) {
        let other = if gate == Side::Reads { Side::Writes } else { Side::Reads };
        if failure.counts_against(other, operation)
            && let Ok(pass) = self.node.breaker(other).admit(now)
        {
            self.node.breaker_changed(other, pass.finish(Outcome::Failure, now));
        }
    }
}
