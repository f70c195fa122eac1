//! What is tolerated, and why. Everything else is as documented, which is the default of [`Bounds`].

use std::time::Duration;

use cloakroom_testkit::history::Bounds;

use crate::nodes::{ABSOLUTE_TIMEOUT, IDLE_TIMEOUT, NODES, POOL_SIZE};
use crate::topology::Topology;

/// What each connection takes: a task that reads from it, and one that watches it.
const TASKS_PER_CONNECTION: u64 = 2;

/// The bounds of a topology.
pub(crate) fn bounds<T: Topology>() -> Bounds {
    let remembered = T::REMEMBERED * (NODES * POOL_SIZE) as u64;
    Bounds::default()
        .idle_timeout(IDLE_TIMEOUT)
        .absolute_timeout(ABSOLUTE_TIMEOUT)
        // The first try of a sign-out whose client has left may take the destroy timeout of 1 s, and
        // is then pending.
        .abandoned_applied_within(Duration::from_secs(2))
        // The allocator keeps what the history of a round and its check have used.
        .spare_memory(64 << 20)
        // A command that this program sends the servers at that moment.
        .spare_files(4 + remembered)
        .spare_tasks(8 + TASKS_PER_CONNECTION * remembered)
}
