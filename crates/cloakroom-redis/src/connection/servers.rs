//! [`Servers`]: one server, or the primaries of a Cluster. Whoever asks names the key that the
//! question is about, and need not know which of them it was put to.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use cloakroom::{ConfigError, ConfigErrorKind, NodeHealth, Operation, StorageError, Timestamp};
use redis::Value;

use super::cluster::Cluster;
use super::connector::Connector;
use super::deadline::{Deadline, Timeouts};
use super::failure::Failure;
use super::hearing::Deaf;
use super::node::NodeSettings;
use super::pool::Pool;
use super::question::{Inquiry, Question, Sent};
use crate::address::Topology;
use crate::error::unexpected;
use crate::keys::Keys;
use crate::server_clock::ServerClock;
use crate::signals::Signals;

/// How the connections are made and how long may be waited for an answer.
#[derive(Clone, Debug)]
pub(crate) struct ServerSettings {
    pub(crate) connection_timeout: Duration,
    pub(crate) timeouts: Timeouts,
    pub(crate) node: NodeSettings,
}

#[derive(Debug)]
pub(crate) struct Servers {
    place: Place,
    timeouts: Timeouts,
}

#[derive(Debug)]
enum Place {
    One(Box<Pool>),
    Cluster(Cluster),
}

/// A server's answer, and the server.
pub(crate) struct Answer<'a> {
    pub(crate) value: Value,
    pub(crate) sent: Sent,
    pub(crate) server: Server<'a>,
}

/// The server that has answered.
pub(crate) enum Server<'a> {
    One(&'a Pool),
    Member(Arc<Pool>),
}

impl Servers {
    /// Begins to open all connections, and waits for none.
    pub(crate) fn start(
        topology: Topology,
        settings: ServerSettings,
        signals: Arc<Signals>,
        keys: &Keys,
    ) -> Self {
        let ServerSettings { connection_timeout: timeout, timeouts, node } = settings;
        let one = |connector| {
            let pool = Pool::start(connector, node.clone(), signals.clone(), &keys.probe(0));
            Place::One(Box::new(pool))
        };
        let place = match topology {
            Topology::Standalone(endpoint) => one(Connector::to(endpoint, timeout)),
            Topology::Sentinel(group) => one(Connector::through(group, timeout)),
            Topology::Cluster(seeds) => {
                let keys = keys.clone();
                Place::Cluster(Cluster::start(seeds, timeout, node.clone(), signals.clone(), keys))
            }
        };
        Self { place, timeouts }
    }

    /// Waits until every connection is open. Each has been proven by a PING.
    pub(crate) async fn opened(&self) -> Result<(), ConfigError> {
        match &self.place {
            Place::One(pool) => pool.opened().await,
            Place::Cluster(cluster) => cluster.opened().await,
        }
    }

    /// Whether the near-cache hears of changes on all servers, where there is one.
    ///
    /// # Errors
    /// Where a server does not tell of them; the error says what to do.
    pub(crate) fn heard(&self) -> Result<(), ConfigError> {
        let deaf = self.each().into_iter().find_map(|one| Some((one.deaf()?, one.address())));
        deaf.map_or(Ok(()), |(deaf, host)| {
            let kind = match deaf {
                Deaf::NotAllowed => ConfigErrorKind::Denied,
                Deaf::OldProtocol | Deaf::Refused => ConfigErrorKind::Invalid,
            };
            Err(ConfigError::new(kind, "near_cache", format!("{host}: {}", deaf.remedy())))
        })
    }

    /// How long an operation may take, with everything that is tried for it.
    pub(crate) fn timeout(&self, operation: Operation) -> Duration {
        self.timeouts.of(operation)
    }

    /// A deadline for an operation that begins now.
    pub(crate) fn deadline(&self, operation: Operation) -> Deadline {
        self.timeouts.start(operation)
    }

    /// The same with as much time as another operation has.
    pub(crate) fn deadline_as(&self, operation: Operation, other: Operation) -> Deadline {
        self.timeouts.start_as(operation, other)
    }

