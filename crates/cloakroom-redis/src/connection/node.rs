//! [`Node`]: one server with all connections to it, its breakers and what is known of it.
//!
//! A pool owns it. Tasks in the background refer to it weakly, so that the pool's drop closes the
//! connections and ends the tasks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cloakroom::{BreakerState, Event, NodeHealth, Operation, Side, Timestamp};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::connector::{Connector, Opened};
use super::hearing::Deaf;
use super::home::Home;
use super::open_error::OpenError;
use super::opening::{Opening, Waiting};
use super::slot::{Live, Slot};
use super::succession::{Run, Succession};
use super::supervisor::Supervisors;
use crate::breaker::{Breaker, BreakerPolicy, ProbeResult};
use crate::near_cache::Cache;
use crate::retry_budget::RetryBudget;
use crate::server_clock::ServerClock;
use crate::server_info::ServerInfo;
use crate::signals::Signals;

/// Up to so many commands in flight the first connections carry all of them: what is sent together
/// shares system calls. Above it the next connection joins.
const PACK: usize = 128;

/// How the connections to a server are kept.
#[derive(Clone, Debug)]
pub(crate) struct NodeSettings {
    pub(crate) pool_size: usize,
    /// How often each connection is asked for a sign of life.
    pub(crate) heartbeat: Duration,
    /// How many commands may be under way on one connection.
    pub(crate) max_in_flight: usize,
    /// How long removals wait for replicas, on connections of their own; `None` where they do not.
    pub(crate) durable: Option<Duration>,
    pub(crate) breaker: BreakerPolicy,
    /// What hears of changes over the connections.
    pub(crate) near_cache: Option<Arc<Cache>>,
}

pub(super) struct Node {
    pub(super) connector: Arc<Connector>,
    pub(super) clock: ServerClock,
    pub(super) settings: NodeSettings,
    pub(super) reads: Breaker,
    pub(super) writes: Breaker,
    pub(super) retries: RetryBudget,
    pub(super) signals: Arc<Signals>,
    /// Of the connections that keep silent, one at a time is replaced.
    pub(super) gate: Arc<Semaphore>,
    slots: Box<[Arc<Slot>]>,
    pub(super) supervisors: Supervisors,
    opened: AtomicU64,
    pub(super) succession: Succession,
    facts: Mutex<Facts>,
}

/// What is known of the server.
struct Facts {
    address: Arc<str>,
    /// Whether a connection has been opened to that address.
    found: bool,
    info: Option<ServerInfo>,
    clock_offset_ms: Option<i64>,
    /// Why changes are not heard of, where they should be.
    deaf: Option<Deaf>,
    /// A key that the server would take, for asking whether it takes writes.
    probe_key: Arc<[u8]>,
}

impl Node {
    pub(super) fn new(
        connector: Connector,
        settings: NodeSettings,
        signals: Arc<Signals>,
        probe_key: &[u8],
    ) -> Self {
        let address = connector.first_name();
        let facts = Facts {
            address,
            found: false,
            info: None,
            clock_offset_ms: None,
            deaf: None,
            probe_key: probe_key.into(),
        };
        Self {
            connector: Arc::new(connector),
            clock: ServerClock::new(),
            reads: Breaker::new(settings.breaker.clone(), Instant::now()),
            writes: Breaker::new(settings.breaker.clone(), Instant::now()),
            retries: RetryBudget::new(Instant::now()),
            signals,
            gate: Arc::new(Semaphore::new(1)),
            slots: (0..settings.pool_size).map(|_| Arc::default()).collect(),
            supervisors: Supervisors::new(settings.pool_size),
            opened: AtomicU64::new(0),
            succession: Succession::default(),
            facts: Mutex::new(facts),
            settings,
        }
    }

    pub(super) fn slots(&self) -> &[Arc<Slot>] {
        &self.slots
    }

    /// The server's host and port, without credentials.
    pub(super) fn address(&self) -> Arc<str> {
        self.facts().address.clone()
    }

    pub(super) fn probe_key(&self) -> Arc<[u8]> {
        self.facts().probe_key.clone()
    }

    pub(super) fn set_probe_key(&self, key: &[u8]) {
        self.facts().probe_key = key.into();
    }

