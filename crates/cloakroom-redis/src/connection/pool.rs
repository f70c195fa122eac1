//! [`Pool`]: `pool_size` multiplexed connections. A command is sent on one of them without checking
//! it out, so a dropped request leaves nothing behind.
//!
//! A command is repeated once when its connection broke under it. Every command of this crate may
//! be repeated: reads change nothing, commits carry a nonce, a touch and a removal give the same
//! result twice.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use cloakroom::{ConfigError, Operation, StorageError};
use redis::{RedisError, Value};
use tokio::time::Instant;

use super::connector::{Connector, OpenError};
use super::question::Question;
use super::slot::{Live, Slot};
use crate::error::storage_error;
use crate::server_clock::ServerClock;

/// Up to so many commands in flight the first connections carry all of them: what is sent together
/// shares system calls. Above it the next connection joins.
const PACK: usize = 128;

/// Longer than anybody waits, and short enough to be added to any moment.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) struct Pool {
    inner: Arc<Inner>,
    command_timeout: Duration,
}

struct Inner {
    connector: Connector,
    slots: Box<[Slot]>,
    clock: ServerClock,
    opened: AtomicU64,
    replacing: AtomicBool,
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
        let inner = Arc::new(Inner {
            connector,
            slots: (0..size).map(|_| Slot::default()).collect(),
            clock: ServerClock::new(),
            opened: AtomicU64::new(0),
            replacing: AtomicBool::new(false),
        });
        let mut opening = tokio::task::JoinSet::new();
        for at in 0..size {
            let inner = inner.clone();
            opening.spawn(async move { inner.open(&inner.slots[at]).await });
        }
        while let Some(opened) = opening.join_next().await {
            if let Ok(Err(error)) = opened {
                return Err(inner.connector.config_error(error));
            }
        }
        Ok(Self { inner, command_timeout: command_timeout.min(LONGEST_TIMEOUT) })
    }

    /// The server's host and port, without credentials.
    pub(crate) fn host(&self) -> &str {
        self.inner.connector.host()
    }

    /// The server's time.
    pub(crate) fn clock(&self) -> &ServerClock {
        &self.inner.clock
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
        // Pinned here, because a timeout of its own copy would move a thousand bytes each time.
        let answer = pin!(self.repeated(operation, question));
        let asked = tokio::time::timeout_at(start + self.command_timeout, answer);
        asked.await.unwrap_or_else(|_| {
            let (limit, elapsed) = (self.command_timeout, start.elapsed());
            Err(StorageError::timeout(operation, "command timeout", limit, elapsed))
        })
    }

    async fn repeated(
        &self,
        operation: Operation,
        question: Question<'_>,
    ) -> Result<Reply, StorageError> {
        let slot = self.inner.pick();
        let mut sent = Sent::Once;
        loop {
            match self.once(slot, operation, question).await {
                Ok(value) => return Ok(Reply { value, sent }),
                // In the same place, where nothing is any more: what broke one connection has
                // mostly broken all of them, so only a new one can be trusted.
                Err(Failure::Broken(_)) if sent == Sent::Once => sent = Sent::Twice,
                Err(Failure::Broken(error)) => {
                    return Err(storage_error(error, operation, self.host()));
                }
                Err(Failure::Final(error)) => return Err(error),
            }
        }
    }

    async fn once(
        &self,
        slot: &Slot,
        operation: Operation,
        question: Question<'_>,
    ) -> Result<Value, Failure> {
        let mut live = match slot.live() {
            Some(live) => live,
            None => {
                // Boxed, so that what is rare takes no room in every command's future.
                let live = Box::pin(self.inner.open(slot)).await.map_err(|error| {
                    Failure::Final(self.inner.connector.storage_error(error, operation))
                })?;
                self.inner.renew_all();
                live
            }
        };
        let _in_flight = slot.begin();
        match question.put(&mut live.connection).await {
            Ok(answer) => Ok(answer),
            Err(error) if is_broken(&error) => {
                slot.retire(&live);
                self.inner.renew_all();
                Err(Failure::Broken(error))
            }
            Err(error) => Err(Failure::Final(storage_error(error, operation, self.host()))),
        }
    }
}

impl Inner {
    /// The first live connection with room, else the least busy one, else one to be opened.
    fn pick(&self) -> &Slot {
        let live = || self.slots.iter().filter(|slot| slot.is_live());
        live()
            .find(|slot| slot.in_flight() < PACK)
            .or_else(|| live().min_by_key(|slot| slot.in_flight()))
            .unwrap_or(&self.slots[0])
    }

    /// Opens a slot's connection, unless somebody else has done so meanwhile.
    async fn open(&self, slot: &Slot) -> Result<Live, OpenError> {
        let _opening = slot.opening.lock().await;
        if let Some(live) = slot.live() {
            return Ok(live);
        }
        let opened = self.connector.open().await?;
        self.clock.set(opened.now);
        let live = Live::new(opened.connection, self.opened.fetch_add(1, Ordering::Relaxed));
        slot.install(live.clone());
        Ok(live)
    }

    /// Opens a slot's connection unless it has one that works.
    async fn renew(&self, slot: &Slot) -> Result<(), OpenError> {
        if let Some(mut live) = slot.live() {
            match self.connector.prove(&mut live.connection).await {
                Err(OpenError::Failed(error)) if is_broken(&error) => slot.retire(&live),
                // Slow is not broken: whoever waits for an answer there may still get it.
                _ => return Ok(()),
            }
        }
        self.open(slot).await.map(drop)
    }

    /// Looks at all connections and opens those that are missing or broken, in the background and
    /// one at a time; the pool's drop ends it.
    fn renew_all(self: &Arc<Self>) {
        if self.replacing.swap(true, Ordering::AcqRel) {
            return;
        }
        let inner = Arc::downgrade(self);
        tokio::spawn(async move {
            for at in 0.. {
                let Some(inner) = Weak::upgrade(&inner) else { return };
                let failed = match inner.slots.get(at) {
                    Some(slot) => inner.renew(slot).await.is_err(),
                    None => true,
                };
                if failed {
                    return inner.replacing.store(false, Ordering::Release);
                }
            }
        });
    }
}

/// Whether the connection is of no use any more.
fn is_broken(error: &RedisError) -> bool {
    error.is_unrecoverable_error() || error.is_connection_dropped()
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("host", &self.host())
            .field("size", &self.inner.slots.len())
            .finish_non_exhaustive()
    }
}
