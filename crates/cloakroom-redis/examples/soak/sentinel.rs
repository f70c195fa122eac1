//! [`Sentinel`]: one primary, two replicas and three Sentinels. Replication is asynchronous and
//! sign-outs are not waited for, so that each failover may lose what was acknowledged last.

use std::io;

use cloakroom_testkit::{RedisServer, SentinelSet};

use crate::scene::{Scene, order};
use crate::topology::Topology;

pub(crate) struct Sentinel {
    set: SentinelSet,
}

#[derive(Clone, Copy)]
pub(crate) enum Fault {
    PrimaryKilled,
    PrimaryFrozen,
    PrimaryHiccups,
    FailedOver,
    WritesLost,
    ReplicaKilled,
    SentinelKilled,
    SentinelFrozen,
    ClientsKilled,
    ScriptsFlushed,
}

impl Topology for Sentinel {
    type Fault = Fault;

    const NAME: &'static str = "sentinel";

    const FAULTS: &'static [(&'static str, Fault)] = &[
        ("primary killed", Fault::PrimaryKilled),
        ("primary frozen until replaced", Fault::PrimaryFrozen),
        ("primary frozen for a moment", Fault::PrimaryHiccups),
        ("planned failover", Fault::FailedOver),
        ("replication cut, primary killed", Fault::WritesLost),
        ("replica killed", Fault::ReplicaKilled),
        ("Sentinel killed", Fault::SentinelKilled),
        ("Sentinel frozen, primary killed", Fault::SentinelFrozen),
        ("clients killed", Fault::ClientsKilled),
        ("scripts flushed", Fault::ScriptsFlushed),
    ];

    async fn start() -> io::Result<Self> {
        Ok(Self { set: SentinelSet::start().await? })
    }

    fn url(&self, _node: usize) -> String {
        self.set.url()
    }

    fn server(&self) -> &RedisServer {
        &self.set.data()[0]
    }

    async fn strike(&self, fault: Fault, scene: &mut Scene<'_>) -> io::Result<()> {
        let set = &self.set;
        let primary = set.primary().await?;
        match fault {
            Fault::PrimaryKilled => {
                scene.begins();
                self.replace_dead(primary, scene).await?;
            }
            Fault::WritesLost => {
                scene.begins();
                set.cut_replication().await?;
                scene.lasts(300..2_500).await;
                self.replace_dead(primary, scene).await?;
            }
            Fault::SentinelFrozen => {
                let sentinel = &set.sentinels()[scene.dice.below(set.sentinels().len())];
                scene.begins();
                sentinel.freeze();
                primary.kill_now();
                let replaced = set.primary_after(primary).await;
                sentinel.thaw();
                replaced?;
                self.restored(primary, scene).await?;
            }
            Fault::PrimaryFrozen => {
                scene.begins();
                primary.freeze();
                let replaced = set.primary_after(primary).await;
                scene.failed_over();
                scene.lasts(0..2_000).await;
                primary.thaw();
                replaced?;
                self.end_of_the_old_primary(scene).await?;
            }
            Fault::PrimaryHiccups => {
                scene.begins();
                primary.freeze();
                scene.lasts(100..700).await;
                primary.thaw();
                scene.ends();
            }
            Fault::FailedOver => {
                scene.begins();
                set.fail_over().await?;
                scene.failed_over();
                self.end_of_the_old_primary(scene).await?;
            }
            Fault::ReplicaKilled => {
                let replicas = set.replicas().await?;
                let replica = replicas[scene.dice.below(replicas.len())];
                scene.begins();
                self.out(replica, scene).await?;
            }
            Fault::SentinelKilled => {
                let sentinel = &set.sentinels()[scene.dice.below(set.sentinels().len())];
                scene.begins();
                self.out(sentinel, scene).await?;
            }
            Fault::ClientsKilled => {
                scene.begins();
                primary.ask(["CLIENT", "KILL", "TYPE", "normal"]).await?;
                scene.ends();
            }
            Fault::ScriptsFlushed => {
                scene.begins();
                order(primary, &["SCRIPT", "FLUSH"]).await?;
                scene.ends();
            }
        }
        Ok(())
    }
}

impl Sentinel {
    /// Kills the primary. For the clients the fault is over as soon as another one takes writes.
    async fn replace_dead(&self, primary: &RedisServer, scene: &mut Scene<'_>) -> io::Result<()> {
        primary.kill_now();
        self.set.primary_after(primary).await?;
        self.restored(primary, scene).await
    }

    /// Another server is the primary; the dead one comes back later, as a replica.
    async fn restored(&self, primary: &RedisServer, scene: &mut Scene<'_>) -> io::Result<()> {
        scene.failed_over();
        scene.ends();
        scene.calm().await;
        scene.begins();
        primary.restart().await?;
        self.set.heal_replication().await?;
        self.set.settled().await?;
        scene.ends();
        Ok(())
    }

    /// A primary that was replaced while it was alive goes on until somebody tells it. What it takes
    /// until then is lost, which is a failover once more.
    async fn end_of_the_old_primary(&self, scene: &mut Scene<'_>) -> io::Result<()> {
        self.set.settled().await?;
        scene.failed_over();
        scene.ends();
        Ok(())
    }

    /// Kills a member that clients do not need, and starts it again.
    async fn out(&self, member: &RedisServer, scene: &mut Scene<'_>) -> io::Result<()> {
        member.kill_now();
        scene.lasts(500..3_000).await;
        member.restart().await?;
        self.set.settled().await?;
        scene.ends();
        Ok(())
    }
}
