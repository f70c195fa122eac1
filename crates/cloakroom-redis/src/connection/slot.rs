//! [`Slot`]: the place of one connection in the pool.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use cloakroom::{ConnectionHealth, ConnectionState};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::confirmation::Confirmations;
use super::home::{Home, HomeCell};
use super::opening::{Opening, Waiting};
use super::succession::Run;
use crate::address::Link;
use crate::near_cache::Coverage;

/// No connection has this number.
const NOBODY: u64 = 0;

/// One connection, or none while it is being replaced.
#[derive(Default)]
pub(super) struct Slot {
    live: RwLock<Option<Live>>,
    /// Where the last connection is at home.
    home: HomeCell,
    /// The number of the connection that let somebody wait for too long and has not answered since.
    suspect: AtomicU64,
    in_flight: AtomicUsize,
    opening: Mutex<Option<Opening>>,
    /// Calls the slot's supervisor before its time.
    wake: Notify,
    past: Mutex<Past>,
}

/// A connection with a number that no other one of the pool has had.
#[derive(Clone)]
pub(super) struct Live {
    pub(super) connection: Link,
    pub(super) number: u64,
    /// Which server it leads to.
    pub(super) run: Run,
    /// The runtime whose task reads and writes its bytes.
    pub(super) home: Home,
    pub(super) confirmations: Arc<Confirmations>,
    /// Where changes are heard of over it.
    pub(super) coverage: Option<Arc<Coverage>>,
}

impl Live {
    /// Nobody relies on hearing of changes over it from now on.
    pub(super) fn hears_no_more(&self) {
        if let Some(coverage) = &self.coverage {
            coverage.end();
        }
    }
}

/// What happened here, for whoever looks at the pool's health.
#[derive(Default)]
struct Past {
    heard: Option<Instant>,
    lost: Option<Instant>,
    last_error: Option<String>,
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

    /// Whether both are at home on the same runtime.
    pub(super) fn is_housemate_of(&self, other: &Self) -> bool {
        self.home.is_like(&other.home)
    }

    /// Whether the connection that is here, or was here last, can be used here without waking another
    /// thread.
    pub(super) fn is_near(&self, here: Home) -> bool {
        self.home.is_near(here)
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn begin(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(&self.in_flight)
    }

    /// Has the supervisor look at the connection at once.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// The connection has let somebody wait for too long. Answers whether it is still in use.
    pub(super) fn suspect(&self, number: u64) -> bool {
        // Under the lock, so that nobody's late complaint about the last connection hits this one.
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        let in_use = live.as_ref().is_some_and(|live| live.number == number);
        if in_use {
            self.suspect.store(number, Ordering::Relaxed);
            if let Some(coverage) = live.as_ref().and_then(|live| live.coverage.as_ref()) {
                coverage.suspend();
            }
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

    /// Something has come from the server. Answers for how long there was silence, if it is over.
    pub(super) fn heard(&self) -> Option<Duration> {
        let mut past = self.past();
        past.heard = Some(Instant::now());
        past.lost.take().map(|lost| lost.elapsed())
    }

    /// Puts a new connection in, unless there is one that works at the same home: a suspect may have
    /// answered while the new one was opened. Answers for how long there was none.
    pub(super) fn install(&self, new: Live) -> Option<Duration> {
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        let suspect = self.suspect.load(Ordering::Relaxed);
        let is_better = |old: &Live| {
            old.number == suspect || old.connection.is_over() || !old.home.is(new.home)
        };
        if live.as_ref().is_none_or(is_better) {
            self.home.set(new.home);
            if let Some(old) = live.replace(new) {
                old.hears_no_more();
            }
        }
        drop(live);
        self.heard()
    }

    /// Takes a connection out and answers it, unless it has been replaced already.
    pub(super) fn retire(&self, number: u64, reason: &str) -> Option<Live> {
        let retired = {
            let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
            live.take_if(|live| live.number == number)
        };
        if retired.is_some() {
            self.note_loss(reason);
        }
        retired
    }

    /// Notes why there is no connection that answers. Answers whether that is news.
    pub(super) fn note_loss(&self, reason: &str) -> bool {
        let mut past = self.past();
        past.last_error = Some(reason.to_owned());
        let is_news = past.lost.is_none();
        past.lost.get_or_insert_with(Instant::now);
        is_news
    }

    /// The opening that is under way, else the one that `start` begins.
    pub(super) fn opening(&self, start: impl FnOnce() -> Opening) -> Waiting {
        let mut opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        match opening.as_ref().filter(|opening| !opening.is_over()) {
            Some(opening) => opening.waiting(),
            None => opening.insert(start()).waiting(),
        }
    }

    /// Ends an opening that has not come to its own end, as on a runtime that stands still.
    pub(super) fn give_up_opening(&self) {
        self.opening.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    pub(super) fn health(&self) -> ConnectionHealth {
        let state = if self.is_trusted() {
            ConnectionState::Live
        } else if self.is_live() {
            ConnectionState::Suspect
        } else {
            ConnectionState::Down
        };
        let past = self.past();
        let mut health = ConnectionHealth::new(state);
        health.in_flight = self.in_flight();
        if self.is_live() {
            health.heartbeat_age = past.heard.map(|heard| heard.elapsed());
        }
        health.last_error.clone_from(&past.last_error);
        health
    }

    /// The number of the connection, if there is one that somebody still reads and writes.
    fn number(&self) -> u64 {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        let driven = live.as_ref().filter(|live| !live.connection.is_over());
        driven.map_or(NOBODY, |live| live.number)
    }

    fn past(&self) -> std::sync::MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
