//! [`Cluster`]: a pool for each primary of a Redis Cluster, and the map that says which of them a
//! key belongs to. Every question of this crate is about one key, so it goes to one node.
//!
//! The map is learnt from the nodes: when a node redirects, when one cannot be reached, and from
//! time to time. Whoever asks waits for a new map no longer than until the deadline.

mod asking;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use cloakroom::{ConfigError, Event, StorageError, StorageErrorKind};
use futures_util::FutureExt;
use futures_util::future::try_join_all;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::connector::Connector;
use super::deadline::Deadline;
use super::failure::{Cause, Failure};
use super::first_answer::first_answer;
use super::node::NodeSettings;
use super::open_error::OpenError;
use super::pool::{Pool, Reply};
use super::question::{Inquiry, Sent, Standing};
use super::slot_map::{KeySlot, Served, SlotMap};
use super::start_error::config_error;
use crate::address::{ClusterSeeds, Endpoint};
use crate::keys::Keys;
use crate::signals::Signals;
use asking::{ask_node, ask_seed};

pub(super) use asking::slots_command;

/// How many nodes may be asked for one answer. The specification advises a handful; during a
/// resharding two are normal.
const MAX_HOPS: usize = 16;

/// How many of them without a pause. Nodes that send each other's clients to and fro need a moment to
/// agree.
const QUICK_HOPS: usize = 4;

/// How long to wait for another map before a key's node is asked again.
const PAUSE: Duration = Duration::from_millis(50);

/// How often the map is asked for: while all is well, while a node cannot be reached, and at most.
const CALM: Duration = Duration::from_secs(10);
const TROUBLED: Duration = Duration::from_millis(500);
const SHORTEST: Duration = Duration::from_millis(50);

/// For how long a node is remembered that serves nothing, after others have named it: a new one gets
/// its first slots key by key, and is no part of the map until then.
const REMEMBERED: Duration = Duration::from_secs(30);

pub(crate) struct Cluster {
    shared: Arc<Shared>,
    refreshing: Mutex<AbortHandle>,
}

struct Shared {
    seeds: ClusterSeeds,
    timeout: Duration,
    settings: NodeSettings,
    signals: Arc<Signals>,
    keys: Keys,
    map: RwLock<Arc<SlotMap>>,
    wanted: Notify,
    known: Mutex<Vec<Known>>,
    /// One at a time asks for the map, so that none begins to open connections a second time.
    asking: tokio::sync::Mutex<()>,
}

/// A node that somebody has named.
struct Known {
    pool: Arc<Pool>,
    named: Instant,
}

impl Cluster {
    /// Begins to look for the nodes, and waits for none.
    pub(crate) fn start(
        seeds: ClusterSeeds,
        timeout: Duration,
        settings: NodeSettings,
        signals: Arc<Signals>,
        keys: Keys,
    ) -> Self {
        let map = RwLock::new(Arc::new(SlotMap::empty()));
        let shared = Arc::new(Shared {
            seeds,
            timeout,
            settings,
            signals,
            keys,
            map,
            wanted: Notify::new(),
            known: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        });
        let refreshing = Mutex::new(refresh(&shared));
        Self { shared, refreshing }
    }

    /// Waits until the map is known and every connection to every primary is open.
    pub(crate) async fn opened(&self) -> Result<(), ConfigError> {
        let limit = self.shared.timeout;
        let refreshed = tokio::time::timeout(limit, self.shared.refresh()).await;
        let refreshed = refreshed.unwrap_or(Err(OpenError::TimedOut { elapsed: limit }));
        let hint = self.shared.seeds.data.when_silent();
        refreshed.map_err(|error| config_error(error, &self.shared.name(), limit, hint))?;
        let map = self.shared.map();
        try_join_all(map.nodes().iter().map(|node| node.opened())).await.map(drop)
    }

    /// Asks for a new map, by the task that does so; another one where its runtime has ended.
    fn want_map(&self) {
        let mut refreshing = self.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
        if refreshing.is_finished() {
            *refreshing = refresh(&self.shared);
        }
        self.shared.wanted.notify_one();
    }

    /// The node that a key belongs to, as far as is known.
    pub(crate) fn owner(&self, key: &[u8]) -> Option<Arc<Pool>> {
        self.shared.map().owner(KeySlot::of(key)).cloned()
    }

    /// All primaries that are known.
    pub(crate) fn nodes(&self) -> Vec<Arc<Pool>> {
        self.shared.map().nodes().to_vec()
    }

