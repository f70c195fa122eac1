//! [`Bounds`]: the numbers behind the invariants.

use std::time::Duration;

/// What an acknowledgement of the storage promises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// One server has it. A failover may lose what was acknowledged shortly before.
    #[default]
    Local,
    /// So many replicas have confirmed every sign-out. A failover loses no sign-out; other changes
    /// are as with [`Durability::Local`].
    Replicas(u32),
}

/// How much of what is tolerated. The defaults are the documented promises.
///
/// ```
/// use std::time::Duration;
/// use cloakroom_testkit::history::{Bounds, Durability};
///
/// let bounds = Bounds::default()
///     .slack(Duration::from_millis(100))
///     .durability(Durability::Replicas(1));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Bounds {
    pub(super) slack: Duration,
    pub(super) failover_window: Duration,
    pub(super) journal_reach: Duration,
    pub(super) pending_applied_within: Duration,
    pub(super) abandoned_applied_within: Option<Duration>,
    pub(super) skew: Duration,
    pub(super) absolute_timeout: Option<Duration>,
    pub(super) idle_timeout: Duration,
    pub(super) durability: Durability,
    pub(super) settled_within: Duration,
    pub(super) growth: f64,
    pub(super) spare_memory: u64,
    pub(super) spare_files: u64,
    pub(super) spare_tasks: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            slack: Duration::from_millis(50),
            failover_window: Duration::from_secs(1),
            journal_reach: Duration::from_secs(60),
            pending_applied_within: Duration::from_secs(1),
            abandoned_applied_within: None,
            skew: Duration::from_secs(2),
            absolute_timeout: None,
            idle_timeout: Duration::from_secs(30 * 60),
            durability: Durability::Local,
            settled_within: Duration::from_secs(10),
            growth: 0.05,
            spare_memory: 0,
            spare_files: 0,
            spare_tasks: 0,
        }
    }
}

impl Bounds {
    /// How much longer than its deadline an operation may take, for the scheduler (default: 50 ms).
    pub fn slack(mut self, slack: Duration) -> Self {
        self.slack = slack;
        self
    }

    /// For how long after a failover or a restore an ended session may show itself again, and how
    /// long the clients may be ahead of the mark where no fault surrounds it (default: 1 second).
    pub fn failover_window(mut self, window: Duration) -> Self {
        self.failover_window = window;
        self
    }

    /// How long before a failover or a restore a sign-out may lie that is carried out again
    /// afterwards (default: 60 seconds). Older ones may come back for good where they were lost.
    pub fn journal_reach(mut self, reach: Duration) -> Self {
        self.journal_reach = reach;
        self
    }

    /// How long after the end of all faults a pending sign-out must be in force on every node
    /// (default: 1 second). On the node that accepted it, it is in force at once.
    pub fn pending_applied_within(mut self, limit: Duration) -> Self {
        self.pending_applied_within = limit;
        self
    }

    /// How long after its client has gone away, and after the end of all faults, a sign-out must be
    /// in force on every node (default: it need not be). Set it where a sign-out that was announced
    /// has certainly reached its node, as with a [`Workload`](crate::workload::Workload).
    pub fn abandoned_applied_within(mut self, limit: Duration) -> Self {
        self.abandoned_applied_within = Some(limit);
        self
    }

    /// How far the clocks of storage and clients may be apart (default: 2 seconds).
    pub fn skew(mut self, skew: Duration) -> Self {
        self.skew = skew;
        self
    }

    /// The sessions' absolute timeout (default: none, so INV-5 is not checked).
    pub fn absolute_timeout(mut self, timeout: Duration) -> Self {
        self.absolute_timeout = Some(timeout);
        self
    }

    /// The sessions' idle timeout (default: 30 minutes). A session that nobody used for half of it
    /// may be gone, because a session in use is renewed when half of it is left.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// What an acknowledgement promises (default: [`Durability::Local`]).
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How long after the last fault the process may take to let go of what it held (default: 10
    /// seconds).
    pub fn settled_within(mut self, limit: Duration) -> Self {
        self.settled_within = limit;
        self
    }

    /// By what share memory, files and tasks may have grown afterwards (default: 0.05).
    pub fn growth(mut self, share: f64) -> Self {
        self.growth = share;
        self
    }

    /// How many bytes of memory are tolerated on top (default: none). Allocators keep what was
    /// given back to them, so a short run needs some.
    pub fn spare_memory(mut self, bytes: u64) -> Self {
        self.spare_memory = bytes;
        self
    }

    /// How many open files are tolerated on top (default: none).
    pub fn spare_files(mut self, files: u64) -> Self {
        self.spare_files = files;
        self
    }

    /// How many live tasks are tolerated on top (default: none).
    pub fn spare_tasks(mut self, tasks: u64) -> Self {
        self.spare_tasks = tasks;
        self
    }
}
