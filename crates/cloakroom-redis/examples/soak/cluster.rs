//! [`Cluster`]: three primaries and three replicas with asynchronous replication.

use std::collections::BTreeSet;
use std::io;

use cloakroom_testkit::{ClusterSet, RedisServer};

use crate::scene::{Scene, order};
use crate::topology::Topology;

/// How many slots are moved one after the other. Each holds a session.
const MOVED: usize = 40;

pub(crate) struct Cluster {
    set: ClusterSet,
}

#[derive(Clone, Copy)]
pub(crate) enum Fault {
    PrimaryKilled,
    PrimaryFrozen,
    PrimaryHiccups,
    FailedOver,
    SlotsMoved,
    ReplicaKilled,
    ClientsKilled,
    ScriptsFlushed,
}

impl Topology for Cluster {
    type Fault = Fault;

    const NAME: &'static str = "cluster";

    const FAULTS: &'static [(&'static str, Fault)] = &[
        ("primary killed", Fault::PrimaryKilled),
        ("primary frozen until replaced", Fault::PrimaryFrozen),
        ("primary frozen for a moment", Fault::PrimaryHiccups),
        ("planned failover", Fault::FailedOver),
        ("slots moved", Fault::SlotsMoved),
        ("replica killed", Fault::ReplicaKilled),
        ("clients killed", Fault::ClientsKilled),
        ("scripts flushed", Fault::ScriptsFlushed),
    ];

    // The replicas, which were primaries a moment ago.
    const REMEMBERED: u64 = 3;

    async fn start() -> io::Result<Self> {
        Ok(Self { set: ClusterSet::start().await? })
    }

    fn url(&self, _node: usize) -> String {
        self.set.url()
    }

    fn server(&self) -> &RedisServer {
        &self.set.nodes()[0]
    }

    async fn strike(&self, fault: Fault, scene: &mut Scene<'_>) -> io::Result<()> {
        let set = &self.set;
        let slot = scene.dice.below(usize::from(ClusterSet::SLOTS)) as u16;
        let primary = set.owner(slot).await?;
        match fault {
            Fault::PrimaryKilled => {
                scene.begins();
                primary.kill_now();
                set.owner_after(slot, primary).await?;
                scene.failed_over();
                scene.ends();
                scene.calm().await;
                scene.begins();
                primary.restart().await?;
                set.settled().await?;
                scene.ends();
            }
            Fault::PrimaryFrozen => {
                scene.begins();
                primary.freeze();
                let replaced = set.owner_after(slot, primary).await;
                scene.failed_over();
                scene.lasts(0..2_000).await;
                primary.thaw();
                replaced?;
                set.settled().await?;
                scene.failed_over();
                scene.ends();
            }
            Fault::PrimaryHiccups => {
                scene.begins();
                primary.freeze();
                scene.lasts(100..1_000).await;
                primary.thaw();
                scene.ends();
            }
            Fault::FailedOver => {
                scene.begins();
                set.fail_over(primary).await?;
                // Without a mark of a failover: the replica has everything before it takes over.
                set.settled().await?;
                scene.ends();
            }
            Fault::SlotsMoved => self.reshard(primary, scene).await?,
            Fault::ReplicaKilled => {
                let Some(replica) = set.replicas_of(primary).await?.into_iter().next() else {
                    return Err(io::Error::other("a primary has no replica"));
                };
                scene.begins();
                replica.kill_now();
                scene.lasts(500..3_000).await;
                replica.restart().await?;
                set.settled().await?;
                scene.ends();
            }
            Fault::ClientsKilled => {
                scene.begins();
                primary.ask(["CLIENT", "KILL", "TYPE", "normal"]).await?;
                scene.ends();
            }
            Fault::ScriptsFlushed => {
                scene.begins();
                for primary in set.primaries().await {
                    order(primary, &["SCRIPT", "FLUSH"]).await?;
                }
                scene.ends();
            }
        }
        Ok(())
    }
}

impl Cluster {
    /// Moves some of the slots in which sessions lie to another primary.
    async fn reshard(&self, from: &RedisServer, scene: &mut Scene<'_>) -> io::Result<()> {
        let primaries = self.set.primaries().await;
        let others: Vec<_> =
            primaries.into_iter().filter(|other| other.port() != from.port()).collect();
        let to = others[scene.dice.below(others.len())];
        let keys = from.ask(["KEYS", "*"]).await?.many();
        let mut slots = BTreeSet::new();
        for key in keys.into_iter().take(MOVED) {
            slots.insert(self.set.slot(&key.text()).await?);
        }
        scene.begins();
        for slot in slots {
            self.set.move_slots(slot..=slot, from, to).await?;
        }
        self.set.settled().await?;
        scene.ends();
        Ok(())
    }
}
