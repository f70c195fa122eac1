//! [`Census`]: how many sessions there are. Counting walks over everything, so it is done rarely, only
//! while somebody looks, one count at a time, and never while the one who looks waits for it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloakroom::{
    AnyStorage, Clock, SessionStorage, StorageError, StorageStats, SystemClock, Timestamp,
};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::sample::Sample;

/// How long a count is good for.
pub(crate) const EVERY: Duration = Duration::from_secs(30);

/// A count may take this share of the time at most.
const REST: u32 = 20;

/// How soon a count is tried again that could not be made.
const AGAIN: Duration = Duration::from_secs(5);

/// How many counts are kept: two hours of them.
const KEPT: usize = 240;

/// Counts when it is looked at. Its end is the end of a count that is under way.
#[derive(Debug)]
pub(crate) struct Census {
    state: Arc<Mutex<State>>,
    under_way: Mutex<Option<AbortHandle>>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// The newest count that could be made.
    pub(crate) last: Option<Count>,
    /// Why the newest try could not be made.
    pub(crate) error: Option<String>,
    /// The sessions of each count, the oldest first.
    pub(crate) history: VecDeque<Point>,
    /// Whether a count is under way.
    pub(crate) is_counting: bool,
    next: Option<Instant>,
}

/// One count.
#[derive(Clone, Debug)]
pub(crate) struct Count {
    pub(crate) at: Timestamp,
    pub(crate) took: Duration,
    /// How far apart this count and the one before it are; what a sample calls recent.
    pub(crate) since: Duration,
    pub(crate) stats: StorageStats,
    pub(crate) sample: Sample,
}

/// What is kept of a count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) at: Timestamp,
    pub(crate) sessions: u64,
    pub(crate) memory: Option<u64>,
    /// Sessions that were created since the point before, as far as can be told.
    pub(crate) created: u64,
    pub(crate) sign_ins: u64,
    /// Sessions that have ended since the point before, in whatever way.
    pub(crate) ended: u64,
    pub(crate) seconds: u64,
}

impl Census {
    pub(crate) fn new() -> Self {
        Self { state: Arc::default(), under_way: Mutex::new(None) }
    }

    /// What is known, and begins to count where that has become too old.
    pub(crate) fn look(&self, storage: &AnyStorage) -> State {
        let now = Instant::now();
        let mut state = lock(&self.state);
        let is_due = state.next.is_none_or(|next| now >= next);
        if is_due && !state.is_counting {
            state.is_counting = true;
            let (shared, storage) = (self.state.clone(), storage.clone());
            let before = state.last.as_ref().map(|count| count.at);
            let task = tokio::spawn(async move {
                let result = count(&storage, before).await;
                lock(&shared).note(result);
            });
            *lock(&self.under_way) = Some(task.abort_handle());
        }
        state.clone()
    }
}

impl Drop for Census {
    fn drop(&mut self) {
        if let Some(task) = lock(&self.under_way).take() {
            task.abort();
        }
    }
}

impl State {
    fn note(&mut self, result: Result<Count, StorageError>) {
        self.is_counting = false;
        let now = Instant::now();
        match result {
            Ok(count) => {
                self.next = Some(now + EVERY.max(count.took * REST));
                self.error = None;
                if self.history.len() == KEPT {
                    self.history.pop_front();
                }
                let point = Point::of(&count, self.last.as_ref());
                self.history.push_back(point);
                self.last = Some(count);
            }
            Err(error) => {
                self.next = Some(now + AGAIN);
                self.error = Some(error.to_string());
            }
        }
    }
}

impl Point {
    fn of(count: &Count, before: Option<&Count>) -> Self {
        let sessions = count.stats.total_sessions;
        let created = count.sample.of_all(count.sample.created, sessions);
        let before_it = before.map_or(sessions, |it| it.stats.total_sessions);
        let is_first = before.is_none();
        Self {
            at: count.at,
            sessions,
            memory: count.stats.backend_metrics.get("used_memory").and_then(|it| it.parse().ok()),
            created,
            sign_ins: count.sample.of_all(count.sample.sign_ins, sessions),
            ended: if is_first { 0 } else { (before_it + created).saturating_sub(sessions) },
            seconds: if is_first { 0 } else { count.since.as_secs().max(1) },
        }
    }
}

async fn count(storage: &AnyStorage, before: Option<Timestamp>) -> Result<Count, StorageError> {
    let start = Instant::now();
    let at = SystemClock.now();
    let since = before.map_or(EVERY, |before| before.until(at));
    let stats = storage.stats().await?;
    let sample = Sample::take(storage, since).await?;
    Ok(Count { at, took: start.elapsed(), since, stats, sample })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(seconds: u64, sessions: u64, created: u64) -> Count {
        Count {
            at: Timestamp::from_millis(seconds * 1000),
            took: Duration::ZERO,
            since: EVERY,
            stats: StorageStats::new("memory", sessions, 0),
            sample: Sample { looked_at: sessions, created, is_all: true, ..Sample::default() },
        }
    }

    #[tokio::test]
    async fn what_has_ended_is_what_is_missing_between_two_counts() {
        let mut state = State::default();
        state.note(Ok(counted(0, 100, 10)));
        state.note(Ok(counted(30, 80, 15)));
        let points: Vec<_> = state.history.iter().map(|it| (it.sessions, it.ended)).collect();
        assert_eq!(points, [(100, 0), (80, 35)]);
    }

    #[tokio::test]
    async fn the_history_is_bounded() {
        let mut state = State::default();
        for at in 0..1000 {
            state.note(Ok(counted(at, at, 1)));
        }
        assert_eq!(state.history.len(), KEPT);
    }

    #[tokio::test(start_paused = true)]
    async fn looking_often_counts_rarely() {
        let storage = AnyStorage::new(cloakroom::MemorySessionStorage::new());
        let census = Census::new();
        for _ in 0..100 {
            census.look(&storage);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let counts = census.look(&storage).history.len();
        assert!((3..=4).contains(&counts), "{counts}");
    }
}
