//! [`ClusterSet`]: a Redis Cluster of three primaries and three replicas with times so short that a
//! failover takes seconds. All of them die with the value and with the test process.

mod builder;
mod reshard;
mod view;

use std::io;
use std::time::Duration;

pub use builder::ClusterSetBuilder;
use view::{Node, View};

use crate::RedisServer;
use crate::patience::{not_yet, until};

/// Longer than a failover that has to be tried twice.
const LIMIT: Duration = Duration::from_secs(40);

/// Servers that share the slots of a Redis Cluster.
///
/// The nodes are ordinary [`RedisServer`]s: kill, freeze and restart them directly. A primary that
/// was replaced while it was down comes back as a replica of its successor.
///
/// ```no_run
/// # // Starts real servers; the tests of this crate do the same.
/// use cloakroom_testkit::ClusterSet;
///
/// # async fn example() -> std::io::Result<()> {
/// let cluster = ClusterSet::start().await?;
/// let slot = cluster.slot("cloakroom:session:1").await?;
/// let old = cluster.owner(slot).await?;
/// old.kill_now();
/// let new = cluster.owner_after(slot, old).await?;
/// assert_ne!(new.port(), old.port());
/// old.restart().await?;
/// cluster.settled().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ClusterSet {
    nodes: Vec<RedisServer>,
}

impl ClusterSet {
    /// How many slots a Cluster has.
    pub const SLOTS: u16 = 16_384;

    /// Starts the six servers without persistence, joins them, and waits until each says that the
    /// Cluster is complete. It takes about 3 s, of which a node waits 2 s on principle.
    ///
    /// # Errors
    /// Where a server does not start, or they do not agree within 40 s.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// A Cluster that has yet to be set up: password, users, TLS, persistence, settings.
    pub fn builder() -> ClusterSetBuilder {
        ClusterSetBuilder::new()
    }

    /// `redis+cluster://127.0.0.1:P1,127.0.0.1:P2,...` of all six nodes, with the login of
    /// [`RedisServer::url`].
    pub fn url(&self) -> String {
        self.url_with(self.nodes.first().map(RedisServer::login))
    }

    /// The same URL with the login of the default user, who may do everything.
    pub fn plain_url(&self) -> String {
        self.url_with(self.nodes.first().map(RedisServer::plain_login))
    }

    /// All six nodes, whatever they are at the moment; at the start the first three are primaries.
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    /// The node that listens on a port.
    pub fn node(&self, port: u16) -> Option<&RedisServer> {
        self.nodes.iter().find(|node| node.port() == port)
    }

    /// The slot of a key.
    ///
    /// # Errors
    /// Where no node answers.
    pub async fn slot(&self, key: &str) -> io::Result<u16> {
        let mut outcome = Err(not_yet("no node runs"));
        for node in self.running() {
            outcome = node.order(["CLUSTER", "KEYSLOT", key]).await;
            if outcome.is_ok() {
                break;
            }
        }
        u16::try_from(outcome?.number()).map_err(io::Error::other)
    }

    /// The node that says it serves a slot, and of several the one that was chosen last.
    ///
    /// # Errors
    /// Where there is none, because the node is down, frozen, or not replaced yet.
    pub async fn owner(&self, slot: u16) -> io::Result<&RedisServer> {
        let nodes = self.as_they_see_themselves().await;
        let serving = nodes.into_iter().filter(|(_, own)| own.serves(slot));
        let newest = serving.max_by_key(|(_, own)| own.epoch).map(|(server, _)| server);
        newest.ok_or_else(|| not_yet(format!("no node serves slot {slot}")))
    }

    /// Waits until another node than `old` serves a slot, in a Cluster that is complete.
    ///
    /// # Errors
    /// Where none does within 40 s.
    pub async fn owner_after(&self, slot: u16, old: &RedisServer) -> io::Result<&RedisServer> {
        until(LIMIT, || async move {
            let owner = self.owner(slot).await?;
            if owner.port() == old.port() {
                return Err(not_yet(format!("{} still serves slot {slot}", old.port())));
            }
            says_ok(owner).await?;
            Ok(owner)
        })
        .await
    }