    /// Asks about a key and waits for the answer until the operation's timeout.
    pub(crate) async fn ask(
        &self,
        key: &[u8],
        operation: Operation,
        question: Question<'_>,
    ) -> Result<Answer<'_>, StorageError> {
        self.ask_until(key, question, self.deadline(operation)).await
    }

    /// Asks about a key and waits for the answer until a deadline that several questions share.
    pub(crate) async fn ask_until(
        &self,
        key: &[u8],
        question: Question<'_>,
        deadline: Deadline,
    ) -> Result<Answer<'_>, StorageError> {
        self.put(key, &Inquiry::new(question, deadline)).await
    }

    pub(super) async fn put(
        &self,
        key: &[u8],
        inquiry: &Inquiry<'_>,
    ) -> Result<Answer<'_>, StorageError> {
        let answer = match &self.place {
            Place::One(pool) => {
                let reply = pool.ask(inquiry).await;
                reply
                    .map(|reply| (reply, Server::One(pool)))
                    .map_err(|failure| failure.outside_of_a_cluster(inquiry.operation()))
            }
            // Boxed, so that one server's requests do not carry the Cluster's room along.
            Place::Cluster(cluster) => Box::pin(cluster.ask(key, *inquiry))
                .await
                .map(|(reply, pool)| (reply, Server::Member(pool))),
        };
        match answer {
            Ok((reply, server)) => Ok(Answer { value: reply.value, sent: reply.sent, server }),
            Err(failure) => Err(failure.told(inquiry.operation())),
        }
    }

    /// The time of the server that a key belongs to; `None` as long as no server has told it.
    pub(crate) fn now(&self, key: &[u8]) -> Option<Timestamp> {
        match &self.place {
            Place::One(pool) => pool.clock().told(),
            Place::Cluster(cluster) => cluster.owner(key)?.clock().told(),
        }
    }

    /// The same for writing by it; `None` where it was not told lately.
    pub(crate) fn recent(&self, key: &[u8]) -> Option<Timestamp> {
        match &self.place {
            Place::One(pool) => pool.clock().recent(),
            Place::Cluster(cluster) => cluster.owner(key)?.clock().recent(),
        }
    }

    /// The server that a key belongs to; `None` where no node of a Cluster is known for it.
    pub(crate) fn of(&self, key: &[u8]) -> Option<Server<'_>> {
        match &self.place {
            Place::One(pool) => Some(Server::One(pool)),
            Place::Cluster(cluster) => cluster.owner(key).map(Server::Member),
        }
    }

    /// Every server with sessions of its own.
    pub(crate) fn each(&self) -> Vec<Server<'_>> {
        match &self.place {
            Place::One(pool) => vec![Server::One(pool)],
            Place::Cluster(cluster) => cluster.nodes().into_iter().map(Server::Member).collect(),
        }
    }

    /// The same for an operation that needs one at least: no answer must not look like nothing there.
    ///
    /// # Errors
    /// As long as none of a Cluster's primaries is known.
    pub(crate) fn all(&self, operation: Operation) -> Result<Vec<Server<'_>>, StorageError> {
        let servers = self.each();
        match &self.place {
            Place::Cluster(cluster) if servers.is_empty() => {
                Err(cluster.nobody(self.deadline(operation)))
            }
            _ => Ok(servers),
        }
    }

    pub(crate) fn health(&self) -> Vec<NodeHealth> {
        self.each().iter().map(|server| server.health()).collect()
    }

    /// What somebody should look at, each thing once.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<_> =
            self.each().iter().flat_map(|server| server.warnings()).collect();
        warnings.sort_unstable();
        warnings.dedup();
        warnings
    }
}

impl Server<'_> {
    /// Asks this server and no other one.
    pub(crate) async fn ask_here(
        &self,
        question: Question<'_>,
        deadline: Deadline,
    ) -> Result<Value, StorageError> {
        let reply = self.ask(&Inquiry::new(question, deadline)).await;
        reply.map(|reply| reply.value).map_err(|failure| failure.error)
    }
}

impl Answer<'_> {
    /// The clock of the server that has answered.
    pub(crate) fn clock(&self) -> &ServerClock {
        self.server.clock()
    }

    /// The answer is none that this question can have.
    pub(crate) fn unexpected(&self, operation: Operation) -> StorageError {
        let Failure { error, .. } = self.server.out_of_step(operation);
        debug_assert_eq!(error.to_string(), unexpected(operation).to_string());
        error
    }
}

impl Deref for Server<'_> {
    type Target = Pool;

    fn deref(&self) -> &Pool {
        match self {
            Self::One(pool) => pool,
            Self::Member(pool) => pool,
        }
    }
}
