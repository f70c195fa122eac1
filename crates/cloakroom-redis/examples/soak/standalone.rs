//! [`Standalone`]: one server with an append-only file that is flushed before every answer, so that a
//! killed server loses nothing, and a proxy of its own for each application node.

use std::io;

use cloakroom_testkit::history::Moment;
use cloakroom_testkit::{FaultProxy, Persistence, RedisServer};

use crate::nodes::NODES;
use crate::scene::{Scene, order};
use crate::topology::Topology;
use crate::wire::{self, Wire};

pub(crate) struct Standalone {
    server: RedisServer,
    proxies: Vec<FaultProxy>,
}

#[derive(Clone, Copy)]
pub(crate) enum Fault {
    Frozen,
    Killed,
    Emptied,
    Restored,
    ScriptsFlushed,
    ClientsKilled,
    WritesPaused,
    MemoryFull,
    NoReplicas,
    Wire(Wire),
}

impl Topology for Standalone {
    type Fault = Fault;

    const NAME: &'static str = "standalone";

    const FAULTS: &'static [(&'static str, Fault)] = &[
        ("frozen", Fault::Frozen),
        ("killed, restarted with its data", Fault::Killed),
        ("killed, restarted empty", Fault::Emptied),
        ("killed, restarted with a backup", Fault::Restored),
        ("scripts flushed", Fault::ScriptsFlushed),
        ("clients killed", Fault::ClientsKilled),
        ("writes paused", Fault::WritesPaused),
        ("memory full", Fault::MemoryFull),
        ("replicas missing", Fault::NoReplicas),
        ("connections silent", Fault::Wire(Wire::OpenSilent)),
        ("network silent", Fault::Wire(Wire::AllSilent)),
        ("network refused", Fault::Wire(Wire::Refused)),
        ("connections reset", Fault::Wire(Wire::Reset)),
        ("wire slow", Fault::Wire(Wire::Slow)),
        ("wire late", Fault::Wire(Wire::Late)),
        ("replies cut", Fault::Wire(Wire::RepliesCut)),
        ("requests cut", Fault::Wire(Wire::RequestsCut)),
        ("replies dropped", Fault::Wire(Wire::RepliesDropped)),
        ("replies doubled", Fault::Wire(Wire::RepliesDoubled)),
        ("replies swapped", Fault::Wire(Wire::RepliesSwapped)),
        ("replies held", Fault::Wire(Wire::RepliesHeld)),
        ("writes held", Fault::Wire(Wire::WritesHeld)),
        ("-LOADING", Fault::Wire(Wire::Loading)),
        ("-OOM", Fault::Wire(Wire::Oom)),
        ("-MISCONF", Fault::Wire(Wire::Misconf)),
        ("-READONLY", Fault::Wire(Wire::ReadOnly)),
        ("-NOREPLICAS", Fault::Wire(Wire::NoReplicas)),
        ("-NOSCRIPT", Fault::Wire(Wire::NoScript)),
        ("-BUSY", Fault::Wire(Wire::Busy)),
        ("-NOAUTH", Fault::Wire(Wire::NoAuth)),
    ];

    async fn start() -> io::Result<Self> {
        let server = RedisServer::builder().persistence(Persistence::EveryWrite).start().await?;
        let mut proxies = Vec::new();
        for _ in 0..NODES {
            proxies.push(FaultProxy::before(&server).await?);
        }
        Ok(Self { server, proxies })
    }

    fn url(&self, node: usize) -> String {
        self.proxies[node % self.proxies.len()].url()
    }

    fn server(&self) -> &RedisServer {
        &self.server
    }

    async fn strike(&self, fault: Fault, scene: &mut Scene<'_>) -> io::Result<()> {
        let server = &self.server;
        // For a later fault that needs it. What is acknowledged by now is in it.
        let fresh = (scene.now(), server.snapshot().await?);
        scene.begins();
        match fault {
            Fault::Frozen => {
                server.freeze();
                scene.lasts(800..3_000).await;
                server.thaw();
            }
            Fault::Killed => {
                server.kill_now();
                scene.lasts(0..2_500).await;
                server.restart().await?;
            }
            Fault::Emptied => {
                server.kill_now();
                scene.lasts(0..1_500).await;
                server.restart_empty().await?;
                scene.restored_from(Moment::START);
            }
            Fault::Restored => {
                let (moment, backup) = scene.backup.take().unwrap_or_else(|| fresh.clone());
                server.kill_now();
                scene.lasts(0..1_500).await;
                server.restart_from(&backup).await?;
                scene.restored_from(moment);
            }
            Fault::ScriptsFlushed => {
                for _ in 0..20 {
                    order(server, &["SCRIPT", "FLUSH"]).await?;
                    scene.lasts(10..100).await;
                }
            }
            Fault::ClientsKilled => {
                for _ in 0..3 {
                    server.ask(["CLIENT", "KILL", "TYPE", "normal"]).await?;
                    scene.lasts(50..300).await;
                }
            }
            Fault::WritesPaused => {
                order(server, &["CLIENT", "PAUSE", "10000", "WRITE"]).await?;
                scene.lasts(300..2_500).await;
                order(server, &["CLIENT", "UNPAUSE"]).await?;
            }
            Fault::MemoryFull => {
                order(server, &["CONFIG", "SET", "maxmemory", "1"]).await?;
                scene.lasts(500..3_000).await;
                order(server, &["CONFIG", "SET", "maxmemory", "0"]).await?;
            }
            Fault::NoReplicas => {
                order(server, &["CONFIG", "SET", "min-replicas-to-write", "1"]).await?;
                scene.lasts(500..3_000).await;
                order(server, &["CONFIG", "SET", "min-replicas-to-write", "0"]).await?;
            }
            Fault::Wire(wire) => wire::strike(&self.proxies, wire, scene).await?,
        }
        scene.ends();
        scene.backup.get_or_insert(fresh);
        Ok(())
    }
}
