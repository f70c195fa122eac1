//! [`AdminObserver`]: counts an engine's events for the overview. The engine calls it on the path of
//! every request, so it only adds up; what it keeps is bounded.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloakroom::{Clock, Event, Observer, SystemClock, Timestamp};

use crate::latency::Latency;
use crate::ring::Ring;

/// How many seconds are kept one by one.
const SECONDS: usize = 120;

/// How many minutes are kept one by one.
const MINUTES: usize = 180;

/// How many incidents are kept.
const INCIDENTS: usize = 50;

/// Counts what an engine's requests do: give it to the engine's builder and to the
/// [`AdminPage`](crate::AdminPage). Clones count together. It takes about 150 KB, for ever.
///
/// ```
/// use cloakroom::{Engine, Event, MemorySessionStorage};
/// use cloakroom_admin::AdminObserver;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let counting = AdminObserver::new();
/// let logging = |event: &Event<'_>| println!("{event:?}");
/// let engine = Engine::builder(MemorySessionStorage::new())
///     .observer((counting.clone(), logging))
///     .build()?;
/// # let _ = engine;
/// # Ok::<(), cloakroom::ConfigError>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct AdminObserver {
    counts: Arc<Mutex<Counts>>,
    clock: Arc<dyn Clock>,
    seen: Seen,
}

/// Whose requests an observer hears of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Seen {
    /// The application's, in this process.
    Application,
    /// The page's own only, because the application runs in other processes: its sign-ins and its
    /// latency are not known here, and the page says so.
    PageOnly,
}

/// What happened in one period.
#[derive(Clone, Debug, Default)]
pub(crate) struct Period {
    pub(crate) created: u32,
    pub(crate) signed_in: u32,
    pub(crate) ended: u32,
    pub(crate) rejected: u32,
    pub(crate) errors: u32,
    pub(crate) latency: Latency,
}

/// Something that a person should know of.
#[derive(Clone, Debug)]
pub(crate) struct Incident {
    pub(crate) at: Timestamp,
    pub(crate) text: String,
}

struct Counts {
    seconds: Ring<Period>,
    minutes: Ring<Period>,
    incidents: VecDeque<Incident>,
    since: Timestamp,
}

impl AdminObserver {
    /// Counts the application's own requests.
    pub fn new() -> Self {
        Self::with_clock(SystemClock)
    }

    /// Counts for a process that serves nothing but the page.
    pub fn of_the_page_only() -> Self {
        Self { seen: Seen::PageOnly, ..Self::new() }
    }

    /// With another clock, for tests.
    pub fn with_clock(clock: impl Clock + 'static) -> Self {
        let counts = Counts {
            seconds: Ring::new(Duration::from_secs(1), SECONDS),
            minutes: Ring::new(Duration::from_secs(60), MINUTES),
            incidents: VecDeque::new(),
            since: clock.now(),
        };
        let (counts, clock) = (Arc::new(Mutex::new(counts)), Arc::new(clock));
        Self { counts, clock, seen: Seen::Application }
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen
    }

    pub(crate) fn since(&self) -> Timestamp {
        self.counts().since
    }

    /// What `read` makes of each of the last seconds and minutes, the oldest first.
    pub(crate) fn periods<T>(&self, read: impl Fn(&Period) -> T) -> (Vec<T>, Vec<T>) {
        let now = self.clock.now();
        let mut counts = self.counts();
        let seconds = counts.seconds.read(now).map(&read).collect();
        (seconds, counts.minutes.read(now).map(&read).collect())
    }

    /// The last incidents, the newest first.
    pub(crate) fn incidents(&self) -> Vec<Incident> {
        self.counts().incidents.iter().rev().cloned().collect()
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, add: impl Fn(&mut Period)) {
        let now = self.clock.now();
        let mut counts = self.counts();
        add(counts.seconds.at(now));
        add(counts.minutes.at(now));
    }

    fn note(&self, text: String) {
        let at = self.clock.now();
        let mut counts = self.counts();
        if counts.incidents.len() == INCIDENTS {
            counts.incidents.pop_front();
        }
        counts.incidents.push_back(Incident { at, text });
    }
}

