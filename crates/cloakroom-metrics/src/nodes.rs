//! [`Nodes`]: the servers that labels tell apart. Servers come and go, in some places under a new
//! address each time, so there is a bound; what is beyond it is called `other`.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// How many servers are told apart.
const MAX_NODES: usize = 256;

/// What all others are called.
const OTHER: &str = "other";

/// The servers that were met so far.
#[derive(Default)]
pub(crate) struct Nodes {
    known: Mutex<BTreeSet<Arc<str>>>,
}

impl Nodes {
    /// The label of the server with this address.
    pub(crate) fn label(&self, address: &str) -> Arc<str> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(label) = known.get(address) {
            return label.clone();
        }
        let label: Arc<str> = if known.len() < MAX_NODES { address } else { OTHER }.into();
        known.insert(label.clone());
        label
    }

    /// All labels that were given, also of servers that are gone.
    pub(crate) fn labels(&self) -> BTreeSet<Arc<str>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_beyond_the_bound_share_a_label() {
        let nodes = Nodes::default();
        for number in 0..2 * MAX_NODES {
            nodes.label(&format!("10.0.0.{number}:6379"));
        }
        assert_eq!(&*nodes.label("10.0.0.7:6379"), "10.0.0.7:6379");
        assert_eq!(&*nodes.label("10.0.1.7:6379"), OTHER);
        assert_eq!(nodes.labels().len(), MAX_NODES + 1);
    }
}
