//! [`Line`]: a connection for questions, each within its limit. It speaks the protocol that the
//! application would.
//!
//! A server that has once kept silent is not asked again: so it costs one limit, not one for each
//! question. One that is slow costs what all questions together may take.

use std::fmt;
use std::time::{Duration, Instant};

use redis::{AsyncConnectionConfig, Cmd, ProtocolVersion, RedisError, Value};

use crate::address::{Endpoint, Link};
use crate::connection::{OpenError, is_unknown_hello};
use crate::error::{ClientError, code, is_broken, is_denied};

/// All questions together may take as long as so many that are answered at the last moment.
const QUESTIONS: u32 = 5;

/// How long things may take.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    connection: Duration,
    question: Duration,
    all: Duration,
    end: Instant,
}

pub(super) struct Line {
    link: Link,
    protocol: ProtocolVersion,
    limits: Limits,
    end: Option<End>,
}

/// Why a connection is of no use any more.
#[derive(Clone)]
pub(super) enum End {
    Broken(ClientError),
    Silent(Duration),
    /// All questions together took longer.
    Late(Duration),
}

/// Why a question brought no answer.
pub(super) enum Silence {
    /// The user may not ask this.
    Hidden(RedisError),
    /// The server has answered with an error.
    Refused(RedisError),
    /// The connection is of no use any more.
    Over,
}

impl Limits {
    /// From now on: for reaching a server, for each answer, and for all of it together.
    pub(super) fn new(connection: Duration, question: Duration) -> Self {
        let all = connection + question * QUESTIONS;
        Self { connection, question, all, end: Instant::now() + all }
    }

    /// What is left of it.
    fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }
}

impl Line {
    /// Opens a connection within the limits.
    pub(super) async fn open(endpoint: &Endpoint, limits: Limits) -> Result<Self, OpenError> {
        let start = Instant::now();
        let limit = limits.connection.min(limits.left());
        let opened = tokio::time::timeout(limit, connect(endpoint)).await;
        let opened = opened.map_err(|_| OpenError::TimedOut { elapsed: start.elapsed() })?;
        let (link, protocol) = opened?;
        Ok(Self { link, protocol, limits, end: None })
    }

    /// Which version of the protocol it has come to.
    pub(super) fn protocol(&self) -> ProtocolVersion {
        self.protocol
    }

    /// Asks one question.
    pub(super) async fn ask(&mut self, question: &Cmd) -> Result<Value, Silence> {
        if self.end.is_some() {
            return Err(Silence::Over);
        }
        let asked = question.query_async::<Value>(&mut *self.link);
        let left = self.limits.left();
        match tokio::time::timeout(self.limits.question.min(left), asked).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if is_denied(&error) => Err(Silence::Hidden(error)),
            Ok(Err(error)) if code(&error).is_some() && !is_broken(&error) => {
                Err(Silence::Refused(error))
            }
            // A server's refusal has a code; anything else happened on the way to it.
            Ok(Err(error)) => {
                self.end = Some(End::Broken(ClientError::new(&error)));
                Err(Silence::Over)
            }
            Err(_) => {
                self.end = Some(match left < self.limits.question {
                    true => End::Late(self.limits.all),
                    false => End::Silent(self.limits.question),
                });
                Err(Silence::Over)
            }
        }
    }

    /// Why it can be asked no more; `None` as long as it can.
    pub(super) fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }
}

/// Connects as the application does: in RESP3 unless the URL or the server does not want it.
async fn connect(endpoint: &Endpoint) -> Result<(Link, ProtocolVersion), RedisError> {
    let config =
        || AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    let asked_for = endpoint.access().protocol();
    let first = asked_for.unwrap_or(ProtocolVersion::RESP3);
    match endpoint.connect(first, config()).await {
        Err(error) if asked_for.is_none() && is_unknown_hello(&error) => {
            let old = ProtocolVersion::RESP2;
            Ok((endpoint.connect(old, config()).await?, old))
        }
        connected => Ok((connected?, first)),
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(error) => write!(f, "the connection broke ({error})"),
            Self::Silent(limit) => write!(f, "it did not answer within {limit:?}"),
            Self::Late(limit) => write!(f, "{limit:?} were over, which is all that it may take"),
        }
    }
}
