//! [`Line`]: a connection for questions, each within its limit.
//!
//! A server that has once kept silent is not asked again: so it costs one limit, not one for each
//! question.

use std::fmt;
use std::time::{Duration, Instant};

use redis::{AsyncConnectionConfig, Cmd, ProtocolVersion, RedisError, Value};

use crate::address::{Endpoint, Link};
use crate::connection::OpenError;
use crate::error::{ClientError, is_broken, is_denied};

pub(super) struct Line {
    link: Link,
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
        protocol: ProtocolVersion,
        (limit, question): (Duration, Duration),
    ) -> Result<Self, OpenError> {
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let start = Instant::now();
        let opened = tokio::time::timeout(limit, endpoint.connect(protocol, config)).await;
        let link = opened.map_err(|_| OpenError::TimedOut { elapsed: start.elapsed() })??;
        Ok(Self { link, limit: question, end: None })
    }

    /// Asks one question.
    pub(super) async fn ask(&mut self, question: &Cmd) -> Result<Value, Silence> {
        if self.end.is_some() {
            return Err(Silence::Over);
        }
        let asked = question.query_async::<Value>(&mut *self.link);
        match tokio::time::timeout(self.limit, asked).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if is_broken(&error) => {
                self.end = Some(End::Broken(ClientError::new(&error)));
                Err(Silence::Over)
            }
            Ok(Err(error)) if is_denied(&error) => Err(Silence::Hidden(error)),
            Ok(Err(error)) => Err(Silence::Refused(error)),
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

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(error) => write!(f, "the connection broke ({error})"),
            Self::Silent(limit) => write!(f, "it did not answer within {limit:?}"),
        }
    }
}