    /// The nodes that say they serve slots, without those that are down or frozen.
    ///
    /// One that was replaced while it was frozen counts until it has noticed.
    pub async fn primaries(&self) -> Vec<&RedisServer> {
        let nodes = self.as_they_see_themselves().await;
        let serving = |own: &Node| own.is_primary() && own.first_slot().is_some();
        nodes.into_iter().filter(|(_, own)| serving(own)).map(|(server, _)| server).collect()
    }

    /// The nodes that say they follow a primary, without those that are down or frozen.
    ///
    /// # Errors
    /// Where the primary does not answer.
    pub async fn replicas_of(&self, primary: &RedisServer) -> io::Result<Vec<&RedisServer>> {
        let id = Some(primary.order(["CLUSTER", "MYID"]).await?.text());
        let nodes = self.as_they_see_themselves().await;
        let following = nodes.into_iter().filter(|(_, own)| own.follows == id);
        Ok(following.map(|(server, _)| server).collect())
    }

    /// Has a replica replace its healthy primary, as before maintenance, and waits until it serves
    /// the primary's slots.
    ///
    /// # Errors
    /// Where the node has no slots or no running replica, or this takes longer than 40 s.
    pub async fn fail_over(&self, primary: &RedisServer) -> io::Result<&RedisServer> {
        let slot = View::of(primary).await?.into_myself().and_then(|own| own.first_slot());
        let slot = slot.ok_or_else(|| not_yet(format!("{} has no slots", primary.port())))?;
        let replica = self.replicas_of(primary).await?.into_iter().next();
        let replica = replica.ok_or_else(|| not_yet("there is no replica to take over"))?;
        until(LIMIT, || async move {
            let owner = self.owner(slot).await?;
            if owner.port() == replica.port() {
                return says_ok(owner).await;
            }
            replica.order(["CLUSTER", "FAILOVER"]).await?;
            Err(not_yet(format!("{} has not taken over", replica.port())))
        })
        .await?;
        Ok(replica)
    }

    /// Waits until all nodes that run agree on who serves what, all slots are served, and all
    /// replicas follow.
    ///
    /// # Errors
    /// Where they do not within 40 s, for example because one of them is frozen.
    pub async fn settled(&self) -> io::Result<()> {
        until(LIMIT, || async move {
            let mut agreed: Option<View> = None;
            for server in self.running() {
                says_ok(server).await?;
                let view = View::of(server).await?;
                if let Some(lost) = self.running().find(|other| !view.reaches(other.port())) {
                    let text = format!("{} does not reach {}", server.port(), lost.port());
                    return Err(not_yet(text));
                }
                if agreed.as_ref().is_some_and(|agreed| agreed.owners() != view.owners()) {
                    return Err(not_yet(format!("{} sees other owners", server.port())));
                }
                let is_replica = view.myself().is_some_and(|own| own.follows.is_some());
                let link = server.info("replication", "master_link_status").await?;
                if is_replica && link != "up" {
                    return Err(not_yet(format!("{} does not follow yet", server.port())));
                }
                agreed = Some(view);
            }
            Ok(())
        })
        .await
    }

    fn running(&self) -> impl Iterator<Item = &RedisServer> {
        self.nodes.iter().filter(|node| node.is_running())
    }

    /// Each node that answers, with what it knows of itself: it is the first to know.
    async fn as_they_see_themselves(&self) -> Vec<(&RedisServer, Node)> {
        let mut nodes = Vec::new();
        for server in self.running() {
            let own = View::of(server).await.ok().and_then(View::into_myself);
            nodes.extend(own.map(|own| (server, own)));
        }
        nodes
    }

    fn url_with(&self, login: Option<String>) -> String {
        let hosts: Vec<_> =
            self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        let tls = self.nodes.iter().any(|node| node.certificates().is_some());
        let scheme = if tls { "rediss+cluster" } else { "redis+cluster" };
        format!("{scheme}://{}{}", login.unwrap_or_default(), hosts.join(","))
    }
}

async fn says_ok(node: &RedisServer) -> io::Result<()> {
    let info = node.order(["CLUSTER", "INFO"]).await?.text();
    let is = |line: &str| info.lines().any(|other| other == line);
    if is("cluster_state:ok") && is("cluster_slots_ok:16384") {
        return Ok(());
    }
    Err(not_yet(format!("the Cluster is not complete for {}", node.port())))
}
