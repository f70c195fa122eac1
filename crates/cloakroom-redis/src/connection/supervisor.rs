//! [`Supervisors`]: one task per connection, for as long as the pool lives. It asks the connection
//! for a sign of life at every heartbeat, replaces it where that does not come, and opens it again
//! and again where there is none, with pauses that grow and differ.
//!
//! A connection that keeps silent stays in its place until another one has taken it: whoever waits
//! for an answer there may still get it, and a server that answers nobody would not answer a new
//! connection either. So those that keep silent take turns: one at a time tries to be replaced, and
//! lets the next one try when it has not got through for a while.
//!
//! A connection is at home on its supervisor's runtime. Where one has been opened elsewhere, because
//! the supervisor is new there or a request was faster, it is replaced by one that is opened here.

use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use cloakroom::{BreakerState, Event, Side};
use redis::Value;
use tokio::task::AbortHandle;

use super::connector::{self, Proof};
use super::home::{self, Home};
use super::node::Node;
use super::open_error::OpenError;
use super::slot::{Live, Slot};
use crate::breaker::ProbeResult;
use crate::near_cache::Moment;

/// The pause after the first failure is at most this long, and after each one twice as long.
const SHORT_PAUSE: Duration = Duration::from_millis(50);
const LONG_PAUSE: Duration = Duration::from_secs(2);

/// The same for the first connection of a pool, which finds out for all others that the server is
/// back: within a second, however few there are.
const SCOUTS_PAUSE: Duration = Duration::from_millis(800);

/// How long the first attempts to open a connection may take. A server that was cut off and is back
/// answers a new attempt sooner than an old one; a server that is merely slow gets more time later.
const SHORT_ATTEMPT: Duration = Duration::from_secs(1);
const SHORT_ATTEMPTS: u32 = 5;

/// How long a turn lasts at most. The attempt goes on after it, but what was sent into a network that
/// swallows everything may never be heard, while the next attempt is.
const TURN: Duration = Duration::from_millis(500);

/// How long a supervisor may let nobody hear of it beyond what two attempts to connect take. Then its
/// runtime stands still, or is driven only now and then.
const PATIENCE: Duration = Duration::from_secs(10);

/// Of how many heartbeats, as a power of two, one tries to bring a connection home in the end.
const RAREST: u32 = 7;

/// How long a silent connection gets to answer after all, when its turn to be replaced has come.
const LAST_WORD: Duration = Duration::from_millis(100);

/// Every so many heartbeats the server is asked what it is: every 10 s by default.
const INFO_EVERY: u32 = 20;

/// Every so many heartbeats the Sentinels are asked where the primary is.
const PRIMARY_EVERY: u32 = 2;

/// The tasks. Their drop ends them.
pub(super) struct Supervisors {
    tasks: Mutex<Vec<Option<Task>>>,
}

struct Task {
    handle: AbortHandle,
    home: Home,
    seen: Arc<Seen>,
}

/// When a supervisor began its last look.
struct Seen(Mutex<Instant>);

impl Supervisors {
    pub(super) fn new(size: usize) -> Self {
        Self { tasks: Mutex::new((0..size).map(|_| None).collect()) }
    }

    /// Starts those that are not running, on the runtime that this is called on: at first all, later
    /// those whose runtime has ended or stands still.
    pub(super) fn ensure(&self, node: &Arc<Node>) {
        let patience = PATIENCE + 2 * node.connector.timeout();
        for (at, task) in self.tasks().iter_mut().enumerate() {
            if task.as_ref().is_none_or(|task| task.is_over(patience))
                && let Some(before) = task.replace(Task::start(node, at, false))
            {
                before.handle.abort();
            }
        }
    }

