//! [`Census`]: how many sessions there are. Counting walks over everything, so it is done rarely, only
//! while somebody looks, one count at a time, and never while the one who looks waits for it. It keeps
//! nothing of what it has met, so it takes the same room whatever the number; a session that a walk
//! meets twice counts twice, which happens while a server changes the size of its table of keys.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloakroom::{
    AnyStorage, Clock, Position, SessionStorage, StorageError, SystemClock, Timestamp,
};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::sample::Sample;

/// How long a count is good for.
pub(crate) const EVERY: Duration = Duration::from_secs(30);

/// After each step a count pauses this many times as long as the step took: it has a tenth of its own
/// time. As it rests at least as long as it took before the next one, a twentieth of all time.
const PAUSE: u32 = 9;

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
    /// How many sessions there are, as far as a count that is under way can tell.
    pub(crate) so_far: Option<u64>,
    next: Option<Instant>,
}

/// One count.
#[derive(Clone, Debug)]
pub(crate) struct Count {
    pub(crate) at: Timestamp,
    pub(crate) took: Duration,
    /// How far apart this count and the one before it are; what a sample calls recent.
    pub(crate) since: Duration,
    pub(crate) sessions: u64,
    pub(crate) sample: Sample,
    /// Why no more sessions could be looked at, or the servers' figures not be read.
    pub(crate) problem: Option<String>,
    /// The servers' own figures.
    pub(crate) metrics: BTreeMap<String, String>,
}

/// What is kept of a count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) at: Timestamp,
    pub(crate) sessions: u64,
    pub(crate) memory: Option<u64>,
    /// Sessions that were created since the point before; `None` where that cannot be told.
    pub(crate) created: Option<u64>,
    pub(crate) sign_ins: Option<u64>,
    /// Sessions that have ended since the point before, in whatever way.
    pub(crate) ended: Option<u64>,
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
                let start = Instant::now();
                let tell = |so_far| lock(&shared).so_far = Some(so_far);
                let result = count(&storage, before, tell).await;
                lock(&shared).note(result, start.elapsed());
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
    fn note(&mut self, result: Result<Count, StorageError>, took: Duration) {
        self.is_counting = false;
        self.so_far = None;
        // A try that fails costs as much as one that does not.
        let rest = if result.is_ok() { EVERY } else { AGAIN };
        self.next = Some(Instant::now() + rest.max(took));
        match result {
            Ok(count) => {
                self.error = None;
                if self.history.len() == KEPT {
                    self.history.pop_front();
                }
                let point = Point::of(&count, self.last.as_ref());
                self.history.push_back(point);
                self.last = Some(count);
            }
            Err(error) => self.error = Some(error.to_string()),
        }
    }
}

impl Count {
    /// A server's figure by its name.
    pub(crate) fn metric(&self, name: &str) -> Option<u64> {
        self.metrics.get(name)?.parse().ok()
    }
}

impl Point {
    fn of(count: &Count, before: Option<&Count>) -> Self {
        let sessions = count.sessions;
        let created = count.sample.created(sessions);
        let before = before.map(|it| it.sessions);
        let ended = before
            .zip(created)
            .map(|(before, created)| (before + created).saturating_sub(sessions));
        Self {
            at: count.at,
            sessions,
            memory: count.metric("used_memory"),
            created,
            sign_ins: count.sample.sign_ins(sessions),
            ended,
            seconds: before.map_or(0, |_| count.since.as_secs().max(1)),
        }
    }
}

/// One walk over everything, with a look at some of it.
async fn count(
    storage: &AnyStorage,
    before: Option<Timestamp>,
    tell: impl Fn(u64),
) -> Result<Count, StorageError> {
    let (start, at) = (Instant::now(), SystemClock.now());
    let since = before.map_or(EVERY, |before| before.until(at));
    let (mut keys, mut sample, mut problem) = (0, Sample::default(), None);
    let mut position = Position::start();
    loop {
        let step = Instant::now();
        let page = storage.walk(&position).await?;
        keys += page.sessions.len() as u64;
        // A user who may count and not look is told the number.
        if problem.is_none() {
            problem = sample.look(storage, &page.sessions, since).await.err();
        }
        let Some(next) = page.next else { break };
        position = next;
        if page.done > 0.0 {
            tell((keys as f64 / page.done).round() as u64);
        }
        tokio::time::sleep(step.elapsed() * PAUSE).await;
    }
    let sample = sample.of_walk(keys);
    let metrics = match storage.backend_metrics().await {
        Ok(metrics) => metrics,
        Err(error) => {
            problem = problem.or(Some(error));
            BTreeMap::new()
        }
    };
    let problem = problem.map(|error| error.to_string());
    let sessions = keys.saturating_sub(sample.gone);
    Ok(Count { at, took: start.elapsed(), since, sessions, sample, problem, metrics })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use cloakroom::{MemorySessionStorage, SessionData};

    use super::*;

    fn counted(seconds: u64, sessions: u64) -> Count {
        Count {
            at: Timestamp::from_millis(seconds * 1000),
            took: Duration::ZERO,
            since: EVERY,
            sessions,
            sample: Sample::default(),
            problem: None,
            metrics: BTreeMap::new(),
        }
    }

    async fn census_of(storage: MemorySessionStorage) -> Count {
        count(&AnyStorage::new(storage), None, |_| ()).await.unwrap()
    }

    #[tokio::test]
    async fn what_has_ended_is_what_is_missing_between_two_counts() {
        let storage = MemorySessionStorage::new();
        let put = async |id| storage.set(id, &SessionData::new(), None).await.unwrap();
        for id in ["a", "b", "c"] {
            put(id).await;
        }
        let before = census_of(storage.clone()).await;
        assert_eq!(Point::of(&before, None).ended, None);
        storage.delete("a").await.unwrap();
        storage.delete("b").await.unwrap();
        put("d").await;
        let after = census_of(storage.clone()).await;
        // Both that are there were created since the count before: three of then are gone.
        let point = Point::of(&after, Some(&before));
        assert_eq!((point.sessions, point.created, point.ended), (2, Some(2), Some(3)));
        // Where it is not known what was created, it is not known what has ended.
        let unknown = Point::of(&counted(60, 1_000_000), Some(&counted(30, 1_000_500)));
        assert_eq!((unknown.created, unknown.sign_ins, unknown.ended), (None, None, None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_count_that_failed_rests_as_long_as_one_that_did_not() {
        for took in [0, 5, 90] {
            let took = Duration::from_secs(took);
            let (mut failed, mut made) = (State::default(), State::default());
            failed.note(Err(StorageError::pending()), took);
            made.note(Ok(counted(0, 1)), took);
            let rest = |state: &State| state.next.unwrap() - Instant::now();
            assert_eq!((rest(&failed), rest(&made)), (AGAIN.max(took), EVERY.max(took)));
        }
    }

    #[tokio::test]
    async fn the_history_is_bounded() {
        let mut state = State::default();
        for at in 0..1000 {
            state.note(Ok(counted(at, at)), Duration::ZERO);
        }
        assert_eq!(state.history.len(), KEPT);
    }

    #[tokio::test(start_paused = true)]
    async fn looking_often_counts_rarely() {
        let storage = AnyStorage::new(MemorySessionStorage::new());
        let census = Census::new();
        for _ in 0..100 {
            census.look(&storage);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let counts = census.look(&storage).history.len();
        assert!((3..=4).contains(&counts), "{counts}");
    }
}
