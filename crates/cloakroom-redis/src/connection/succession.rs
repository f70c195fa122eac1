//! What happens to connections when another server takes the place of the one that they lead to.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::node::Node;
use crate::server_info::ServerInfo;

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
        let lives = || self.slots().iter().filter_map(|slot| Some((slot, slot.live()?)));
        let Some((_, newest)) = lives().max_by_key(|(_, live)| live.number) else { return };
        for (slot, live) in lives().filter(|(_, live)| live.run.is_another_than(newest.run)) {
            self.lose(slot, live.number, "another server has taken its address");
            live.connection.end();
            slot.wake();
        }
    }
}