    /// The first connection with room: of this runtime, else of the one that looks after the first
    /// place, else of any. Else the least busy one, else one under suspicion, else one to be opened.
    /// Nothing where all have as much under way as they may.
    ///
    /// Reads look from the front and writes from the back, and each runtime's first connection is left
    /// to reads and its last one to writes, because a server that takes no writes at present (a
    /// failover, `CLIENT PAUSE`) holds up whatever follows on the same connection.
    pub(super) fn pick(&self, operation: Operation, here: Home) -> Option<&Arc<Slot>> {
        let (last, max) = (self.slots.len() - 1, self.settings.max_in_flight);
        let is_write = is_write(operation);
        let places = || (0..=last).map(|at| if is_write { last - at } else { at });
        let all = || places().map(|at| &self.slots[at]);
        let meant = || {
            let meant = places().filter(|at| !self.is_for_others(*at, is_write));
            meant.map(|at| &self.slots[at])
        };
        let near = || meant().filter(|slot| slot.is_near(here) && slot.is_trusted());
        let first =
            || meant().filter(|slot| slot.is_housemate_of(&self.slots[0]) && slot.is_trusted());
        let trusted = || meant().filter(|slot| slot.is_trusted());
        let live = || all().filter(|slot| slot.is_live());
        let has_room = |slot: &&Arc<Slot>| slot.in_flight() < PACK.min(max);
        let has_place = |slot: &&Arc<Slot>| slot.in_flight() < max;
        near()
            .find(has_room)
            .or_else(|| first().find(has_room))
            .or_else(|| trusted().find(has_room))
            .or_else(|| near().min_by_key(|slot| slot.in_flight()).filter(has_place))
            .or_else(|| trusted().min_by_key(|slot| slot.in_flight()).filter(has_place))
            .or_else(|| all().filter(|slot| slot.is_trusted()).min_by_key(|slot| slot.in_flight()))
            .or_else(|| live().min_by_key(|slot| slot.in_flight()))
            .or_else(|| all().min_by_key(|slot| slot.in_flight()))
            .filter(has_place)
    }

    /// Whether a connection is left to reads, for a write, or to writes, for a read. A runtime that has
    /// only one leaves it to nobody.
    fn is_for_others(&self, at: usize, is_write: bool) -> bool {
        let (before, from) = self.slots.split_at(at);
        let is_housemate = |slot: &Arc<Slot>| slot.is_housemate_of(&from[0]);
        let (is_first, is_last) =
            (!before.iter().any(is_housemate), !from[1..].iter().any(is_housemate));
        if is_write { is_first && !is_last } else { is_last && !is_first }
    }

    /// Whether this is the connection over which a probe asks if writes are taken: the last one that
    /// works and that no reads wait for. Where there is none, one is opened soon.
    pub(super) fn probes_writes(&self, at: usize) -> bool {
        let mut meant = (0..self.slots.len()).rev().filter(|at| !self.is_for_others(*at, true));
        meant.find(|at| self.slots[*at].is_trusted()) == Some(at)
    }

    pub(super) fn is_any_trusted(&self) -> bool {
        self.slots.iter().any(|slot| slot.is_trusted())
    }

    /// A slot's connection, which is opened where there is none.
    pub(super) async fn connection(self: &Arc<Self>, slot: &Arc<Slot>) -> Result<Live, OpenError> {
        if let Some(live) = slot.live() {
            return Ok(live);
        }
        let limit = self.connector.timeout();
        match self.opening(slot, limit).outcome().await {
            // It was under way on a runtime that has ended. This one still runs.
            Err(OpenError::Lost) => self.opening(slot, limit).outcome().await?,
            outcome => outcome?,
        }
        slot.live().ok_or(OpenError::Lost)
    }

    /// Begins to open a slot's connection, unless somebody else has.
    pub(super) fn opening(self: &Arc<Self>, slot: &Arc<Slot>, limit: Duration) -> Waiting {
        slot.opening(|| {
            let (connector, node) = (self.connector.clone(), Arc::downgrade(self));
            let slot = Arc::downgrade(slot);
            let near_cache = self.settings.near_cache.clone();
            Opening::start(async move {
                let opened = connector.open(limit, near_cache.as_ref()).await;
                if let (Some(node), Some(slot)) = (node.upgrade(), slot.upgrade()) {
                    match &opened {
                        Ok(opened) => node.install(&slot, opened),
                        // The one that is there may work all the same.
                        Err(_) if slot.is_trusted() => {}
                        Err(error) => _ = slot.note_loss(&error.to_string()),
                    }
                }
                opened.map(drop)
            })
        })
    }

    fn install(&self, slot: &Slot, opened: &Opened) {
        self.clock.set(opened.now);
        let changed = self.learn(Some(opened.address.clone()), opened.info.clone(), opened.now);
        // From 1: no connection has the number 0.
        let number = self.opened.fetch_add(1, Ordering::Relaxed) + 1;
        if changed {
            self.leave_all_but(&opened.address);
            self.signals.emit(&Event::PrimaryChanged { node: &opened.address });
            // Before anybody reads from it.
            self.signals.history_changed();
        }
        let coverage = opened.hearing.coverage();
        self.facts().deaf = opened.hearing.deaf();
        let (connection, confirmations) = (opened.connection.clone(), Arc::default());
        // This runs where the connection was opened.
        let home = Home::here();
        let run = Run::of(opened.info.as_ref());
        let live = Live { connection, number, run, home, confirmations, coverage };
        let outage = slot.install(live);
        self.restored(&opened.address, outage);
        self.probed(Side::Reads, ProbeResult::Success);
        // A server that is back is back for the other connections too.
        for slot in self.slots.iter().filter(|slot| !slot.is_trusted()) {
            slot.wake();
        }
    }

