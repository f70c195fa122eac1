//! [`EventLog`]: what a storage told its observer, and when. With `FIGURES_EVENTS=1` in the
//! environment it is printed as it happens.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cloakroom::{BreakerState, Event, Side};

/// What happened, without the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// A breaker is in another state.
    Breaker(Side, BreakerState),
    /// A connection was lost.
    Lost,
    /// A connection was replaced, and for how long there was none that answered.
    Restored(Duration),
    /// The primary, or its history, is another one.
    Primary,
    /// A pending sign-out was carried out, or one was repeated.
    Applied(Duration),
}

/// Collects events; clones are the same log.
#[derive(Clone)]
pub struct EventLog {
    begin: Instant,
    events: Arc<Mutex<Vec<(Instant, Happened)>>>,
}

impl EventLog {
    /// An empty log.
    pub fn start() -> Self {
        Self { begin: Instant::now(), events: Arc::default() }
    }

    /// What a storage or an engine tells its events to.
    pub fn observer(&self) -> impl Fn(&Event<'_>) + Send + Sync + 'static {
        let (log, shown) = (self.clone(), std::env::var_os("FIGURES_EVENTS").is_some());
        move |event| {
            let happened = match event {
                Event::BreakerChanged { side, state, .. } => Happened::Breaker(*side, *state),
                Event::ConnectionLost { .. } => Happened::Lost,
                Event::ConnectionRestored { outage, .. } => Happened::Restored(*outage),
                Event::PrimaryChanged { .. } => Happened::Primary,
                Event::DestroyApplied { pending, .. } => Happened::Applied(*pending),
                _ => return,
            };
            if shown {
                eprintln!("{:>8.3} s {event:?}", log.begin.elapsed().as_secs_f64());
            }
            let mut events = log.events.lock().unwrap_or_else(PoisonError::into_inner);
            events.push((Instant::now(), happened));
        }
    }

    /// Everything since a moment.
    pub fn since(&self, moment: Instant) -> Vec<(Instant, Happened)> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.iter().filter(|(at, _)| *at >= moment).copied().collect()
    }

    /// From when to when a breaker was open; the last time may not have ended.
    pub fn open(&self, side: Side) -> Vec<(Instant, Option<Instant>)> {
        let mut periods: Vec<(Instant, Option<Instant>)> = Vec::new();
        for (at, happened) in self.since(self.begin) {
            match happened {
                Happened::Breaker(of, BreakerState::Open) if of == side => periods.push((at, None)),
                Happened::Breaker(of, _) if of == side => {
                    periods.last_mut().into_iter().for_each(|last| _ = last.1.get_or_insert(at));
                }
                _ => {}
            }
        }
        periods
    }

    /// Whether a breaker was open all the time between two moments.
    pub fn was_open(&self, side: Side, from: Instant, to: Instant) -> bool {
        let covers = |(begin, end): &(Instant, Option<Instant>)| {
            *begin <= from && end.is_none_or(|end| to <= end)
        };
        self.open(side).iter().any(covers)
    }
}
