//! [`ClusterSetBuilder`]: makes a Cluster out of six servers, without any other program than the
//! server's.

use std::io;

use tokio::try_join;

use super::{ClusterSet, LIMIT};
use crate::patience::until;
use crate::redis_server::Setting;
use crate::{RedisServer, RedisServerBuilder};

const PRIMARIES: u16 = 3;

/// Times in milliseconds. Replicas stay with their primaries, so that a test knows who is where.
const NODE: [(&str, &str); 4] = [
    ("cluster-enabled", "yes"),
    ("cluster-node-timeout", "2000"),
    ("cluster-replica-validity-factor", "0"),
    ("cluster-migration-barrier", "10"),
];

/// Sets up a [`ClusterSet`].
///
/// ```no_run
/// # // Starts real servers; the tests of this crate do the same.
/// use cloakroom_testkit::{ClusterSet, Persistence, RedisServer};
///
/// # async fn example() -> std::io::Result<()> {
/// let node = RedisServer::builder().password("secret").persistence(Persistence::EverySecond);
/// let cluster = ClusterSet::builder().nodes(node).start().await?;
/// assert_eq!(cluster.nodes().len(), 6);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a Cluster is started by `start`"]
pub struct ClusterSetBuilder {
    node: RedisServerBuilder,
}

impl ClusterSetBuilder {
    pub(super) fn new() -> Self {
        Self { node: RedisServer::builder() }
    }

    /// Sets what each of the nodes is set up with; a port is not taken over.
    pub fn nodes(mut self, server: RedisServerBuilder) -> Self {
        self.node = server;
        self
    }

    /// Starts the nodes, joins them, and waits until each says that the Cluster is complete.
    ///
    /// # Errors
    /// Where a server does not start, or they do not agree within 40 s.
    pub async fn start(self) -> io::Result<ClusterSet> {
        let node = || {
            self.node
                .clone()
                .on_any_port()
                .replicating()
                .defaults(NODE.map(|(name, value)| Setting::new(name, value)))
                .start()
        };
        let (a, b, c, d, e, f) = try_join!(node(), node(), node(), node(), node(), node())?;
        let cluster = ClusterSet { nodes: vec![a, b, c, d, e, f] };
        cluster.share_slots().await?;
        cluster.introduce().await?;
        cluster.follow().await?;
        cluster.settled().await?;
        Ok(cluster)
    }
}

impl ClusterSet {
    async fn share_slots(&self) -> io::Result<()> {
        for (place, node) in (0..).zip(&self.nodes) {
            // Nodes of equal epochs would have to agree on an order first.
            node.order(["CLUSTER", "SET-CONFIG-EPOCH", &(place + 1).to_string()]).await?;
            if place < PRIMARIES {
                let of = |part: u16| {
                    u32::from(ClusterSet::SLOTS) * u32::from(part) / u32::from(PRIMARIES)
                };
                let slots = (of(place)..of(place + 1)).map(|slot| slot.to_string());
                let words = ["CLUSTER", "ADDSLOTS"].map(str::to_owned);
                node.order(words.into_iter().chain(slots)).await?;
            }
        }
        Ok(())
    }

    /// Each node meets each other one, which is faster than to let the word get round.
    async fn introduce(&self) -> io::Result<()> {
        for (place, node) in self.nodes.iter().enumerate() {
            for other in &self.nodes[place + 1..] {
                let port = other.port().to_string();
                node.order(["CLUSTER", "MEET", "127.0.0.1", &port]).await?;
            }
        }
        Ok(())
    }

    async fn follow(&self) -> io::Result<()> {
        let (primaries, replicas) = self.nodes.split_at(usize::from(PRIMARIES));
        for (primary, replica) in primaries.iter().zip(replicas) {
            let id = primary.order(["CLUSTER", "MYID"]).await?.text();
            // Refused until the two have met.
            until(LIMIT, || replica.order(["CLUSTER", "REPLICATE", &id])).await?;
        }
        Ok(())
    }
}
