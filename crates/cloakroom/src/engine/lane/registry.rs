//! [`Lanes`]: which sessions have a commit in flight, and who waits for it.
//!
//! A lane is there exactly while its [`Lane`] guard lives. The locks are held for a map operation,
//! never across an await.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Attempt, Verdict};
use crate::token::SessionKey;

const SHARDS: usize = 32;

/// How many requests may wait for one session's commit; further ones are refused.
const MAX_WAITING: usize = 1024;

/// How many touches may be under way at once; further ones are left out.
const MAX_TOUCHES: usize = 1024;

/// All lanes of an engine.
pub(in crate::engine) struct Lanes {
    shards: Box<[Mutex<Shard>]>,
    /// How many touches are under way, in all shards.
    touches: AtomicUsize,
}

#[derive(Default)]
struct Shard {
    lanes: HashMap<SessionKey, Vec<Waiting>>,
    touches: HashSet<SessionKey>,
}

/// A request whose changes go out with the next commit.
pub(super) struct Waiting {
    pub(super) attempt: Attempt,
    pub(super) deadline: Instant,
    pub(super) reply: oneshot::Sender<Verdict>,
}

/// What a request becomes in its session's lane.
#[allow(clippy::large_enum_variant, reason = "moved once; a box would cost every commit")]
pub(super) enum Entered {
    /// Nobody else commits: go ahead.
    Leading(Lane, Attempt),
    /// Somebody commits already: the verdict will come.
    Waiting(oneshot::Receiver<Verdict>),
    /// Too many wait already.
    Full,
}

/// The right to commit to one session. Its drop gives the lane up, and whoever waits is told that
/// the commit was interrupted.
pub(super) struct Lane {
    lanes: Arc<Lanes>,
    key: SessionKey,
    open: bool,
}

/// Stands for a touch under way; its drop says that it is over.
pub(in crate::engine) struct TouchMark {
    lanes: Arc<Lanes>,
    key: SessionKey,
}

impl Lanes {
    pub(super) fn enter(
        self: &Arc<Self>,
        key: SessionKey,
        attempt: Attempt,
        deadline: Instant,
    ) -> Entered {
        let mut shard = self.shard(&key);
        let waiting = match shard.lanes.entry(key) {
            Entry::Vacant(free) => {
                free.insert(Vec::new());
                return Entered::Leading(Lane { lanes: self.clone(), key, open: true }, attempt);
            }
            Entry::Occupied(taken) => taken.into_mut(),
        };
        if waiting.len() >= MAX_WAITING {
            return Entered::Full;
        }
        let (reply, verdict) = oneshot::channel();
        waiting.push(Waiting { attempt, deadline, reply });
        Entered::Waiting(verdict)
    }

    /// Marks that a touch of the session is under way; `None` where one is already, or as many others
    /// as may be.
    pub(in crate::engine) fn begin_touch(self: &Arc<Self>, key: SessionKey) -> Option<TouchMark> {
        let is_busy = self.touches.load(Ordering::Relaxed) >= MAX_TOUCHES;
        if is_busy || !self.shard(&key).touches.insert(key) {
            return None;
        }
        self.touches.fetch_add(1, Ordering::Relaxed);
        Some(TouchMark { lanes: self.clone(), key })
    }

    fn shard(&self, key: &SessionKey) -> MutexGuard<'_, Shard> {
        self.shards[key.shard(SHARDS)].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Lanes {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, touches: AtomicUsize::default() }
    }
}

impl Lane {
    pub(super) fn key(&self) -> &SessionKey {
        &self.key
    }

    /// Takes whoever has come meanwhile; where nobody has, the lane is given up.
    pub(super) fn next(&mut self) -> Option<Vec<Waiting>> {
        let mut shard = self.lanes.shard(&self.key);
        if let Entry::Occupied(mut lane) = shard.lanes.entry(self.key) {
            if !lane.get().is_empty() {
                return Some(std::mem::take(lane.get_mut()));
            }
            lane.remove();
        }
        self.open = false;
        None
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        if self.open {
            self.lanes.shard(&self.key).lanes.remove(&self.key);
        }
    }
}

impl Drop for TouchMark {
    fn drop(&mut self) {
        self.lanes.shard(&self.key).touches.remove(&self.key);
        self.lanes.touches.fetch_sub(1, Ordering::Relaxed);
    }
}
