//! [`Connector`]: finds out where the server is, opens one connection to it and proves that it works.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cloakroom::{Timestamp, end_by};
use futures_util::future::{Either, select};
use redis::{AsyncConnectionConfig, ErrorKind, ProtocolVersion, RedisError, Value};

use super::hearing::{self, Answered, Deaf, Hearing};
use super::open_error::OpenError;
use super::sentinel::Sentinels;
use crate::address::{Endpoint, Link, SentinelGroup};
use crate::error::{is_broken, is_denied, is_unknown_command};
use crate::near_cache::{Cache, Coverage, Listener, Moment};
use crate::server_clock::ServerClock;
use crate::server_info::{Role, ServerInfo};

/// How many commands a connection takes over before the next ones wait for their turn: more than the
/// pool gives to one connection while another is free.
const QUEUE: usize = 256;

/// How long a Sentinel may take to confirm what it has said before.
const CONFIRMATION: Duration = Duration::from_millis(300);

/// Knows how to get to one server and how long opening a connection may take. It has no debug form:
/// the endpoints in it know the password.
pub(crate) struct Connector {
    target: Target,
    timeout: Duration,
    pings: AtomicU64,
}

enum Target {
    One(Endpoint),
    Sentinel(Box<Sentinels>),
}

/// A new connection, and what the server said when it was opened.
pub(super) struct Opened {
    pub(super) connection: Link,
    pub(super) address: Arc<str>,
    pub(super) now: Timestamp,
    /// Nothing where the user may not ask for it.
    pub(super) info: Option<ServerInfo>,
    pub(super) hearing: Hearing,
}

/// What a connection that was asked for a sign of life did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    Answered,
    /// It refused to answer, as a server does that cannot save. It serves reads all the same.
    Refused,
    /// It answered that it is not ready to serve anybody.
    NotReady,
    Broken,
    Silent,
    /// It answered another question than the one that was put: its answers are out of step.
    OutOfStep,
    /// It leads to a server that is not the primary any more.
    NotPrimary,
}

impl Connector {
    /// Connects to one server.
    pub(crate) fn to(endpoint: Endpoint, timeout: Duration) -> Self {
        Self::new(Target::One(endpoint), timeout)
    }

    /// Connects to the server that the Sentinels call the primary.
    pub(crate) fn through(group: SentinelGroup, timeout: Duration) -> Self {
        Self::new(Target::Sentinel(Box::new(Sentinels::new(group, timeout))), timeout)
    }

    fn new(target: Target, timeout: Duration) -> Self {
        Self { target, timeout, pings: AtomicU64::new(0) }
    }

    /// A connector to the same place.
    pub(super) fn another(&self) -> Self {
        let target = match &self.target {
            Target::One(endpoint) => Target::One(endpoint.clone()),
            Target::Sentinel(sentinels) => Target::Sentinel(Box::new(sentinels.another())),
        };
        Self::new(target, self.timeout)
    }

    /// What is told of a server that has not been found yet, without credentials.
    pub(super) fn first_name(&self) -> Arc<str> {
        match &self.target {
            Target::One(endpoint) => endpoint.name().into(),
            Target::Sentinel(sentinels) => format!("primary {}", sentinels.master()).into(),
        }
    }

    /// The number of the database that the connections are in, for as long as they live.
    #[cfg(feature = "tracing")]
    pub(super) fn database(&self) -> u32 {
        match &self.target {
            Target::One(endpoint) => endpoint.access().database(),
            Target::Sentinel(sentinels) => sentinels.data().database(),
        }
    }

    /// What else a person may look at where the server does not answer.
    pub(super) fn when_silent(&self) -> &'static str {
        match &self.target {
            Target::One(endpoint) => endpoint.access().when_silent(),
            Target::Sentinel(sentinels) => sentinels.data().when_silent(),
        }
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Opens a connection and asks it for a PONG, the time and what it is, all within the limit.
    /// Where there is a near-cache, the connection hears of changes, if the server lets it.
    pub(super) async fn open(
        &self,
        limit: Duration,
        near_cache: Option<&Arc<Cache>>,
    ) -> Result<Opened, OpenError> {
        let start = Instant::now();
        let opened = tokio::time::timeout(limit, self.open_unbounded(near_cache)).await;
        opened.map_err(|_| OpenError::TimedOut { elapsed: start.elapsed() })?
    }

