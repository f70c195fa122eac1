//! [`Links`]: the open connections, each with its conditions, and the conditions of those to come.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::conditions::Conditions;
use super::outbox::{Outbox, Parcels};
use super::pairing::Pairing;
use super::rules::Connections;
use super::scope::Scope;

/// What the proxy can reach of one open connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) number: u64,
    pub(super) conditions: watch::Sender<Conditions>,
    pub(super) client: Outbox,
    pairing: Mutex<Pairing>,
}

impl Link {
    pub(super) fn pairing(&self) -> MutexGuard<'_, Pairing> {
        self.pairing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
pub(super) struct Links {
    links: Mutex<Open>,
    last_used: AtomicU64,
}

#[derive(Debug, Default)]
struct Open {
    /// Of connections to come.
    conditions: Conditions,
    open: BTreeMap<u64, Arc<Link>>,
    /// The greatest number so far.
    last: u64,
}

impl Links {
    /// A new connection, under the conditions that hold for new ones.
    pub(super) fn open(&self) -> (Arc<Link>, Parcels) {
        let (client, parcels) = Outbox::new();
        let mut links = self.links();
        links.last += 1;
        let number = links.last;
        let conditions = watch::Sender::new(links.conditions);
        let link = Arc::new(Link { number, conditions, client, pairing: Mutex::default() });
        links.open.insert(number, link.clone());
        (link, parcels)
    }

    pub(super) fn close(&self, number: u64) {
        self.links().open.remove(&number);
    }

    pub(super) fn used(&self, number: u64) {
        self.last_used.store(number, Ordering::SeqCst);
    }

    pub(super) fn change(&self, scope: Scope, change: impl Fn(&mut Conditions)) {
        let mut links = self.links();
        if matches!(scope, Scope::All | Scope::New) {
            change(&mut links.conditions);
        }
        for link in self.among(&links, scope) {
            link.conditions.send_modify(&change);
        }
    }

    /// Ends all faults, except that nothing closed can be opened again.
    pub(super) fn heal(&self, scope: Scope) {
        let mut links = self.links();
        if matches!(scope, Scope::All | Scope::New) {
            links.conditions = Conditions::default();
        }
        for link in self.among(&links, scope) {
            link.conditions.send_modify(Conditions::heal);
        }
    }

    pub(super) fn open_in(&self, scope: Scope) -> Vec<Arc<Link>> {
        self.among(&self.links(), scope)
    }

    /// The connections of a scope, for a rule that will meet them later.
    pub(super) fn connections(&self, scope: Scope) -> Connections {
        let links = self.links();
        match scope {
            Scope::All => Connections::All,
            Scope::New => Connections::After(links.last),
            _ => Connections::These(
                self.among(&links, scope).iter().map(|link| link.number).collect(),
            ),
        }
    }

    fn among(&self, links: &Open, scope: Scope) -> Vec<Arc<Link>> {
        match scope {
            Scope::All | Scope::OpenNow => links.open.values().cloned().collect(),
            Scope::New => Vec::new(),
            Scope::LastUsed => {
                let last = self.last_used.load(Ordering::SeqCst);
                links.open.get(&last).cloned().into_iter().collect()
            }
        }
    }

    fn links(&self) -> MutexGuard<'_, Open> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
