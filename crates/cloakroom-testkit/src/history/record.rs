//! [`History`]: the recorder. Clients write into shards of their own, so recording costs them one
//! lock that hardly anybody else wants.

use std::io;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::check::Circumstances;
use super::standstill::Standstills;
use super::{
    Action, Bounds, ChangeNumber, Client, Entry, Invoked, Mark, Moment, Node, Resources,
    SessionNumber, TicketNumber, Verdict, Visitor, check,
};

/// How many operations a history holds unless told otherwise: 8 million, below 1 GiB.
pub const DEFAULT_LIMIT: u64 = 8_000_000;

const SHARDS: usize = 16;
/// Entries lie in pieces of this length, so that a long history is never copied to grow.
const PIECE: usize = 4096;

/// A record of operations, marks and samples, for one check at the end. Clones are the same
/// history.
///
/// One that is full drops further operations, counts them, and its verdict is not good any more:
/// what is missing could be the explanation of what was seen.
#[derive(Clone)]
pub struct History {
    inner: Arc<Inner>,
}

struct Inner {
    start: Instant,
    last: AtomicU64,
    limit: u64,
    taken: AtomicU64,
    sessions: AtomicU32,
    tickets: AtomicU32,
    changes: AtomicU32,
    shards: [Mutex<Pieces>; SHARDS],
    marks: Mutex<Vec<(Moment, Mark)>>,
    samples: Mutex<Vec<(Moment, Resources)>>,
    standstills: Mutex<Vec<(Moment, Moment)>>,
}

type Pieces = Vec<Vec<Entry>>;

impl History {
    /// An empty history with room for [`DEFAULT_LIMIT`] operations.
    pub fn new() -> Self {
        Self::with_limit(DEFAULT_LIMIT)
    }

    /// An empty history with room for so many operations, each about 100 bytes when it is recorded.
    pub fn with_limit(operations: u64) -> Self {
        Self {
            inner: Arc::new(Inner {
                start: Instant::now(),
                last: AtomicU64::new(0),
                limit: operations,
                taken: AtomicU64::new(0),
                sessions: AtomicU32::new(0),
                tickets: AtomicU32::new(0),
                changes: AtomicU32::new(0),
                shards: Default::default(),
                marks: Mutex::default(),
                samples: Mutex::default(),
                standstills: Mutex::default(),
            }),
        }
    }

    /// Begins an operation; its time runs from now.
    pub fn begin(&self, client: Client, node: Node, visitor: Visitor, action: Action) -> Invoked {
        let now = self.now();
        Invoked::new(self.clone(), Entry::new(client, node, visitor, action).at(now, now))
    }

    /// Adds an operation that has ended.
    pub fn add(&self, entry: Entry) {
        if self.inner.taken.fetch_add(1, Ordering::Relaxed) >= self.inner.limit {
            return;
        }
        let mut pieces = lock(&self.inner.shards[entry.client.index() as usize % SHARDS]);
        match pieces.last_mut().filter(|piece| piece.len() < PIECE) {
            Some(piece) => piece.push(entry),
            None => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(entry);
                pieces.push(piece);
            }
        }
    }

    /// Marks what happens to the servers now, and answers when that is.
    pub fn mark(&self, mark: Mark) -> Moment {
        let now = self.now();
        self.mark_at(now, mark);
        now
    }

    /// Marks what happened to the servers then.
    pub fn mark_at(&self, moment: Moment, mark: Mark) {
        lock(&self.inner.marks).push((moment, mark));
    }

    /// Samples what this process holds now, without the history itself.
    ///
    /// # Errors
    /// Where the system does not tell; only Linux does.
    pub fn sample(&self) -> io::Result<Resources> {
        let mut held = Resources::of_this_process()?;
        let own = self.len() * size_of::<Entry>() as u64;
        held.memory = held.memory.saturating_sub(own);
        self.sample_at(self.now(), held);
        Ok(held)
    }

    /// Adds what the process held then.
    pub fn sample_at(&self, moment: Moment, held: Resources) {
        lock(&self.inner.samples).push((moment, held));
    }

    /// Notes that this process was not run from one moment to the other, because its machine had
    /// something else to do. Operations have that time on top of their deadlines. Add standstills in
    /// the order in which they end.
    pub fn stood_still(&self, from: Moment, to: Moment) {
        lock(&self.inner.standstills).push((from, to));
    }

    /// Now, later than every moment that was given out before.
    pub fn now(&self) -> Moment {
        let elapsed = Moment::at(self.inner.start.elapsed()).nanos();
        let later = |last: u64| Some(elapsed.max(last + 1));
        let last = self.inner.last.fetch_update(Ordering::SeqCst, Ordering::SeqCst, later);
        Moment::from_nanos(last.map_or(elapsed, |last| elapsed.max(last + 1)))
    }

    /// A session's number that was not given out before.
    pub fn new_session(&self) -> SessionNumber {
        SessionNumber::new(self.inner.sessions.fetch_add(1, Ordering::Relaxed))
    }

    /// A ticket's number that was not given out before.
    pub fn new_ticket(&self) -> TicketNumber {
        TicketNumber::new(self.inner.tickets.fetch_add(1, Ordering::Relaxed))
    }

    /// A change's number that was not given out before.
    pub fn new_change(&self) -> ChangeNumber {
        ChangeNumber::new(self.inner.changes.fetch_add(1, Ordering::Relaxed))
    }

    /// How many operations are recorded.
    pub fn len(&self) -> u64 {
        self.inner.taken.load(Ordering::Relaxed).min(self.inner.limit)
    }

    /// Whether no operation is recorded.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many operations found no room.
    pub fn lost(&self) -> u64 {
        self.inner.taken.load(Ordering::Relaxed).saturating_sub(self.inner.limit)
    }

    /// Checks all invariants on what was recorded so far. Clients that record meanwhile wait, so
    /// do it when they are done.
    pub fn check(&self, bounds: &Bounds) -> Verdict {
        let (marks, samples) = (self.marks(), self.samples());
        let (standstills, lost) = (lock(&self.inner.standstills).clone(), self.lost());
        let standstills = Standstills::new(standstills);
        let circumstances = Circumstances { marks: &marks, samples: &samples, standstills, lost };
        self.read(|entries| check::check(entries, &circumstances, bounds))
    }

    /// Calls `read` with all operations in the order of their calls.
    pub fn read<T>(&self, read: impl FnOnce(&[&Entry]) -> T) -> T {
        let shards: Vec<_> = self.inner.shards.iter().map(lock).collect();
        let mut entries: Vec<&Entry> =
            shards.iter().flat_map(|pieces| pieces.iter().flatten()).collect();
        entries.sort_unstable_by_key(|entry| (entry.invoked, entry.returned));
        read(&entries)
    }

    /// All marks in the order of their moments.
    pub fn marks(&self) -> Vec<(Moment, Mark)> {
        let mut marks = lock(&self.inner.marks).clone();
        marks.sort_by_key(|(moment, _)| *moment);
        marks
    }

    fn samples(&self) -> Vec<(Moment, Resources)> {
        let mut samples = lock(&self.inner.samples).clone();
        samples.sort_by_key(|(moment, _)| *moment);
        samples
    }
}

impl Default for History {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("History").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// Whoever panicked under a lock has pushed its element or has not.
fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
