//! [`Slot`]: the place of one connection in the pool.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use redis::aio::MultiplexedConnection;

use super::opening::{Opening, Waiting};

/// No connection has this number.
const NOBODY: u64 = 0;

/// One connection, or none while it is being replaced.
#[derive(Default)]
pub(super) struct Slot {
    live: RwLock<Option<Live>>,
    /// The number of the connection that let somebody wait for too long and has not answered since.
    suspect: AtomicU64,
    in_flight: AtomicUsize,
    opening: Mutex<Option<Opening>>,
}

/// A connection with a number that no other one of the pool has had.
#[derive(Clone)]
pub(super) struct Live {
    pub(super) connection: MultiplexedConnection,
    pub(super) number: u64,
}

/// Counts one command for as long as it is under way.
pub(super) struct InFlight<'a>(&'a AtomicUsize);

impl Slot {
    pub(super) fn live(&self) -> Option<Live> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn is_live(&self) -> bool {
        self.number() != NOBODY
    }

    /// Whether there is a connection that nobody suspects.
    pub(super) fn is_trusted(&self) -> bool {
        let number = self.number();
        number != NOBODY && number != self.suspect.load(Ordering::Relaxed)
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn begin(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(&self.in_flight)
    }

    /// The connection has let somebody wait for too long. Answers whether it is still in use.
    pub(super) fn suspect(&self, number: u64) -> bool {
        // Under the lock, so that nobody's late complaint about the last connection hits this one.
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        let in_use = live.as_ref().is_some_and(|live| live.number == number);
        if in_use {
            self.suspect.store(number, Ordering::Relaxed);
        }
        in_use
    }

    /// The connection has answered.
    pub(super) fn trust(&self, number: u64) {
        // Mostly nobody is suspected, and a load is cheaper than an exchange.
        if self.suspect.load(Ordering::Relaxed) == number {
            let (order, failed) = (Ordering::Relaxed, Ordering::Relaxed);
            let _ = self.suspect.compare_exchange(number, NOBODY, order, failed);
        }
    }

    /// Puts a new connection in, unless there is one that works: a suspect may have answered while
    /// the new one was opened.
    pub(super) fn install(&self, new: Live) {
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        let suspect = self.suspect.load(Ordering::Relaxed);
        if live.as_ref().is_none_or(|live| live.number == suspect) {
            *live = Some(new);
        }
    }

    /// Takes a broken connection out, unless it has been replaced already.
    pub(super) fn retire(&self, broken: &Live) {
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        if live.as_ref().is_some_and(|live| live.number == broken.number) {
            *live = None;
        }
    }

    /// The opening that is under way, else the one that `start` begins.
    pub(super) fn opening(&self, start: impl FnOnce() -> Opening) -> Waiting {
        let mut opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        match opening.as_ref().filter(|opening| !opening.is_over()) {
            Some(opening) => opening.waiting(),
            None => opening.insert(start()).waiting(),
        }
    }

    fn number(&self) -> u64 {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.as_ref().map_or(NOBODY, |live| live.number)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