    /// No primary is known.
    pub(crate) fn nobody(&self, deadline: Deadline) -> StorageError {
        self.want_map();
        self.shared.nobody(deadline).error
    }

    /// Asks the node that a key belongs to, wherever it is by now.
    pub(crate) async fn ask(
        &self,
        key: &[u8],
        mut inquiry: Inquiry<'_>,
    ) -> Result<(Reply, Arc<Pool>), Failure> {
        let (shared, deadline) = (&self.shared, inquiry.deadline);
        let slot = KeySlot::of(key);
        let mut owner = shared.map().owner(slot).cloned();
        let (mut failure, mut redirected) = (None, 0);
        for _ in 0..MAX_HOPS {
            if redirected > QUICK_HOPS && !deadline.pause(PAUSE).await {
                break;
            }
            let Some(node) = owner.take() else {
                self.want_map();
                if !deadline.pause(PAUSE).await {
                    break;
                }
                owner = shared.map().owner(slot).cloned();
                continue;
            };
            inquiry.standing = match failure.as_ref().map(|failure: &Failure| &failure.cause) {
                Some(Cause::Ask { .. }) => Standing::Importing,
                _ => Standing::Owner,
            };
            let mut refused = match node.ask(&inquiry).await {
                Ok(reply) => return Ok((reply, node)),
                Err(refused) => refused,
            };
            // Another node may have taken over, and what was sent may have been carried out. That
            // holds as well where the next node was not even asked.
            if refused.sent == Sent::Twice {
                inquiry.sent = Sent::Twice;
            }
            refused.sent = inquiry.sent;
            match &refused.cause {
                Cause::Moved { host, port } => {
                    owner = shared.node_at(host, *port, &node);
                    if let Some(owner) = &owner {
                        shared.learn(slot, owner);
                    }
                    redirected += 1;
                    self.want_map();
                }
                Cause::Ask { host, port } => {
                    owner = shared.node_at(host, *port, &node);
                    redirected += 1;
                }
                Cause::Broken | Cause::ClusterDown | Cause::Unreachable | Cause::ReadOnly => {
                    self.want_map();
                }
                Cause::TimedOut | Cause::Rejected => {
                    self.want_map();
                    return Err(refused);
                }
                _ => return Err(refused),
            }
            failure = Some(refused);
        }
        let in_circles =
            |failure: &Failure| matches!(failure.cause, Cause::Moved { .. } | Cause::Ask { .. });
        Err(failure.filter(|it| !in_circles(it)).unwrap_or_else(|| shared.nobody(deadline)))
    }
}

