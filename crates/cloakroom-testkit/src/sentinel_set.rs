//! [`SentinelSet`]: one primary, two replicas and three Sentinels that watch them, with times so
//! short that a failover takes seconds. All of them die with the value and with the test process.

mod builder;
mod replication;

use std::io;
use std::time::Duration;

pub use builder::SentinelSetBuilder;

use crate::RedisServer;
use crate::patience::{not_yet, until};

/// Longer than a failover that has to be tried twice.
const LIMIT: Duration = Duration::from_secs(40);

/// Servers of which one is the primary, and Sentinels that choose it.
///
/// The members are ordinary [`RedisServer`]s: kill, freeze and restart them directly. A primary that
/// was replaced while it was down comes back as a primary, and is made a replica within seconds.
///
/// ```no_run
/// # // Starts real servers; the tests of this crate do the same.
/// use cloakroom_testkit::SentinelSet;
///
/// # async fn example() -> std::io::Result<()> {
/// let set = SentinelSet::start().await?;
/// let old = set.primary().await?;
/// old.kill_now();
/// let new = set.primary_after(old).await?;
/// assert_ne!(new.port(), old.port());
/// old.restart().await?;
/// set.settled().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SentinelSet {
    name: String,
    // Ended first, so that they do not begin a failover meanwhile.
    sentinels: Vec<RedisServer>,
    data: Vec<RedisServer>,
}

impl SentinelSet {
    /// Starts the six servers without persistence, and waits until they all know each other.
    ///
    /// # Errors
    /// Where a server does not start, or they do not agree within 40 s.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// A set that has yet to be set up: passwords, users, TLS, persistence, settings.
    pub fn builder() -> SentinelSetBuilder {
        SentinelSetBuilder::new()
    }

    /// The name under which the Sentinels know the servers.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `redis+sentinel://127.0.0.1:P1,127.0.0.1:P2,127.0.0.1:P3/NAME` with the login of the data
    /// servers, as in [`RedisServer::url`]. The Sentinels' own password is not part of it.
    pub fn url(&self) -> String {
        self.url_with(self.data.first().map(RedisServer::login))
    }

    /// The same URL with the login of the default user, who may do everything.
    pub fn plain_url(&self) -> String {
        self.url_with(self.data.first().map(RedisServer::plain_login))
    }

    /// The Sentinels' password.
    pub fn sentinel_password(&self) -> Option<&str> {
        self.sentinels.first().and_then(RedisServer::password)
    }

    /// The three servers that keep data.
    pub fn data(&self) -> &[RedisServer] {
        &self.data
    }

    /// The three Sentinels.
    pub fn sentinels(&self) -> &[RedisServer] {
        &self.sentinels
    }

    /// The member that listens on a port, be it a Sentinel.
    pub fn member(&self, port: u16) -> Option<&RedisServer> {
        self.data.iter().chain(&self.sentinels).find(|server| server.port() == port)
    }

    /// The primary, as most of the Sentinels say.
    ///
    /// # Errors
    /// Where no Sentinel answers.
    pub async fn primary(&self) -> io::Result<&RedisServer> {
        let mut ports = Vec::new();
        for sentinel in self.sentinels.iter().filter(|sentinel| sentinel.is_running()) {
            if let Ok(port) = self.primary_of(sentinel).await {
                ports.push(port);
            }
        }
        let votes = |port: &u16| ports.iter().filter(|other| *other == port).count();
        let port = ports.iter().copied().max_by_key(votes);
        let server = port.and_then(|port| self.member(port));
        server.ok_or_else(|| not_yet("no Sentinel knows a primary"))
    }

    /// The servers that keep data without being the primary.
    ///
    /// # Errors
    /// Where no Sentinel answers.
    pub async fn replicas(&self) -> io::Result<Vec<&RedisServer>> {
        let primary = self.primary().await?.port();
        Ok(self.data.iter().filter(|server| server.port() != primary).collect())
    }

    /// Waits until another server than `old` is the primary and takes writes as such.
    ///
    /// # Errors
    /// Where none is within 40 s.
    pub async fn primary_after(&self, old: &RedisServer) -> io::Result<&RedisServer> {
        until(LIMIT, || async move {
            let primary = self.primary().await?;
            let role = primary.info("replication", "role").await?;
            if primary.port() == old.port() || role != "master" {
                return Err(not_yet(format!("{} is {role}", primary.port())));
            }
            Ok(primary)
        })
        .await
    }

