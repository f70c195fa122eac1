//! What happens to connections when another server takes the place of the one that they lead to.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::node::Node;
use super::slot::Live;
use crate::server_info::ServerInfo;

/// For how long a server that was left is known. An address may stand for several servers at once;
/// then a new connection leads to one that was left, and nothing is closed for that.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);

/// Tells the run of one server from that of another one, and from its own before a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run(Option<u64>);

impl Run {
    pub(super) fn of(info: Option<&ServerInfo>) -> Self {
        let told = info.map(|info| &info.run_id).filter(|id| !id.is_empty());
        Self(told.map(|id| {
            let mut hasher = DefaultHasher::new();
            id.hash(&mut hasher);
            hasher.finish()
        }))
    }

    /// Whether both are known, and differ.
    fn is_another_than(self, other: Self) -> bool {
        self.0.zip(other.0).is_some_and(|(one, other)| one != other)
    }
}

/// Which servers a node has left, and who follows it.
#[derive(Default)]
pub(super) struct Succession {
    durable: OnceLock<Weak<Node>>,
    left: Mutex<Vec<(Run, Instant)>>,
}

impl Succession {
    /// The connections to the same address that wait for replicas.
    pub(super) fn lead(&self, durable: &Arc<Node>) {
        let _ = self.durable.set(Arc::downgrade(durable));
    }

    fn leave(&self, run: Run) {
        self.left().push((run, Instant::now()));
    }

    fn has_left(&self, run: Run) -> bool {
        let mut left = self.left();
        left.retain(|(_, at)| at.elapsed() < REMEMBERED);
        left.iter().any(|(other, _)| *other == run)
    }

    fn left(&self) -> MutexGuard<'_, Vec<(Run, Instant)>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    /// Closes the connections to a server that is not the primary any more. What is under way on
    /// them fails at once and is repeated at the new primary: should the old one have been frozen, it
    /// would still carry it out, and what it answers counts for nothing.
    pub(super) fn leave_all_but(&self, address: &str) {
        for slot in self.slots() {
            if let Some(live) = slot.live().filter(|live| live.connection.address() != address) {
                self.lose(slot, live.number, "another server has become the primary");
                live.connection.end();
                slot.wake();
            }
        }
    }

    /// The same where both have one address: a name or a proxy leads elsewhere since. The server that
    /// was there before may still answer, so nothing breaks, and only the newest connection shows it.
    pub(super) fn leave_predecessors(&self) {
        let newest = self.slots().iter().filter(|slot| slot.is_trusted());
        let newest = newest.filter_map(|slot| slot.live()).max_by_key(|live| live.number);
        let Some(Live { number, run, .. }) = newest else { return };
        if self.succession.has_left(run) {
            return;
        }
        self.leave_others_than(run, |live| live.number < number);
        // The connections for those who wait for replicas see none but themselves.
        if let Some(durable) = self.succession.durable.get().and_then(Weak::upgrade) {
            durable.leave_others_than(run, |_| true);
        }
    }

    fn leave_others_than(&self, run: Run, is_meant: impl Fn(&Live) -> bool) {
        for slot in self.slots() {
            let other = slot.live().filter(|live| live.run.is_another_than(run) && is_meant(live));
            if let Some(live) = other {
                self.succession.leave(live.run);
                self.lose(slot, live.number, "another server has taken its address");
                live.connection.end();
                slot.wake();
            }
        }
    }
}