    /// Something has come over a connection that was silent or gone for a while.
    pub(super) fn restored(&self, address: &str, outage: Option<Duration>) {
        let Some(outage) = outage else { return };
        self.signals.emit(&Event::ConnectionRestored { node: address, outage });
        self.signals.server_is_back();
    }

    /// Takes in what the server says of itself. Answers whether it is another one than before, or
    /// the same one with another history.
    pub(super) fn learn(
        &self,
        address: Option<Arc<str>>,
        info: Option<ServerInfo>,
        now: Timestamp,
    ) -> bool {
        let own = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let own = i64::try_from(own.as_millis()).ok();
        let offset = i64::try_from(now.as_millis()).ok().zip(own);
        let mut facts = self.facts();
        facts.clock_offset_ms = offset.map(|(server, own)| server - own);
        let mut changed = false;
        if let Some(address) = address {
            changed |= facts.found && facts.address != address;
            (facts.address, facts.found) = (address, true);
        }
        if let Some(info) = info {
            changed |= facts.info.as_ref().is_some_and(|before| !before.has_same_history(&info));
            facts.info = Some(info);
        }
        changed
    }

    /// Takes a connection out of use. Commands under way on it may still be answered.
    pub(super) fn lose(&self, slot: &Slot, number: u64, reason: &str) {
        if let Some(lost) = slot.retire(number, reason) {
            lost.hears_no_more();
            self.signals.emit(&Event::ConnectionLost { node: lost.connection.address(), reason });
        }
    }

    pub(super) fn breaker(&self, side: Side) -> &Breaker {
        match side {
            Side::Reads => &self.reads,
            Side::Writes => &self.writes,
        }
    }

    /// Tells a breaker what the supervisor has found out.
    pub(super) fn probed(&self, side: Side, result: ProbeResult) {
        let breaker = self.breaker(side);
        if breaker.state() != BreakerState::Closed {
            self.breaker_changed(side, breaker.probe(result, Instant::now()));
        }
    }

    /// Tells the observer of a breaker's new state, if it has one.
    #[inline]
    pub(super) fn breaker_changed(&self, side: Side, state: Option<BreakerState>) {
        if let Some(state) = state {
            self.tell_of_breaker(side, state);
        }
    }

    #[cold]
    fn tell_of_breaker(&self, side: Side, state: BreakerState) {
        self.signals.emit(&Event::BreakerChanged { node: &self.address(), side, state });
        if state != BreakerState::Open {
            self.signals.server_is_back();
        }
    }

    pub(super) fn health(&self) -> NodeHealth {
        let facts = self.facts();
        let mut health = NodeHealth::new(&*facts.address);
        if let Some(info) = &facts.info {
            health.role = Some(info.role.to_string());
            health.version = Some(format!("{} {}", info.product, info.version));
            health.replicas = Some(info.connected_replicas);
            health.memory_policy = Some(info.maxmemory_policy.clone());
        }
        health.clock_offset_ms = facts.clock_offset_ms;
        drop(facts);
        health.reads = self.reads.state();
        health.writes = self.writes.state();
        health.connections = self.slots.iter().map(|slot| slot.health()).collect();
        health.in_flight = health.connections.iter().map(|connection| connection.in_flight).sum();
        health.max_in_flight = Some(self.settings.max_in_flight.saturating_mul(self.slots.len()));
        health.repetitions_left = Some(self.retries.left());
        health
    }

    /// What somebody should look at.
    pub(super) fn warnings(&self) -> Vec<String> {
        let facts = self.facts();
        let deaf = facts.deaf.map(|deaf| deaf.warning(&facts.address));
        let Some(info) = &facts.info else {
            let message = "the user may not ask INFO: memory policy and version are not known";
            let unknown = facts.found.then(|| message.to_owned());
            return unknown.into_iter().chain(deaf).collect();
        };
        let evicts = info.evicts().map(|policy| {
            format!(
                "Redis at {} ends sessions early when its memory is full (maxmemory-policy is \
                 {policy}); set it to noeviction",
                facts.address
            )
        });
        evicts.into_iter().chain(deaf).collect()
    }

    /// The name of the server's run: another one after each restart. Empty as long as it is not told.
    pub(super) fn run(&self) -> String {
        self.facts().info.as_ref().map(|info| info.run_id.clone()).unwrap_or_default()
    }

    /// Why changes are not heard of, where they should be.
    pub(super) fn deaf(&self) -> Option<Deaf> {
        self.facts().deaf
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a server that takes no writes at present holds the operation up.
pub(super) fn is_write(operation: Operation) -> bool {
    use Operation::{Commit, Destroy, Index, Touch};
    matches!(operation, Commit | Touch | Destroy | Index)
}
