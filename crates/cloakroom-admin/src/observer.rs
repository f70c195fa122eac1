//! [`AdminObserver`]: counts an engine's events for the overview. The engine calls it on the path of
//! every request, so it only adds up; what it keeps is bounded.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloakroom::{Clock, Event, Observer, SessionError, SystemClock, Timestamp};

use crate::incidents::{Incident, Incidents};
use crate::latency::Latency;
use crate::ring::Ring;

/// How many seconds are kept one by one.
const SECONDS: usize = 120;

/// How many minutes are kept one by one.
const MINUTES: usize = 180;

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

struct Counts {
    seconds: Ring<Period>,
    minutes: Ring<Period>,
    incidents: Incidents,
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
            incidents: Incidents::default(),
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
        self.counts().incidents.newest_first()
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

    fn note(&self, event: &Event<'_>, text: String) {
        let at = self.clock.now();
        let incidents = &mut self.counts().incidents;
        match event {
            Event::BreakerChanged { .. }
            | Event::ConnectionLost { .. }
            | Event::ConnectionRestored { .. }
            | Event::PrimaryChanged { .. } => incidents.of_server(at, text),
            event => incidents.of_session(event.name(), at, text),
        }
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
            Event::RevokedBefore { ended, .. } => {
                let ended = u32::try_from(*ended).unwrap_or(u32::MAX);
                self.count(|it| it.ended = it.ended.saturating_add(ended));
            }
            Event::Rejected { .. } | Event::SignInRefused { .. } => {
                self.count(|it| it.rejected = it.rejected.saturating_add(1));
            }
            event => {
                if let Some(text) = incident(event) {
                    self.note(event, text);
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
        Event::DestroyPending { session } | Event::RevocationPending { session, .. } => {
            format!("session {session}: its end is pending")
        }
        Event::DestroyApplied { session, .. } => {
            format!("session {session}: its pending end was carried out")
        }
        Event::JournalFull { session } => {
            format!("session {session}: not ended, too many are pending")
        }
        // The application has answered that, and nothing is the matter with the storage.
        Event::NotCommitted { error, .. } if is_ordinary(error) => return None,
        Event::NotCommitted { session, error } | Event::ChangesLost { session, error } => {
            format!("session {session}: changes not saved, {error}")
        }
        Event::LimitNotKept { session, error } => {
            format!("session {session}: its owner has too many sessions, {error}")
        }
        _ => return None,
    })
}

/// Whether a request was slower than another one, or one too many.
fn is_ordinary(error: &SessionError) -> bool {
    error.is_conflict() || matches!(error, SessionError::TooManySessions { .. })
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
    use cloakroom::{Operation, RevokedBy, SessionKey, StorageError};
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
    fn what_is_ended_from_outside_is_counted_when_it_is_gone() {
        let observer = AdminObserver::with_clock(ManualClock::new());
        let session = SessionKey::from_name("a").public_id();
        observer.observe(&Event::RevokedBefore { moment: Timestamp::from_millis(1), ended: 900 });
        observer.observe(&Event::RevocationPending { session, by: RevokedBy::Request });
        let ended = || observer.periods(|period| period.ended).1.into_iter().sum::<u32>();
        assert_eq!((ended(), observer.incidents().len()), (900, 1));
        observer.observe(&Event::DestroyApplied { session, pending: Duration::from_secs(1) });
        assert_eq!(ended(), 901);
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
        assert_eq!(observer.incidents().len(), 50);
    }

    #[test]
    fn sessions_that_could_not_be_saved_do_not_push_out_why() {
        let clock = ManualClock::new();
        let observer = AdminObserver::with_clock(clock.clone());
        let node = "127.0.0.1:1";
        observer.observe(&Event::ConnectionLost { node, reason: "closed" });
        let session = SessionKey::from_name("a").public_id();
        let silent = StorageError::pending();
        let error = SessionError::Storage(silent);
        for _ in 0..5000 {
            observer.observe(&Event::NotCommitted { session, error: &error });
            observer.observe(&Event::ChangesLost { session, error: &error });
            clock.advance(Duration::from_millis(10));
        }
        let texts: Vec<_> = observer.incidents().iter().map(Incident::text).collect();
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert!(texts[0].ends_with("; the newest of 5000 like it"), "{texts:?}");
        assert_eq!(texts[2], "127.0.0.1:1: connection lost, closed");
        // What happens an hour later is another incident.
        clock.advance(Duration::from_secs(3600));
        observer.observe(&Event::ChangesLost { session, error: &error });
        assert!(!observer.incidents()[0].text().contains("newest of"));
    }

    #[test]
    fn a_request_that_came_too_late_is_no_incident() {
        let observer = AdminObserver::new();
        let session = SessionKey::from_name("a").public_id();
        for error in [SessionError::Gone, SessionError::Superseded] {
            observer.observe(&Event::NotCommitted { session, error: &error });
        }
        assert!(observer.incidents().is_empty());
    }
}
