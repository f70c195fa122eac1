//! [`Fleet`]: the servers that hold the sessions. They run without persistence, and end with the
//! value, which gives their memory back.

use std::time::{Duration, Instant};

use cloakroom::{Engine, Policy, SessionData, SessionStorage};
use cloakroom_redis::{RedisSessionStorage, RedisSessionStorageBuilder};
use cloakroom_testkit::{ClusterSet, RedisServer, Reply};
use tokio::time::sleep;

use super::gauge::Gauge;

/// So long that a server which is merely busy is not called down.
const NODE: [(&str, &str); 2] = [("cluster-enabled", "yes"), ("cluster-node-timeout", "15000")];
const PRIMARIES: u16 = 3;
const LIMIT: Duration = Duration::from_secs(30);
/// For whatever is not measured and must succeed.
const PATIENCE: Duration = Duration::from_secs(20);

/// So many that every server has some of them.
const WARM_UP: usize = 64;

/// How the sessions are spread over servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    /// One server.
    Standalone,
    /// A Cluster of three primaries without replicas.
    Cluster,
}

impl Topology {
    /// Each of them, the simpler one first.
    pub const ALL: [Self; 2] = [Self::Standalone, Self::Cluster];

    /// What it is called in a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standalone => "one server",
            Self::Cluster => "Cluster of 3 primaries",
        }
    }
}

/// Running servers.
pub struct Fleet {
    topology: Topology,
    servers: Vec<RedisServer>,
}

impl Fleet {
    /// Starts the servers; a Cluster is complete afterwards.
    pub async fn start(topology: Topology) -> Self {
        match topology {
            Topology::Standalone => Self::one_with(&[]).await,
            Topology::Cluster => Self { topology, servers: cluster().await },
        }
    }

    /// Starts one server with more settings.
    pub async fn one_with(settings: &[(&str, &str)]) -> Self {
        let server = RedisServer::start_with(settings).await.expect("redis-server is installed");
        Self { topology: Topology::Standalone, servers: vec![server] }
    }

    /// How the sessions are spread.
    pub fn topology(&self) -> Topology {
        self.topology
    }

    /// Each of the servers.
    pub fn servers(&self) -> &[RedisServer] {
        &self.servers
    }

    /// Where an application finds them.
    pub fn url(&self) -> String {
        let hosts: Vec<_> =
            self.servers.iter().map(|server| format!("127.0.0.1:{}", server.port())).collect();
        match self.topology {
            Topology::Standalone => format!("redis://{}", hosts.join(",")),
            Topology::Cluster => format!("redis+cluster://{}", hosts.join(",")),
        }
    }

    /// A storage that rather waits than fails.
    pub async fn patient_storage(&self) -> RedisSessionStorage {
        let builder = patient(RedisSessionStorage::builder().url(self.url()));
        builder.build().await.expect("the servers run")
    }

    /// An engine that rather waits than fails, for all that is not measured.
    pub async fn patient_engine(&self) -> Engine {
        let mut policy = Policy::default();
        policy.commit_timeout = PATIENCE;
        let engine = Engine::builder(self.patient_storage().await).policy(policy);
        engine.build().expect("the policy is sound")
    }

    /// Looks at the servers when they are empty and have met everything that comes with the first
    /// session: scripts, and tables of a size that is not given up again.
    pub async fn warmed_up(&self) -> Gauge {
        let storage = self.patient_storage().await;
        for number in 0..WARM_UP {
            let name = format!("warm-up-{number}");
            storage.set(&name, &SessionData::new(), None).await.expect("the servers run");
            storage.delete(&name).await.expect("the servers run");
        }
        drop(storage);
        Gauge::at_rest(self).await
    }

    /// Sends a command to every server.
    pub async fn order(&self, words: &[&str]) {
        for server in &self.servers {
            order(server, words).await;
        }
    }
}

fn patient(builder: RedisSessionStorageBuilder) -> RedisSessionStorageBuilder {
    builder.command_timeout(PATIENCE).load_timeout(PATIENCE).commit_timeout(PATIENCE)
}

async fn cluster() -> Vec<RedisServer> {
    let mut servers = Vec::new();
    for _ in 0..PRIMARIES {
        servers.push(RedisServer::start_with(&NODE).await.expect("redis-server is installed"));
    }
    let first_slot =
        |part: u16| u32::from(ClusterSet::SLOTS) * u32::from(part) / u32::from(PRIMARIES);
    for (part, server) in (0..).zip(&servers) {
        order(server, &["CLUSTER", "SET-CONFIG-EPOCH", &(part + 1).to_string()]).await;
        let slots: Vec<_> =
            (first_slot(part)..first_slot(part + 1)).map(|slot| slot.to_string()).collect();
        let words = ["CLUSTER", "ADDSLOTS"].into_iter().chain(slots.iter().map(String::as_str));
        order(server, &words.collect::<Vec<_>>()).await;
    }
    // A node may be given its epoch only as long as it knows no other one. Each is met, because it
    // learns its own address from that.
    for server in &servers {
        for other in &servers {
            order(server, &["CLUSTER", "MEET", "127.0.0.1", &other.port().to_string()]).await;
        }
    }
    let end = Instant::now() + LIMIT;
    for server in &servers {
        while !is_complete(server).await {
            assert!(Instant::now() < end, "the Cluster is not complete");
            sleep(Duration::from_millis(50)).await;
        }
    }
    servers
}

async fn is_complete(server: &RedisServer) -> bool {
    let info = order(server, &["CLUSTER", "INFO"]).await.text();
    let all = format!("cluster_size:{PRIMARIES}");
    let is = |line: &str| info.lines().any(|other| other == line);
    is("cluster_state:ok") && is(&all) && is("cluster_slots_ok:16384")
}

async fn order(server: &RedisServer, words: &[&str]) -> Reply {
    match server.ask(words).await.expect("the server answers") {
        Reply::Error(error) => panic!("{}: {error}", words[0]),
        reply => reply,
    }
}