    /// Asks a connection for a PONG that only this question can have.
    pub(super) async fn prove(&self, connection: &mut Link, limit: Duration) -> Proof {
        let number = self.pings.fetch_add(1, Ordering::Relaxed).to_string();
        let mut ping = redis::cmd("PING");
        ping.arg(&number);
        let proof = async {
            let proof = match connection.send_packed_command(&ping).await {
                Err(error) if is_broken(&error) => return Proof::Broken,
                Ok(Value::ServerError(error)) => refused(&error.into()),
                Err(error) => refused(&error),
                Ok(Value::BulkString(pong)) if pong == number.as_bytes() => Proof::Answered,
                Ok(_) => return Proof::OutOfStep,
            };
            if matches!(self.target, Target::Sentinel(_)) {
                match prove_primary(connection).await {
                    Proof::Answered => {}
                    failed => return failed,
                }
            }
            proof
        };
        end_by(tokio::time::Instant::now() + limit, proof).await.unwrap_or(Proof::Silent)
    }

    /// The server that is the primary now, where somebody else than the server knows it.
    pub(super) async fn primary(&self) -> Option<Arc<str>> {
        match &self.target {
            Target::One(_) => None,
            Target::Sentinel(sentinels) => {
                sentinels.primary().await.ok().map(|endpoint| endpoint.name().into())
            }
        }
    }

    async fn open_unbounded(&self, near_cache: Option<&Arc<Cache>>) -> Result<Opened, OpenError> {
        let sentinels = match &self.target {
            Target::One(endpoint) => return self.open_at(endpoint, near_cache).await,
            Target::Sentinel(sentinels) => sentinels,
        };
        loop {
            let endpoint = sentinels.primary().await?;
            let opened = pin!(self.open_primary(&endpoint, sentinels, near_cache));
            // A primary that hangs must not keep anybody from following the next one.
            match select(opened, pin!(sentinels.name_another_than(&endpoint))).await {
                Either::Left((opened, _)) => return opened,
                Either::Right(((), _)) => {}
            }
        }
    }

    async fn open_primary(
        &self,
        endpoint: &Endpoint,
        sentinels: &Sentinels,
        near_cache: Option<&Arc<Cache>>,
    ) -> Result<Opened, OpenError> {
        let mut opened = self.open_at(endpoint, near_cache).await?;
        let is_replica = opened.info.as_ref().is_some_and(|info| info.role == Role::Replica);
        if is_replica || !matches!(prove_primary(&mut opened.connection).await, Proof::Answered) {
            return Err(OpenError::NotPrimary);
        }
        // A server that was frozen does not know that it has been replaced meanwhile.
        let named = tokio::time::timeout(CONFIRMATION, sentinels.primary()).await;
        match named {
            Ok(Ok(primary)) if primary.name() != endpoint.name() => Err(OpenError::NotPrimary),
            _ => Ok(opened),
        }
    }

    async fn open_at(
        &self,
        endpoint: &Endpoint,
        near_cache: Option<&Arc<Cache>>,
    ) -> Result<Opened, OpenError> {
        let (mut connection, hearing) = self.connect(endpoint, near_cache).await?;
        let asked = Moment::now();
        // One after the other: the error of a pipeline does not tell the server's code.
        match redis::cmd("PING").query_async::<Value>(&mut *connection).await {
            // A server that cannot save refuses even this, and serves reads all the same.
            Err(error) if error.code() != Some("MISCONF") => {
                return Err(OpenError::of_command("PING", error));
            }
            Err(_) => {}
            Ok(_) => {
                if let Some(coverage) = hearing.coverage() {
                    coverage.confirm(asked);
                }
            }
        }
        let now = ServerClock::ask().query_async(&mut *connection).await;
        let now = now.map_err(|error| OpenError::of_command("TIME", error))?;
        let now = ServerClock::read(now).map_err(RedisError::from)?;
        let info = ask_info(&mut connection).await?;
        if let Some(info) = &info {
            info.check(endpoint.name()).map_err(|lack| OpenError::Unsupported(lack.to_string()))?;
        }
        Ok(Opened { connection, address: endpoint.name().into(), now, info, hearing })
    }

