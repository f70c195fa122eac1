//! [`Slots`]: all connections of a pool, and what opening one of them takes.
//!
//! The pool owns it. Tasks in the background refer to it weakly, so that the pool's drop closes the
//! connections and ends the tasks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cloakroom::Operation;

use super::connector::{Connector, OpenError};
use super::opening::{Opening, Waiting};
use super::renewal::Renewal;
use super::slot::{Live, Slot};
use crate::server_clock::ServerClock;

/// Up to so many commands in flight the first connections carry all of them: what is sent together
/// shares system calls. Above it the next connection joins.
const PACK: usize = 128;

/// Whether a server that takes no writes at present (a failover, `CLIENT PAUSE`) holds the operation
/// up, and with it whatever follows on the same connection.
fn is_write(operation: Operation) -> bool {
    matches!(operation, Operation::Commit | Operation::Touch | Operation::Destroy)
}

pub(super) struct Slots {
    pub(super) connector: Arc<Connector>,
    pub(super) clock: ServerClock,
    /// How long a connection that is asked for a sign of life may take.
    pub(super) proof_limit: Duration,
    slots: Box<[Arc<Slot>]>,
    opened: AtomicU64,
    renewal: Renewal,
}

impl Slots {
    pub(super) fn new(connector: Connector, size: usize, proof_limit: Duration) -> Self {
        Self {
            connector: Arc::new(connector),
            clock: ServerClock::new(),
            proof_limit,
            slots: (0..size).map(|_| Arc::default()).collect(),
            opened: AtomicU64::new(0),
            renewal: Renewal::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn get(&self, at: usize) -> Option<&Arc<Slot>> {
        self.slots.get(at)
    }

    pub(super) fn renewal(&self) -> &Renewal {
        &self.renewal
    }

    /// The first connection with room, else the least busy one, else one under suspicion, else one
    /// to be opened. Reads look from the front and writes from the back.
    pub(super) fn pick(&self, operation: Operation) -> &Arc<Slot> {
        let last = self.slots.len() - 1;
        let place = |at: usize| if is_write(operation) { last - at } else { at };
        let all = || (0..=last).map(|at| &self.slots[place(at)]);
        let trusted = || all().filter(|slot| slot.is_trusted());
        let live = || all().filter(|slot| slot.is_live());
        trusted()
            .find(|slot| slot.in_flight() < PACK)
            .or_else(|| trusted().min_by_key(|slot| slot.in_flight()))
            .or_else(|| live().min_by_key(|slot| slot.in_flight()))
            .unwrap_or(&self.slots[place(0)])
    }

    /// A slot's connection, which is opened where there is none.
    pub(super) async fn connection(self: &Arc<Self>, slot: &Arc<Slot>) -> Result<Live, OpenError> {
        if let Some(live) = slot.live() {
            return Ok(live);
        }
        match self.opening(slot).outcome().await {
            // It was under way on a runtime that has ended. This one still runs.
            Err(OpenError::Lost) => self.opening(slot).outcome().await?,
            outcome => outcome?,
        }
        slot.live().ok_or(OpenError::Lost)
    }

    /// Begins to open a slot's connection, unless somebody else has.
    pub(super) fn opening(self: &Arc<Self>, slot: &Arc<Slot>) -> Waiting {
        slot.opening(|| {
            let (connector, slots) = (self.connector.clone(), Arc::downgrade(self));
            let slot = Arc::downgrade(slot);
            Opening::start(async move {
                let opened = connector.open().await?;
                if let (Some(slots), Some(slot)) = (slots.upgrade(), slot.upgrade()) {
                    slots.clock.set(opened.now);
                    // From 1: no connection has the number 0.
                    let number = slots.opened.fetch_add(1, Ordering::Relaxed) + 1;
                    slot.install(Live { connection: opened.connection, number });
                }
                Ok(())
            })
        })
    }
}
