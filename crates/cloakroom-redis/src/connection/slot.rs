//! [`Slot`]: the place of one connection in the pool.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

use redis::aio::MultiplexedConnection;

/// One connection, or none while it is being replaced.
#[derive(Default)]
pub(super) struct Slot {
    live: RwLock<Option<Live>>,
    in_flight: AtomicUsize,
    /// Held by whoever opens the connection, so that it is opened once.
    pub(super) opening: tokio::sync::Mutex<()>,
}

/// A connection with a number that no other one of this slot has had.
#[derive(Clone)]
pub(super) struct Live {
    pub(super) connection: MultiplexedConnection,
    number: u64,
}

/// Counts one command for as long as it is under way.
pub(super) struct InFlight<'a>(&'a AtomicUsize);

impl Slot {
    pub(super) fn live(&self) -> Option<Live> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn is_live(&self) -> bool {
        self.live.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn begin(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(&self.in_flight)
    }

    /// Puts a new connection in.
    pub(super) fn install(&self, live: Live) {
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Some(live);
    }

    /// Takes a broken connection out, unless it has been replaced already.
    pub(super) fn retire(&self, broken: &Live) {
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        if live.as_ref().is_some_and(|live| live.number == broken.number) {
            *live = None;
        }
    }
}

impl Live {
    pub(super) fn new(connection: MultiplexedConnection, number: u64) -> Self {
        Self { connection, number }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