impl Shared {
    fn map(&self) -> Arc<SlotMap> {
        self.map.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The Cluster in words: the first of the nodes that it was named by.
    fn name(&self) -> String {
        self.seeds.nodes.first().map(|seed| seed.name().to_owned()).unwrap_or_default()
    }

    fn nobody(&self, deadline: Deadline) -> Failure {
        let message = format!("no node of the Redis Cluster at {} serves this key", self.name());
        let operation = deadline.operation();
        let error = StorageError::new(StorageErrorKind::Unavailable, operation, message);
        Failure::because(Cause::ClusterDown, error)
    }

    /// The pool of a node that another one has named.
    fn node_at(&self, host: &str, port: u16, named_by: &Pool) -> Option<Arc<Pool>> {
        let asker = named_by.address();
        let asker = asker.rsplit_once(':').map_or("", |(host, _)| host);
        let is_told = !host.is_empty() && host != "?";
        let host = if is_told { host } else { asker.trim_matches(['[', ']']) };
        let endpoint = self.seeds.data.at(host, port).ok()?;
        Some(self.pool(endpoint))
    }

    /// The pool to an endpoint: the one that there is, else a new one.
    fn pool(&self, endpoint: Endpoint) -> Arc<Pool> {
        let (mut known, named) = (self.known(), Instant::now());
        if let Some(one) = known.iter_mut().find(|one| *one.pool.address() == *endpoint.name()) {
            one.named = named;
            return one.pool.clone();
        }
        let connector = Connector::to(endpoint, self.timeout);
        let (settings, signals) = (self.settings.clone(), self.signals.clone());
        let pool = Arc::new(Pool::start(connector, settings, signals, &self.keys.probe(0)));
        known.push(Known { pool: pool.clone(), named });
        pool
    }

    fn known(&self) -> MutexGuard<'_, Vec<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A node has said that another one serves the slot.
    fn learn(&self, slot: KeySlot, owner: &Arc<Pool>) {
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        if map.owner(slot).is_some_and(|known| Arc::ptr_eq(known, owner)) {
            return;
        }
        *map = Arc::new(map.with_owner(slot, owner.clone()));
        drop(map);
        // The next refresh finds nothing new. The journal need not hear of it: with a slot its removals
        // move as well.
        self.drop_copies();
    }

    /// Asks the nodes for the map until one has told it: those that are known, then the seeds.
    async fn refresh(&self) -> Result<(), OpenError> {
        let _alone = self.asking.lock().await;
        let mut questions = Vec::new();
        for node in self.map().nodes() {
            if node.health().takes_reads() {
                questions.push(self.bounded(ask_node(node.clone())).boxed());
            }
        }
        for seed in &self.seeds.nodes {
            questions.push(self.bounded(ask_seed(seed)).boxed());
        }
        match first_answer(questions).await {
            Ok(served) => {
                self.take(&served);
                Ok(())
            }
            Err(failures) => {
                Err(failures.into_iter().max_by_key(telling).unwrap_or(OpenError::Lost))
            }
        }
    }

    /// One node may take half of the time, so that some is left to tell that none answers.
    async fn bounded(
        &self,
        asking: impl Future<Output = Result<Vec<Served>, OpenError>>,
    ) -> Result<Vec<Served>, OpenError> {
        let limit = self.timeout / 2;
        let asked = tokio::time::timeout(limit, asking).await;
        asked.unwrap_or(Err(OpenError::TimedOut { elapsed: limit }))
    }

    /// Takes over what a node has told.
    fn take(&self, served: &[Served]) {
        let map = SlotMap::new(served, |range: &Served| {
            Some(self.pool(self.seeds.data.at(&range.host, range.port).ok()?))
        });
        self.choose_probe_keys(&map);
        let serves = |pool: &Arc<Pool>| map.nodes().iter().any(|node| Arc::ptr_eq(node, pool));
        self.known().retain(|one| serves(&one.pool) || one.named.elapsed() < REMEMBERED);
        // Not what was known before the nodes were asked: meanwhile one may have said something else.
        let is_changed = !map.keeps_owners_of(&self.map());
        if is_changed {
            self.signals.emit(&Event::PrimaryChanged { node: &self.name() });
            // Before anybody asks the new owners.
            self.signals.history_changed();
        }
        *self.map.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(map);
        if is_changed {
            self.drop_copies();
        }
    }

    /// Who has served a slot may never call back what was read there. So nothing may stay of what was
    /// asked for by an earlier map, and this comes behind the new one.
    fn drop_copies(&self) {
        if let Some(near_cache) = &self.settings.near_cache {
            near_cache.clear();
        }
    }

    /// Gives each node a key of its own slots, for asking whether it takes writes.
    fn choose_probe_keys(&self, map: &SlotMap) {
        let mut without: Vec<&Arc<Pool>> = map.nodes().iter().collect();
        // A prefix with a tag in braces puts every key into one slot: the others are never used.
        for number in 0..1000 {
            if without.is_empty() {
                return;
            }
            let key = self.keys.probe(number);
            if let Some(owner) = map.owner(KeySlot::of(&key))
                && let Some(at) = without.iter().position(|node| Arc::ptr_eq(node, owner))
            {
                without.swap_remove(at).set_probe_key(&key);
            }
        }
    }
}

/// Which of several nodes' failures helps a person most.
fn telling(failure: &OpenError) -> u8 {
    match failure {
        OpenError::Denied(_) | OpenError::NotAllowed(_) => 4,
        OpenError::Unsupported(_) => 3,
        OpenError::NoSlots => 2,
        OpenError::Lost => 0,
        _ => 1,
    }
}

/// Keeps the map up to date until it is aborted.
fn refresh(shared: &Arc<Shared>) -> AbortHandle {
    tokio::spawn(refresh_for_ever(shared.clone())).abort_handle()
}

async fn refresh_for_ever(shared: Arc<Shared>) {
    let mut wait = CALM;
    loop {
        let _ = tokio::time::timeout(wait, shared.wanted.notified()).await;
        let _: Result<(), OpenError> = shared.refresh().await;
        let map = shared.map();
        let well = !map.nodes().is_empty() && map.nodes().iter().all(|n| n.health().takes_reads());
        wait = if well { CALM } else { TROUBLED };
        tokio::time::sleep(SHORTEST).await;
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.refreshing.get_mut().unwrap_or_else(PoisonError::into_inner).abort();
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("nodes", &self.shared.map().nodes()).finish_non_exhaustive()
    }
}