impl Observer for AdminObserver {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Asked { took, error, .. } => self.count(|period| {
                period.latency.add(*took);
                period.errors = period.errors.saturating_add(u32::from(error.is_some()));
            }),
            Event::Created { .. } => self.count(|it| it.created = it.created.saturating_add(1)),
            Event::SignedIn { .. } => {
                self.count(|it| it.signed_in = it.signed_in.saturating_add(1));
            }
            // A repetition after a failover was counted when it was carried out first.
            Event::DestroyApplied { pending, .. } if pending.is_zero() => {}
            Event::Destroyed { .. } | Event::Revoked { .. } | Event::DestroyApplied { .. } => {
                self.count(|it| it.ended = it.ended.saturating_add(1));
            }
            Event::Rejected { .. } | Event::SignInRefused { .. } => {
                self.count(|it| it.rejected = it.rejected.saturating_add(1));
            }
            event => {
                if let Some(text) = incident(event) {
                    self.note(text);
                }
            }
        }
    }
}

/// In words, where somebody should know of it.
fn incident(event: &Event<'_>) -> Option<String> {
    Some(match event {
        Event::BreakerChanged { node, side, state } => {
            format!("{node}: the breaker for {} is {}", side.name(), state.name().replace('_', " "))
        }
        Event::ConnectionLost { node, reason } => format!("{node}: connection lost, {reason}"),
        Event::ConnectionRestored { node, outage } => {
            format!("{node}: connection restored after {:.1} s", outage.as_secs_f64())
        }
        Event::PrimaryChanged { node } => format!("{node}: is the primary now"),
        Event::DestroyPending { session } => format!("session {session}: its end is pending"),
        Event::DestroyApplied { session, .. } => {
            format!("session {session}: its pending end was carried out")
        }
        Event::JournalFull { session } => {
            format!("session {session}: not ended, too many are pending")
        }
        Event::NotCommitted { session, error } | Event::ChangesLost { session, error } => {
            format!("session {session}: changes not saved, {error}")
        }
        Event::LimitNotKept { session, error } => {
            format!("session {session}: its owner has too many sessions, {error}")
        }
        _ => return None,
    })
}

impl Default for AdminObserver {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for AdminObserver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdminObserver").field("seen", &self.seen).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use cloakroom::{Operation, SessionKey};
    use cloakroom_testkit::ManualClock;

    use super::*;

    #[test]
    fn sign_ins_and_ends_are_counted_by_second_and_by_minute() {
        let clock = ManualClock::new();
        let observer = AdminObserver::with_clock(clock.clone());
        let session = SessionKey::from_name("a").public_id();
        observer.observe(&Event::SignedIn { session });
        clock.advance(Duration::from_secs(61));
        observer.observe(&Event::SignedIn { session });
        observer.observe(&Event::Destroyed { session });
        let (seconds, minutes) = observer.periods(|period| (period.signed_in, period.ended));
        assert_eq!(seconds[SECONDS - 62..].first(), Some(&(1, 0)));
        assert_eq!(seconds.last(), Some(&(1, 1)));
        assert_eq!(minutes.iter().map(|it| it.0).sum::<u32>(), 2);
        assert_eq!(minutes.last(), Some(&(1, 1)));
    }

    #[test]
    fn nothing_grows_however_much_is_told() {
        let clock = ManualClock::new();
        let observer = AdminObserver::with_clock(clock.clone());
        let took = Duration::from_micros(80);
        for _ in 0..10_000 {
            observer.observe(&Event::Asked { operation: Operation::Load, took, error: None });
            observer.observe(&Event::PrimaryChanged { node: "127.0.0.1:1" });
            clock.advance(Duration::from_secs(7));
        }
        let (seconds, minutes) = observer.periods(|period| period.latency.answers());
        assert_eq!((seconds.len(), minutes.len()), (SECONDS, MINUTES));
        assert_eq!(observer.incidents().len(), INCIDENTS);
    }
}