    async fn connect(
        &self,
        endpoint: &Endpoint,
        near_cache: Option<&Arc<Cache>>,
    ) -> Result<(Link, Hearing), OpenError> {
        // Both limits are ours: the client's own ones name neither the operation nor the setting.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(QUEUE);
        let asked_for = endpoint.access().protocol();
        let speaks_old = asked_for == Some(ProtocolVersion::RESP2);
        if !speaks_old {
            match self.connect_hearing(endpoint, config.clone(), near_cache).await {
                // What stands between us and the server may not know the command. Each connection
                // finds out for itself: the next one may lead elsewhere.
                Err(error) if asked_for.is_none() && is_unknown_hello(&error) => {}
                opened => return Ok(opened?),
            }
        }
        let deaf = near_cache.map_or(Hearing::NotWanted, |_| Hearing::Deaf(Deaf::OldProtocol));
        Ok((endpoint.connect(ProtocolVersion::RESP2, config).await?, deaf))
    }

    /// Connects in RESP3, in which the server may say something without being asked.
    async fn connect_hearing(
        &self,
        endpoint: &Endpoint,
        config: AsyncConnectionConfig,
        near_cache: Option<&Arc<Cache>>,
    ) -> Result<(Link, Hearing), RedisError> {
        let coverage = Arc::<Coverage>::default();
        let config = match near_cache {
            Some(cache) => config.set_push_sender(Listener::new(cache.clone(), coverage.clone())),
            None => config,
        };
        let mut link = endpoint.connect(ProtocolVersion::RESP3, config).await?;
        if near_cache.is_none() {
            return Ok((link, Hearing::NotWanted));
        }
        let hearing = match hearing::begin(&mut link).await {
            Ok(()) => Hearing::Well(coverage),
            Err(Answered::No(deaf)) => Hearing::Deaf(deaf),
            Err(Answered::Nothing(error)) => return Err(error),
        };
        Ok((link, hearing))
    }
}

/// Opens a connection for a few questions. The caller bounds how long that may take.
pub(super) async fn connect_briefly(endpoint: &Endpoint) -> Result<Link, OpenError> {
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    Ok(endpoint.connect(ProtocolVersion::RESP2, config).await?)
}

/// Whether the server does not know `HELLO`, with which RESP3 begins. Another refusal of it, as of one
/// connection too many, says nothing of what the server knows.
pub(crate) fn is_unknown_hello(error: &RedisError) -> bool {
    error.kind() == ErrorKind::RESP3NotSupported
        || error.code() == Some("NOPROTO")
        || is_unknown_command(error)
}

async fn ask_info(connection: &mut Link) -> Result<Option<ServerInfo>, OpenError> {
    match ServerInfo::ask().query_async::<Value>(&mut **connection).await {
        Ok(info) => Ok(ServerInfo::read(&info)),
        Err(error) if is_denied(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A refusal is an answer too: a server that cannot save refuses even a PING, and serves reads all the
/// same. One that reads its data from disk serves nobody.
fn refused(error: &RedisError) -> Proof {
    match error.code() {
        Some("LOADING" | "MASTERDOWN") => Proof::NotReady,
        _ => Proof::Refused,
    }
}

async fn prove_primary(connection: &mut Link) -> Proof {
    match redis::cmd("ROLE").query_async::<Value>(&mut **connection).await {
        Ok(role) if Role::read(&role) == Role::Primary => Proof::Answered,
        Ok(_) => Proof::NotPrimary,
        Err(error) if is_broken(&error) => Proof::Broken,
        // Whoever may not ask relies on the Sentinels, and on the server to refuse writes.
        Err(error) if is_denied(&error) => Proof::Answered,
        Err(_) => Proof::NotPrimary,
    }
}

/// Asks a server what it is; `None` where it does not say.
pub(super) async fn info(connection: &mut Link) -> Option<(ServerInfo, Timestamp)> {
    let info = ask_info(connection).await.ok()??;
    Some((info, time(connection).await?))
}

/// Asks a server what time it is; `None` where it does not say.
pub(super) async fn time(connection: &mut Link) -> Option<Timestamp> {
    let now = ServerClock::ask().query_async(&mut **connection).await.ok()?;
    ServerClock::read(now).ok()
}