    /// Gives the runtime that this is called on its share of the connections, unless it has one.
    pub(super) fn settle(&self, node: &Arc<Node>, here: Home) {
        let mut tasks = self.tasks();
        let patience = PATIENCE + 2 * node.connector.timeout();
        let running = |task: &Option<Task>| {
            task.as_ref().filter(|task| !task.is_over(patience)).map(|task| task.home)
        };
        let homes: Vec<Option<Home>> = tasks.iter().map(running).collect();
        for at in home::share(&homes, here) {
            if let Some(before) = tasks[at].replace(Task::start(node, at, true)) {
                before.handle.abort();
            }
        }
    }

    fn tasks(&self) -> MutexGuard<'_, Vec<Option<Task>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Task {
    /// Starts it on the runtime that this is called on; where it is due, without waiting for a heartbeat.
    fn start(node: &Arc<Node>, at: usize, is_due: bool) -> Self {
        let seen = Arc::new(Seen(Mutex::new(Instant::now())));
        let task = supervise(Arc::downgrade(node), at, seen.clone(), is_due);
        Self { handle: tokio::spawn(task).abort_handle(), home: Home::here(), seen }
    }

    /// Whether its runtime has ended, or has not let it look for so long.
    fn is_over(&self, patience: Duration) -> bool {
        self.handle.is_finished() || self.seen.ago() > patience
    }
}

