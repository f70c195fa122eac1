//! [`Line`]: a connection for questions, each within its limit. It speaks the protocol that the
//! application would.
//!
//! A server that has once kept silent is not asked again: so it costs one limit, not one for each
//! question.

use std::fmt;
use std::time::{Duration, Instant};

use redis::{AsyncConnectionConfig, Cmd, ProtocolVersion, RedisError, Value};

use crate::address::{Endpoint, Link};
use crate::connection::{OpenError, is_unknown_hello};
use crate::error::{ClientError, code, is_broken, is_denied};

pub(super) struct Line {
    link: Link,
    protocol: ProtocolVersion,
    limit: Duration,
    end: Option<End>,
}

/// Why a connection is of no use any more.
#[derive(Clone)]
pub(super) enum End {
    Broken(ClientError),
    Silent(Duration),
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

impl Line {
    /// Opens a connection within the first limit; each question has the second.
    pub(super) async fn open(
        endpoint: &Endpoint,
        (limit, question): (Duration, Duration),
    ) -> Result<Self, OpenError> {
        let start = Instant::now();
        let opened = tokio::time::timeout(limit, connect(endpoint)).await;
        let opened = opened.map_err(|_| OpenError::TimedOut { elapsed: start.elapsed() })?;
        let (link, protocol) = opened?;
        Ok(Self { link, protocol, limit: question, end: None })
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
        match tokio::time::timeout(self.limit, asked).await {
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
                self.end = Some(End::Silent(self.limit));
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
        }
    }
}
