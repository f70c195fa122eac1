//! [`Pool`]: `pool_size` multiplexed connections. A command is sent on one of them without checking
//! it out, so a dropped request leaves nothing behind.
//!
//! A command is repeated once when its connection broke under it. Every command of this crate may
//! be repeated: reads change nothing, commits carry a nonce, a touch and a removal give the same
//! result twice.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cloakroom::{ConfigError, Operation, StorageError, Timestamp};
use redis::{RedisError, Value};
use tokio::time::Instant;

use super::connector::Connector;
use super::question::Question;
use super::slot::Slot;
use super::slots::Slots;
use crate::error::{is_broken, storage_error, unexpected};
use crate::server_clock::ServerClock;

/// Longer than anybody waits, and short enough to be added to any moment.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a connection under suspicion may take for a sign of life.
const PROOF_LIMIT: Duration = Duration::from_millis(500);

pub(crate) struct Pool {
    slots: Arc<Slots>,
    command_timeout: Duration,
}

/// A server's answer.
pub(crate) struct Reply {
    pub(crate) value: Value,
    pub(crate) sent: Sent,
}

/// How often a question was sent. After the second time nobody knows whether the first one has
/// reached the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Once,
    Twice,
}

/// Why one try failed.
enum Failure {
    /// The connection broke, so the command may be repeated on another one.
    Broken(RedisError),
    /// The server, or the opening of a connection, has answered.
    Final(StorageError),
}

impl Pool {
    /// Opens all connections at once. Each is proven by a PING.
    pub(crate) async fn open(
        connector: Connector,
        size: usize,
        command_timeout: Duration,
    ) -> Result<Self, ConfigError> {
        let command_timeout = command_timeout.min(LONGEST_TIMEOUT);
        let slots = Arc::new(Slots::new(connector, size, command_timeout.min(PROOF_LIMIT)));
        let all = (0..size).filter_map(|at| slots.get(at));
        let openings: Vec<_> = all.map(|slot| slots.opening(slot)).collect();
        for opening in openings {
            opening.outcome().await.map_err(|error| slots.connector.config_error(error))?;
        }
        Ok(Self { slots, command_timeout })
    }

    /// The server's host and port, without credentials.
    pub(crate) fn host(&self) -> &str {
        self.slots.connector.host()
    }

    /// How long one command may take, with its repetition.
    pub(crate) fn command_timeout(&self) -> Duration {
        self.command_timeout
    }

    /// The server's time.
    pub(crate) fn clock(&self) -> &ServerClock {
        &self.slots.clock
    }

    /// Asks the server what time it is, sets the clock by it and answers it.
    ///
    /// The clock counts on by itself, so it does not see that the server's was put back. Whoever is
    /// about to call something expired that the server still has asks here first.
    pub(crate) async fn refresh_clock(
        &self,
        operation: Operation,
    ) -> Result<Timestamp, StorageError> {
        let now = self.ask(operation, Question::Command(&ServerClock::ask())).await?;
        let now = ServerClock::read(now).map_err(|_| unexpected(operation))?;
        self.clock().set(now);
        Ok(now)
    }

    /// Asks the server and waits for its answer, at most for the command timeout.
    pub(crate) async fn ask(
        &self,
        operation: Operation,
        question: Question<'_>,
    ) -> Result<Value, StorageError> {
        self.ask_and_tell(operation, question).await.map(|reply| reply.value)
    }

    /// As [`Pool::ask`], and tells whether the question was sent twice.
    pub(crate) async fn ask_and_tell(
        &self,
        operation: Operation,
        question: Question<'_>,
    ) -> Result<Reply, StorageError> {
        let start = Instant::now();
        let slot = self.slots.pick(operation);
        let sent_on = AtomicU64::new(0);
        // Pinned here, because a timeout of its own copy would move a thousand bytes each time.
        let answer = pin!(self.repeated(slot, &sent_on, operation, question));
        let asked = tokio::time::timeout_at(start + self.command_timeout, answer);
        asked.await.unwrap_or_else(|_| {
            // A connection whose other side has vanished without a word looks just like a slow one.
            if slot.suspect(sent_on.load(Ordering::Relaxed)) {
                self.slots.renew();
            }
            let (limit, elapsed) = (self.command_timeout, start.elapsed());
            Err(StorageError::timeout(operation, "command timeout", limit, elapsed))
        })
    }

    async fn repeated(
        &self,
        slot: &Arc<Slot>,
        sent_on: &AtomicU64,
        operation: Operation,
        question: Question<'_>,
    ) -> Result<Reply, StorageError> {
        let mut sent = Sent::Once;
        loop {
            match self.once(slot, sent_on, operation, question).await {
                Ok(value) => return Ok(Reply { value, sent }),
                // In the same place, where nothing is any more: what broke one connection has
                // mostly broken all of them, so only a new one can be trusted.
                Err(Failure::Broken(_)) if sent == Sent::Once => sent = Sent::Twice,
                Err(Failure::Broken(error)) => {
                    return Err(storage_error(&error, operation, self.host()));
                }
                Err(Failure::Final(error)) => return Err(error),
            }
        }
    }

    async fn once(
        &self,
        slot: &Arc<Slot>,
        sent_on: &AtomicU64,
        operation: Operation,
        question: Question<'_>,
    ) -> Result<Value, Failure> {
        let mut live = match slot.live() {
            Some(live) => live,
            None => {
                // What is missing here may be missing elsewhere.
                self.slots.renew();
                // Boxed, so that what is rare takes no room in every command's future.
                let opened = Box::pin(self.slots.connection(slot)).await;
                opened.map_err(|error| {
                    Failure::Final(self.slots.connector.storage_error(error, operation))
                })?
            }
        };
        sent_on.store(live.number, Ordering::Relaxed);
        let _in_flight = slot.begin();
        match question.put(&mut live.connection).await {
            Err(error) if is_broken(&error) => {
                slot.retire(&live);
                self.slots.renew();
                Err(Failure::Broken(error))
            }
            answer => {
                slot.trust(live.number);
                answer
                    .map_err(|error| Failure::Final(storage_error(&error, operation, self.host())))
            }
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("host", &self.host())
            .field("size", &self.slots.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use cloakroom_testkit::RedisServer;

    use super::*;

    #[tokio::test]
    async fn a_clock_that_is_ahead_of_the_servers_is_put_right_by_asking() {
        let server = RedisServer::start().await.unwrap();
        let second = Duration::from_secs(1);
        let connector = Connector::new(&server.url(), second).unwrap();
        let pool = Pool::open(connector, 1, second).await.unwrap();
        let (opened, hour) = (pool.clock().now(), second * 3600);
        pool.clock().set(opened + hour);
        let asked = pool.refresh_clock(Operation::Load).await.unwrap();
        // The answer is whole milliseconds, and the clock adds its own to them.
        let range = opened.as_millis() - 2..(opened + hour / 2).as_millis();
        assert!(range.contains(&asked.as_millis()), "{asked:?}");
        assert!(range.contains(&pool.clock().now().as_millis()));
    }
}