impl Seen {
    fn now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn ago(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

impl Drop for Supervisors {
    fn drop(&mut self) {
        let tasks = self.tasks.get_mut().unwrap_or_else(PoisonError::into_inner);
        tasks.iter().flatten().for_each(|task| task.handle.abort());
    }
}

/// What became of a look at a connection.
enum Look {
    /// There is one and it answers.
    Well,
    /// There is none that answers.
    Failed,
    /// The pool is gone.
    Over,
}

async fn supervise(node: Weak<Node>, at: usize, seen: Arc<Seen>, mut is_due: bool) {
    let (mut failures, mut beats, mut tries) = (0, 0_u32, 0);
    loop {
        seen.now();
        let Some((slot, heartbeat)) = node.upgrade().and_then(|node| {
            // Those of a runtime that has ended are looked after by whoever is left.
            node.supervisors.ensure(&node);
            Some((node.slots().get(at)?.clone(), node.settings.heartbeat))
        }) else {
            return;
        };
        let longest = if at == 0 { SCOUTS_PAUSE } else { LONG_PAUSE };
        let wait = if failures == 0 { heartbeat } else { pause(failures - 1, longest) };
        if !std::mem::take(&mut is_due) {
            let _ = tokio::time::timeout(wait, slot.woken()).await;
        }
        match look(&node, &slot, failures).await {
            Look::Well => {
                failures = 0;
                tries = bring_home(&node, &slot, beats, tries);
            }
            Look::Failed => failures += 1,
            Look::Over => return,
        }
        beats = beats.wrapping_add(1);
        if failures == 0 {
            look_further(&node, &slot, at, beats).await;
        }
    }
}

/// Looks at one connection. What it waits for, it waits for without holding the pool.
async fn look(weak: &Weak<Node>, slot: &Arc<Slot>, failures: u32) -> Look {
    let Some(node) = weak.upgrade() else { return Look::Over };
    let (connector, limit) = (node.connector.clone(), node.settings.heartbeat);
    let gate = node.gate.clone();
    drop(node);
    let mut turn = None;
    if let Some(mut live) = slot.live() {
        let asked = Moment::now();
        let proof = connector.prove(&mut live.connection, limit).await;
        let Some(node) = weak.upgrade() else { return Look::Over };
        if judge(&node, slot, &live, proof, asked) {
            return Look::Well;
        }
        if slot.is_live() {
            let is_alone = !node.is_any_trusted();
            drop(node);
            turn = match gate.clone().try_acquire_owned() {
                Err(_) if is_alone => gate.acquire_owned().await.ok(),
                free => free.ok(),
            };
            let Some(node) = weak.upgrade() else { return Look::Over };
            if is_alone && node.is_any_trusted() {
                turn = None;
            }
            drop(node);
            // The server may have come to its senses while this waited for its turn.
            let asked = Moment::now();
            let proof = connector.prove(&mut live.connection, limit.min(LAST_WORD)).await;
            let Some(node) = weak.upgrade() else { return Look::Over };
            if judge(&node, slot, &live, proof, asked) {
                return Look::Well;
            }
        }
    }
    let Some(node) = weak.upgrade() else { return Look::Over };
    let attempt = if failures < SHORT_ATTEMPTS { SHORT_ATTEMPT } else { connector.timeout() };
    let opening = node.opening(slot, attempt.min(connector.timeout()));
    drop(node);
    let mut opened = pin!(opening.outcome());
    let in_turn = tokio::time::timeout(TURN, &mut opened).await;
    drop(turn);
    let outcome = match in_turn {
        Ok(outcome) => outcome,
        Err(_) => match tokio::time::timeout(connector.timeout(), opened).await {
            Ok(outcome) => outcome,
            // Somebody else's, on a runtime that stands still.
            Err(_) => {
                slot.give_up_opening();
                Err(OpenError::Lost)
            }
        },
    };
    let Some(node) = weak.upgrade() else { return Look::Over };
    match outcome {
        Ok(()) => Look::Well,
        Err(error) => {
            // One connection that cannot be opened says nothing of the server while others answer.
            if !matches!(error, OpenError::Lost) && !node.is_any_trusted() {
                node.probed(Side::Reads, ProbeResult::Failure);
                node.probed(Side::Writes, ProbeResult::Failure);
            }
            Look::Failed
        }
    }
}

/// Begins to replace a connection that works and is at home elsewhere by one that is opened here. As
/// long as that fails the old one stays, and the attempts become rare.
fn bring_home(weak: &Weak<Node>, slot: &Arc<Slot>, beats: u32, tries: u32) -> u32 {
    let (Some(node), Some(live)) = (weak.upgrade(), slot.live()) else { return tries };
    if live.home.is(Home::here()) {
        return 0;
    }
    if !beats.is_multiple_of(1 << tries.min(RAREST)) {
        return tries;
    }
    node.opening(slot, node.connector.timeout());
    tries + 1
}

/// Acts upon what a connection did. Answers whether it is well.
fn judge(node: &Node, slot: &Slot, live: &Live, proof: Proof, asked: Moment) -> bool {
    if let (Proof::Answered, Some(coverage)) = (proof, &live.coverage) {
        coverage.confirm(asked);
    }
    match proof {
        Proof::Answered | Proof::Refused => {
            slot.trust(live.number);
            node.restored(live.connection.address(), slot.heard());
            node.probed(Side::Reads, ProbeResult::Success);
            return true;
        }
        Proof::NotReady => {
            // Nothing is wrong with the connection. The breakers hear of it, so that they know the
            // first answer after it for a recovery.
            slot.heard();
            slot.trust(live.number);
            node.probed(Side::Reads, ProbeResult::Failure);
            node.probed(Side::Writes, ProbeResult::Failure);
            return true;
        }
        Proof::Broken => node.lose(slot, live.number, "the connection broke"),
        Proof::OutOfStep => node.lose(slot, live.number, "its answers were out of step"),
        Proof::NotPrimary => node.lose(slot, live.number, "the server is not the primary any more"),
        Proof::Silent => {
            let reason = "no answer to a heartbeat";
            if slot.suspect(live.number) && slot.note_loss(reason) {
                node.signals.emit(&Event::ConnectionLost { node: &node.address(), reason });
            }
            node.probed(Side::Reads, ProbeResult::Failure);
            node.probed(Side::Writes, ProbeResult::Failure);
        }
    }
    false
}

/// What one connection finds out for all of them: whether writes are taken, whether the server is
/// still the primary, what it says of itself.
async fn look_further(weak: &Weak<Node>, slot: &Arc<Slot>, at: usize, beats: u32) {
    let Some(node) = weak.upgrade() else { return };
    let Some(mut live) = slot.live() else { return };
    let (limit, connector) = (node.settings.heartbeat, node.connector.clone());
    let is_asked = node.writes.state() != BreakerState::Closed && node.probes_writes(at);
    let key = is_asked.then(|| node.probe_key());
    // Whoever waits here must not keep the connections of a pool that is gone.
    drop(node);
    if let Some(key) = key {
        let taken = tokio::time::timeout(limit, takes_writes(&mut live, &key)).await;
        let Some(node) = weak.upgrade() else { return };
        let result = match taken {
            Ok(Writes::Taken) => ProbeResult::Success,
            Ok(Writes::Refused) | Err(_) => ProbeResult::Failure,
            Ok(Writes::ReadOnly) => {
                node.lose(slot, live.number, "the server has become read-only");
                ProbeResult::Failure
            }
        };
        node.probed(Side::Writes, result);
    }
    if at == 0 && beats.is_multiple_of(PRIMARY_EVERY) {
        let primary = tokio::time::timeout(limit, connector.primary()).await.ok().flatten();
        let Some(node) = weak.upgrade() else { return };
        if let Some(primary) = primary.filter(|primary| *primary != node.address()) {
            node.leave_all_but(&primary);
        }
    }
    // Commits are stamped with this time, so a server whose clock was set must not be missed for long.
    if at == 0 && beats % INFO_EVERY != 1 {
        let told = tokio::time::timeout(limit, connector::time(&mut live.connection)).await;
        let Some(node) = weak.upgrade() else { return };
        if let Ok(Some(now)) = told {
            node.clock.set(now);
        }
    }
    if at == 0 && beats % INFO_EVERY == 1 {
        let told = tokio::time::timeout(limit, connector::info(&mut live.connection)).await;
        let Some(node) = weak.upgrade() else { return };
        if let Ok(Some((info, now))) = told {
            node.clock.set(now);
            if node.learn(None, Some(info), now) {
                node.signals.history_changed();
            }
            node.leave_predecessors();
        }
    }
}

enum Writes {
    Taken,
    Refused,
    ReadOnly,
}

/// Writes a key that is gone again a moment later. A refusal for another reason than the server's
/// state does not come about: the same user writes sessions under the same prefix.
async fn takes_writes(live: &mut Live, key: &[u8]) -> Writes {
    let mut write = redis::cmd("SET");
    write.arg(key).arg("").arg("PX").arg(1);
    match write.query_async::<Value>(&mut *live.connection).await {
        Ok(_) => Writes::Taken,
        Err(error) if error.code() == Some("READONLY") => Writes::ReadOnly,
        // No slot of a Cluster's node is known yet. The trials will tell.
        Err(error) if matches!(error.code(), Some("MOVED" | "ASK")) => Writes::Taken,
        Err(_) => Writes::Refused,
    }
}

/// Anything up to a limit that doubles with each failure, and is `longest` in the end: many
/// applications that lost the same server do not come back to it at once.
fn pause(failures: u32, longest: Duration) -> Duration {
    let limit = SHORT_PAUSE.saturating_mul(1 << failures.min(16)).min(longest);
    let random = RandomState::new().hash_one(failures) as u32;
    limit.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_two_seconds_and_differ() {
        for (failures, limit) in [(0, 50), (1, 100), (5, 1600), (6, 2000), (u32::MAX, 2000)] {
            let pauses: Vec<_> = (0..200).map(|_| pause(failures, LONG_PAUSE)).collect();
            let (limit, longest) = (Duration::from_millis(limit), pauses.iter().max().unwrap());
            assert!(*longest <= limit && *longest > limit / 2, "{longest:?}");
            assert!(pauses.iter().min().unwrap() < &(limit / 2));
        }
    }
}
