//! [`Cluster`]: a pool for each primary of a Redis Cluster, and the map that says which of them a
//! key belongs to. Every question of this crate is about one key, so it goes to one node.
//!
//! The map is learnt from the nodes: when a node redirects, when one cannot be reached, and from
//! time to time. Whoever asks waits for a new map no longer than until the deadline.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use cloakroom::{ConfigError, ConfigErrorKind, Event, StorageError, StorageErrorKind};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::connector::{Connector, OpenError, connect_briefly};
use super::deadline::Deadline;
use super::failure::{Cause, Failure};
use super::node::NodeSettings;
use super::pool::{Inquiry, Pool, Reply, Sent};
use super::question::{Question, Standing};
use super::slot_map::{self, KeySlot, Served, SlotMap};
use super::start_error::config_error;
use crate::address::{ClusterSeeds, Endpoint};
use crate::keys::Keys;
use crate::signals::Signals;

/// How many nodes may be asked for one answer. The specification advises a handful; during a
/// resharding two are normal.
const MAX_HOPS: usize = 16;

/// How long to wait for another map before a key's node is asked again.
const PAUSE: Duration = Duration::from_millis(50);

/// How often the map is asked for: while all is well, while a node cannot be reached, and at most.
const CALM: Duration = Duration::from_secs(10);
const TROUBLED: Duration = Duration::from_millis(500);
const SHORTEST: Duration = Duration::from_millis(50);

/// How long one node may take to tell the map.
const LIMIT: Duration = Duration::from_millis(500);

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
        let wanted = Notify::new();
        let shared = Arc::new(Shared { seeds, timeout, settings, signals, keys, map, wanted });
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
        if map.nodes().is_empty() {
            let message = format!(
                "{} serves no hash slot: the Cluster has not been set up yet, or it is another one",
                self.shared.name()
            );
            return Err(ConfigError::new(ConfigErrorKind::Invalid, "url", message));
        }
        for node in map.nodes() {
            node.opened().await?;
        }
        Ok(())
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

    /// Asks the node that a key belongs to, wherever it is by now.
    pub(crate) async fn ask(
        &self,
        key: &[u8],
        question: Question<'_>,
        deadline: Deadline,
    ) -> Result<(Reply, Arc<Pool>), Failure> {
        let shared = &self.shared;
        let slot = KeySlot::of(key);
        let mut inquiry = Inquiry::new(question);
        let mut owner = shared.map().owner(slot).cloned();
        let mut failure = None;
        for _ in 0..MAX_HOPS {
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
            let refused = match node.ask(inquiry, deadline).await {
                Ok(reply) => return Ok((reply, node)),
                Err(refused) => refused,
            };
            match &refused.cause {
                Cause::Moved { host, port } => {
                    owner = shared.node_at(host, *port, &node);
                    if let Some(owner) = &owner {
                        shared.learn(slot, owner);
                    }
                    self.want_map();
                }
                Cause::Ask { host, port } => owner = shared.node_at(host, *port, &node),
                // Another node may have taken over. What was sent may have been carried out.
                Cause::Broken => {
                    inquiry.sent = Sent::Twice;
                    self.want_map();
                }
                Cause::ClusterDown | Cause::Unreachable | Cause::ReadOnly => {
                    self.want_map();
                }
                Cause::TimedOut => {
                    self.want_map();
                    return Err(refused);
                }
                _ => return Err(refused),
            }
            failure = Some(refused);
        }
        Err(failure.unwrap_or_else(|| shared.nobody(deadline)))
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
        Failure { error, cause: Cause::ClusterDown }
    }

    /// The pool of a node that another one has named.
    fn node_at(&self, host: &str, port: u16, named_by: &Pool) -> Option<Arc<Pool>> {
        let asker = named_by.address();
        let asker = asker.rsplit_once(':').map_or("", |(host, _)| host);
        let host = if host.is_empty() { asker.trim_matches(['[', ']']) } else { host };
        let endpoint = self.seeds.data.at(host, port).ok()?;
        Some(self.pool(&self.map(), endpoint))
    }

    /// The pool to an endpoint: the one of the map, else a new one.
    fn pool(&self, map: &SlotMap, endpoint: Endpoint) -> Arc<Pool> {
        let known = map.nodes().iter().find(|node| *node.address() == *endpoint.name());
        known.cloned().unwrap_or_else(|| {
            let connector = Connector::to(endpoint, self.timeout);
            let (settings, signals) = (self.settings.clone(), self.signals.clone());
            Arc::new(Pool::start(connector, settings, signals, &self.keys.probe(0)))
        })
    }

    /// A node has said that another one serves the slot.
    fn learn(&self, slot: KeySlot, owner: &Arc<Pool>) {
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        if !map.owner(slot).is_some_and(|known| Arc::ptr_eq(known, owner)) {
            *map = Arc::new(map.with_owner(slot, owner.clone()));
        }
    }

    /// Asks the nodes for the map until one has told it: those that are known, then the seeds.
    async fn refresh(&self) -> Result<(), OpenError> {
        let before = self.map();
        let mut nodes: Vec<_> = before.nodes().to_vec();
        nodes.sort_by_key(|node| !node.health().takes_reads());
        for node in nodes.iter().filter(|node| node.health().takes_reads()) {
            let address = node.address();
            if let Some(served) = node.cluster_slots(LIMIT).await {
                let host = address.rsplit_once(':').map_or("", |(host, _)| host);
                if self.take(&before, &served, host) {
                    return Ok(());
                }
            }
        }
        let mut failure = OpenError::Lost;
        for seed in &self.seeds.nodes {
            let host = seed.name().rsplit_once(':').map_or("", |(host, _)| host);
            let asking = async {
                let mut connection = connect_briefly(seed).await?;
                let slots = slots_command().query_async(&mut *connection).await?;
                Ok::<_, OpenError>(slots)
            };
            match tokio::time::timeout(LIMIT.max(self.timeout / 2), asking).await {
                Ok(Ok(served)) if self.take(&before, &served, host) => return Ok(()),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => failure = error,
                Err(_) => failure = OpenError::TimedOut { elapsed: LIMIT },
            }
        }
        Err(failure)
    }

    /// Takes over what a node has told. Answers whether it was a map.
    fn take(&self, before: &SlotMap, served: &redis::Value, asked: &str) -> bool {
        let Some(served) = slot_map::read(served, asked.trim_matches(['[', ']'])) else {
            return false;
        };
        let mut started: Vec<Arc<Pool>> = Vec::new();
        let map = SlotMap::new(&served, |range: &Served| {
            let endpoint = self.seeds.data.at(&range.host, range.port).ok()?;
            let fresh = started.iter().find(|node| *node.address() == *endpoint.name()).cloned();
            Some(fresh.unwrap_or_else(|| {
                let pool = self.pool(before, endpoint);
                started.push(pool.clone());
                pool
            }))
        });
        self.choose_probe_keys(&map);
        if !map.keeps_owners_of(before) {
            self.signals.emit(&Event::PrimaryChanged { node: &self.name() });
            // Before anybody asks the new owners.
            self.signals.history_changed();
        }
        *self.map.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(map);
        true
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

/// The command that tells the map. `CLUSTER SHARDS` would tell more; Redis 6.2 does not know it.
pub(super) fn slots_command() -> redis::Cmd {
    let mut command = redis::cmd("CLUSTER");
    command.arg("SLOTS");
    command
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
