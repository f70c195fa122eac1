//! What is tolerated, and why. Everything else is as documented, which is the default of [`Bounds`].

use std::time::Duration;

use cloakroom_testkit::history::Bounds;

use crate::nodes::{ABSOLUTE_TIMEOUT, IDLE_TIMEOUT};

/// The bounds of every topology.
pub(crate) fn bounds() -> Bounds {
    Bounds::default()
        .idle_timeout(IDLE_TIMEOUT)
        .absolute_timeout(ABSOLUTE_TIMEOUT)
        // The first try of a sign-out whose client has left may take the destroy timeout of 1 s, and
        // is then pending.
        .abandoned_applied_within(Duration::from_secs(2))
        // The allocator keeps what the history of a round and its check have used.
        .spare_memory(64 << 20)
        // A command that this program sends the servers at that moment.
        .spare_files(4)
        .spare_tasks(8)
}