    /// Has the Sentinels replace a healthy primary, as before maintenance, and waits until another
    /// server takes writes.
    ///
    /// # Errors
    /// Where there is no replica to promote, or none is promoted within 40 s in three tries.
    pub async fn fail_over(&self) -> io::Result<&RedisServer> {
        let old = self.primary().await?;
        let running = self.sentinels.iter().find(|sentinel| sentinel.is_running());
        let sentinel = running.ok_or_else(|| not_yet("no Sentinel runs"))?;
        let mut tries = 0;
        loop {
            tries += 1;
            // Right after another failover the Sentinel refuses for a while.
            until(LIMIT, || sentinel.order(["SENTINEL", "FAILOVER", &self.name])).await?;
            // It gives a failover up without a word where a member is too slow for it.
            match self.primary_after(old).await {
                Err(_) if tries < 3 => {}
                done => return done,
            }
        }
    }

    /// Waits until all members that run agree on the primary, and all replicas follow it.
    ///
    /// # Errors
    /// Where they do not within 40 s, for example because one of them is frozen.
    pub async fn settled(&self) -> io::Result<()> {
        until(LIMIT, || async move {
            let primary = self.primary().await?;
            for sentinel in self.sentinels.iter().filter(|sentinel| sentinel.is_running()) {
                self.is_informed(sentinel, primary).await?;
            }
            let mut replicas = 0;
            for server in self.data.iter().filter(|server| server.is_running()) {
                if server.port() != primary.port() {
                    follows(server, primary).await?;
                    replicas += 1;
                }
            }
            let info = primary.order(["INFO", "replication"]).await?.text();
            let online = info.lines().filter(|line| line.contains("state=online")).count();
            if online != replicas || !info.contains("role:master") {
                return Err(not_yet(format!("{online} of {replicas} replicas are online")));
            }
            Ok(())
        })
        .await
    }

    async fn primary_of(&self, sentinel: &RedisServer) -> io::Result<u16> {
        let words = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", &self.name];
        let address = sentinel.order(words).await?.many();
        let port = address.get(1).and_then(|port| port.text().parse().ok());
        port.ok_or_else(|| not_yet("a Sentinel knows no primary"))
    }

    /// Whether a Sentinel knows everybody, and who of them is what.
    async fn is_informed(&self, sentinel: &RedisServer, primary: &RedisServer) -> io::Result<()> {
        let known = sentinel.order(["SENTINEL", "MASTER", &self.name]).await?.fields();
        let expected = [
            ("port", primary.port().to_string()),
            ("flags", "master".to_owned()),
            ("num-other-sentinels", (self.sentinels.len() - 1).to_string()),
        ];
        for (field, value) in expected {
            if known.get(field) != Some(&value) {
                return Err(not_yet(format!("a Sentinel's {field} is {:?}", known.get(field))));
            }
        }
        let replicas = sentinel.order(["SENTINEL", "REPLICAS", &self.name]).await?.many();
        let replicas: Vec<_> = replicas.into_iter().map(|replica| replica.fields()).collect();
        for server in self.data.iter().filter(|server| server.is_running()) {
            let port = server.port().to_string();
            let healthy = |replica: &&std::collections::BTreeMap<String, String>| {
                replica.get("port") == Some(&port)
                    && replica.get("flags").is_some_and(|flags| flags == "slave")
            };
            if server.port() != primary.port() && replicas.iter().find(healthy).is_none() {
                return Err(not_yet(format!("a Sentinel misses the replica {port}")));
            }
        }
        Ok(())
    }

    fn url_with(&self, login: Option<String>) -> String {
        let hosts: Vec<_> =
            self.sentinels.iter().map(|server| format!("127.0.0.1:{}", server.port())).collect();
        let tls = self.data.iter().any(|server| server.certificates().is_some());
        let scheme = if tls { "rediss+sentinel" } else { "redis+sentinel" };
        format!("{scheme}://{}{}/{}", login.unwrap_or_default(), hosts.join(","), self.name)
    }
}

/// Whether a replica has the data of that primary, and gets what comes after.
async fn follows(replica: &RedisServer, primary: &RedisServer) -> io::Result<()> {
    let link = replica.info("replication", "master_link_status").await?;
    let port = replica.info("replication", "master_port").await?;
    if link != "up" || port != primary.port().to_string() {
        return Err(not_yet(format!("{} follows {port:?}, link {link:?}", replica.port())));
    }
    Ok(())
}
