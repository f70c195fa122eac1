//! [`Rules`]: the faults that go by commands. A rule is asked when a command comes to the proxy, in
//! the order in which rules were made; the first that strikes has it. Once a rule is cleared it
//! touches nothing any more, not even replies that it has already chosen.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::watch;

use super::on::{On, Strikes, Times};
use super::scope::End;

/// What a rule does to a command or its reply.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// The command does not reach the server; this is answered.
    Refuse(Bytes),
    CutRequest {
        after: usize,
        end: End,
    },
    /// It and what follows wait before the server until the rule ends.
    HoldRequest,
    /// Something happens to the reply.
    Reply(ReplyFault),
}

#[derive(Clone, Debug)]
pub(super) enum ReplyFault {
    Replace(Bytes),
    Drop,
    Duplicate,
    SwapWithNext,
    Hold,
    Cut { after: usize, end: End },
    PushBefore(Bytes),
}

/// What a rule and the replies that it has chosen share.
#[derive(Debug)]
pub(super) struct Tally {
    cleared: watch::Sender<bool>,
    struck: watch::Sender<u64>,
}

impl Tally {
    pub(super) fn is_cleared(&self) -> bool {
        *self.cleared.borrow()
    }

    pub(super) async fn until_cleared(&self) {
        // The sender is `self`, so the wait cannot be cut short.
        let _ = self.cleared.subscribe().wait_for(|cleared| *cleared).await;
    }

    fn clear(&self) {
        self.cleared.send_replace(true);
    }

    pub(super) fn count(&self) {
        self.struck.send_modify(|struck| *struck += 1);
    }

    pub(super) fn struck(&self) -> u64 {
        *self.struck.borrow()
    }

    pub(super) async fn reached(&self, times: u64) {
        let _ = self.struck.subscribe().wait_for(|struck| *struck >= times).await;
    }
}

/// The connections that a rule is for, settled when it was made.
#[derive(Clone, Debug)]
pub(super) enum Connections {
    All,
    These(BTreeSet<u64>),
    /// Those with a greater number.
    After(u64),
}

#[derive(Debug)]
struct Rule {
    on: On,
    connections: Connections,
    strikes: Strikes,
    fault: Fault,
    tally: Arc<Tally>,
}

#[derive(Debug, Default)]
pub(super) struct Rules {
    rules: Mutex<Vec<Rule>>,
    /// Most connections never meet a rule and need no lock to know it.
    any: AtomicBool,
}

impl Rules {
    pub(super) fn add(
        &self,
        on: On,
        connections: Connections,
        fault: Fault,
        times: Times,
    ) -> Arc<Tally> {
        let (cleared, struck) = (watch::Sender::new(false), watch::Sender::new(0));
        let tally = Arc::new(Tally { cleared, struck });
        let strikes = Strikes::new(times);
        let mut rules = self.rules();
        rules.push(Rule { on, connections, strikes, fault, tally: tally.clone() });
        self.any.store(true, Ordering::SeqCst);
        tally
    }

    pub(super) fn remove(&self, tally: &Arc<Tally>) {
        tally.clear();
        let mut rules = self.rules();
        rules.retain(|rule| !Arc::ptr_eq(&rule.tally, tally));
        self.any.store(!rules.is_empty(), Ordering::SeqCst);
    }

    pub(super) fn clear(&self) {
        let mut rules = self.rules();
        for rule in rules.drain(..) {
            rule.tally.clear();
        }
        self.any.store(false, Ordering::SeqCst);
    }

    /// The fault that strikes a command on a connection.
    pub(super) fn fault(
        &self,
        connection: u64,
        name: &str,
        words: &[&[u8]],
    ) -> Option<(Fault, Arc<Tally>)> {
        if !self.any.load(Ordering::SeqCst) {
            return None;
        }
        let mut rules = self.rules();
        rules.iter_mut().find_map(|rule| {
            let meant = match &rule.connections {
                Connections::All => true,
                Connections::These(these) => these.contains(&connection),
                Connections::After(last) => connection > *last,
            };
            let strikes = meant && rule.on.matches(name, words) && rule.strikes.strike();
            strikes.then(|| (rule.fault.clone(), rule.tally.clone()))
        })
    }

    fn rules(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
