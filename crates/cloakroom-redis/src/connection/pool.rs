//! [`Pool`]: `pool_size` multiplexed connections to one server. A command is sent on one of them
//! without checking it out, so a dropped request leaves nothing behind.
//!
//! A command is repeated once when its connection broke under it, or when the server turned out to
//! be a replica. Every command of this crate may be repeated: reads change nothing, commits carry a
//! nonce, a touch and a removal give the same result twice. A budget bounds the repetitions, so that
//! a server in trouble does not get twice the load. Nothing is repeated because of an overload.

mod gate;

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cloakroom::{ConfigError, NodeHealth, Operation, StorageError, Timestamp, end_by};
use redis::Value;
use tokio::time::Instant;

use super::connector::Connector;
use super::deadline::Deadline;
use super::exchange::Exchange;
use super::failure::{Cause, Failure};
use super::hearing::Deaf;
use super::home::Home;
use super::node::{Node, NodeSettings, is_write};
use super::question::{Inquiry, Question, Sent};
use super::slot::Slot;
use super::start_error::config_error;
use crate::error::unexpected;
use crate::server_clock::ServerClock;
use crate::signals::Signals;
use gate::gate;

/// How many connections wait for replicas.
const DURABLE_SIZE: usize = 2;

/// By how much the wait for replicas ends before the operation does.
const CONFIRMED_EARLIER: Duration = Duration::from_millis(20);

/// How long to wait before a server that will be ready in a moment is asked again.
const NOT_READY_PAUSE: Duration = Duration::from_millis(20);

pub(crate) struct Pool {
    node: Arc<Node>,
    /// Connections of their own for those who wait for replicas: the server answers nothing else on
    /// a connection that waits.
    durable: Option<Box<Pool>>,
    /// When all connections were last replaced for being out of step.
    replaced: Mutex<Option<Instant>>,
}

/// A server's answer.
pub(crate) struct Reply {
    pub(crate) value: Value,
    pub(crate) sent: Sent,
}

impl Pool {
    /// Begins to open all connections, and waits for none.
    pub(crate) fn start(
        connector: Connector,
        settings: NodeSettings,
        signals: Arc<Signals>,
        probe_key: &[u8],
    ) -> Self {
        let durable = settings.durable.map(|limit| {
            let settings = NodeSettings {
                pool_size: DURABLE_SIZE,
                // A sign of life may come behind a confirmation.
                heartbeat: settings.heartbeat + limit,
                durable: None,
                // What is removed over them, all others hear of.
                near_cache: None,
                ..settings.clone()
            };
            let (connector, signals) = (connector.another(), signals.clone());
            Box::new(Self::start(connector, settings, signals, probe_key))
        });
        let node = Arc::new(Node::new(connector, settings, signals, probe_key));
        if let Some(durable) = &durable {
            node.succession.lead(&durable.node);
        }
        node.supervisors.ensure(&node);
        Self { node, durable, replaced: Mutex::default() }
    }

    /// Waits until every connection is open. Each has been proven by a PING.
    pub(crate) async fn opened(&self) -> Result<(), ConfigError> {
        let node = &self.node;
        let limit = node.connector.timeout();
        let openings: Vec<_> = node.slots().iter().map(|slot| node.opening(slot, limit)).collect();
        for opening in openings {
            let outcome = opening.outcome().await;
            let hint = node.connector.when_silent();
            outcome.map_err(|error| config_error(error, &node.address(), limit, hint))?;
        }
        Ok(())
    }

    /// The server's host and port, without credentials.
    pub(crate) fn address(&self) -> Arc<str> {
        self.node.address()
    }

    /// The name of the server's run: another one after each restart. Empty where it is not told.
    pub(crate) fn run(&self) -> String {
        self.node.run()
    }

    /// The server's time.
    pub(crate) fn clock(&self) -> &ServerClock {
        &self.node.clock
    }

    pub(crate) fn set_probe_key(&self, key: &[u8]) {
        self.node.set_probe_key(key);
    }

    pub(crate) fn health(&self) -> NodeHealth {
        self.node.health()
    }

    /// Why the near-cache hears nothing over its connections, where it should.
    pub(crate) fn deaf(&self) -> Option<Deaf> {
        self.node.deaf()
    }

    pub(crate) fn warnings(&self) -> Vec<String> {
        self.node.warnings()
    }

    /// Puts a question to the server and waits for its answer until the deadline.
    pub(crate) async fn ask(&self, inquiry: &Inquiry<'_>) -> Result<Reply, Failure> {
        if let (Question::Durable { .. }, Some(durable)) = (inquiry.question, &self.durable) {
            return Box::pin(durable.ask(inquiry)).await;
        }
        let operation = inquiry.operation();
        let Some(gate) = gate(operation) else { return self.ask_through(inquiry).await };
        let pass = self.node.breaker(gate).admit(inquiry.deadline.start()).map_err(|open| {
            let message = format!(
                "the circuit breaker for {} is open, Redis at {} does not answer; try again in {:?}",
                gate.name(),
                self.address(),
                open.retry_after
            );
            Failure::rejected(operation, message)
        })?;
        let answer = self.ask_through(inquiry).await;
        let changed = match &answer {
            Ok(_) => pass.succeed(Instant::now),
            Err(failure) => self.count(pass, gate, failure, operation),
        };
        self.node.breaker_changed(gate, changed);
        answer
    }

    async fn ask_through(&self, inquiry: &Inquiry<'_>) -> Result<Reply, Failure> {
        let (here, operation) = (Home::here(), inquiry.operation());
        let Some(slot) = self.node.pick(operation, here) else {
            let message = format!(
                "as many commands are under way to Redis at {} as may be ({} on each connection)",
                self.address(),
                self.node.settings.max_in_flight
            );
            return Err(Failure::rejected(operation, message));
        };
        // What changes something may be asked in the name of another runtime.
        if !slot.is_near(here)
            && !is_write(operation)
            && here.asks_often(Arc::as_ptr(&self.node).addr())
        {
            self.node.supervisors.settle(&self.node, here);
        }
        // From here on, because whoever waits for a connection counts as well.
        let _in_flight = slot.begin();
        let sent_on = AtomicU64::new(0);
        let exchange = Exchange::begin(&self.node, inquiry);
        // Pinned here, because a timeout of its own copy would move a thousand bytes each time.
        let answer = pin!(self.repeated(slot, &sent_on, inquiry));
        let answer =
            end_by(inquiry.deadline.at(), exchange.around(answer)).await.unwrap_or_else(|| {
                // A connection whose other side has vanished without a word looks just like a slow one.
                if slot.suspect(sent_on.load(Ordering::Relaxed)) {
                    slot.wake();
                    self.node.supervisors.ensure(&self.node);
                }
                Err(Failure::timed_out(inquiry.deadline.error()))
            });
        exchange.end(&answer);
        answer
    }

    async fn repeated(
        &self,
        slot: &Arc<Slot>,
        sent_on: &AtomicU64,
        inquiry: &Inquiry<'_>,
    ) -> Result<Reply, Failure> {
        let (mut sent, mut replaced) = (inquiry.sent, false);
        self.node.retries.deposit();
        loop {
            let mut failure = match self.once(slot, sent_on, inquiry).await {
                Ok(value) => return Ok(Reply { value, sent }),
                Err(failure) => failure,
            };
            failure.sent = if failure.cause == Cause::Broken { Sent::Twice } else { sent };
            match failure.cause {
                // In the same place, where nothing is any more: what broke one connection has
                // mostly broken all of them, so only a new one can be trusted.
                Cause::Broken if sent == Sent::Once && self.may_repeat() => sent = Sent::Twice,
                Cause::ReadOnly if !replaced && self.may_repeat() => replaced = true,
                Cause::NotReady
                    if self.may_repeat()
                        && Box::pin(inquiry.deadline.pause(NOT_READY_PAUSE)).await => {}
                _ => return Err(failure),
            }
        }
    }

    fn may_repeat(&self) -> bool {
        self.node.retries.withdraw(Instant::now())
    }

    async fn once(
        &self,
        slot: &Arc<Slot>,
        sent_on: &AtomicU64,
        inquiry: &Inquiry<'_>,
    ) -> Result<Value, Failure> {
        let operation = inquiry.operation();
        let mut live = match slot.live() {
            Some(live) => live,
            None => {
                self.node.supervisors.ensure(&self.node);
                // Boxed, so that what is rare takes no room in every command's future.
                let opened = Box::pin(self.node.connection(slot)).await;
                opened.map_err(|error| {
                    let limit = self.node.connector.timeout();
                    let error = error.storage_error(operation, &self.address(), limit);
                    Failure::unreachable(error)
                })?
            }
        };
        sent_on.store(live.number, Ordering::Relaxed);
        if let Some(watch) = inquiry.watch {
            watch.sending(live.coverage.as_ref());
        }
        match inquiry.question.put(&mut live.connection, inquiry.standing).await {
            Ok(value) => {
                slot.trust(live.number);
                if let Question::Durable { replicas, limit, .. } = inquiry.question {
                    let confirmed = live.confirmations.of(&live.connection, replicas, limit);
                    // What was written is written, even where there is no time left to wait.
                    let until = inquiry.deadline.at() - CONFIRMED_EARLIER;
                    let confirmed = tokio::time::timeout_at(until, confirmed).await.unwrap_or(0);
                    return Ok(Value::Array(vec![value, Value::Int(confirmed)]));
                }
                Ok(value)
            }
            Err(error) => {
                let failure = Failure::new(&error, operation, live.connection.address());
                match failure.cause {
                    Cause::Broken => {
                        self.drop_connection(slot, live.number, "the connection broke")
                    }
                    Cause::ReadOnly => {
                        self.drop_connection(
                            slot,
                            live.number,
                            "the server is a read-only replica",
                        );
                    }
                    _ => slot.trust(live.number),
                }
                Err(failure)
            }
        }
    }

    fn drop_connection(&self, slot: &Slot, number: u64, reason: &str) {
        self.node.lose(slot, number, reason);
        // What has happened here may have happened elsewhere.
        for slot in self.node.slots() {
            slot.wake();
        }
        self.node.supervisors.ensure(&self.node);
    }

    /// Asks a node of a Cluster for the map of its slots.
    pub(super) async fn cluster_slots(&self) -> Option<Value> {
        let trusted = self.node.slots().iter().filter(|slot| slot.is_trusted());
        let mut live = trusted.filter_map(|slot| slot.live()).next()?;
        super::cluster::slots_command().query_async(&mut *live.connection).await.ok()
    }

    /// Asks the server what time it is, sets the clock by it and answers it.
    ///
    /// The clock counts on by itself, so it does not see that the server's was put back. Whoever is
    /// about to call something expired that the server still has asks here first.
    pub(crate) async fn refresh_clock(
        &self,
        deadline: Deadline,
    ) -> Result<Timestamp, StorageError> {
        let time = ServerClock::ask();
        let reply = self.ask(&Inquiry::new(Question::Command(&time), deadline)).await;
        let reply = reply.map_err(|failure| failure.error)?;
        let now = ServerClock::read(reply.value);
        let now = now.map_err(|_| self.out_of_step(deadline.operation()).error)?;
        self.clock().set(now);
        Ok(now)
    }

    /// Somebody has got an answer that belongs to another question: all connections are replaced,
    /// since nobody knows which one it came from.
    pub(crate) fn out_of_step(&self, operation: Operation) -> Failure {
        *self.replaced.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        for slot in self.node.slots() {
            if let Some(live) = slot.live() {
                self.node.lose(slot, live.number, "its answers were out of step");
                slot.wake();
            }
        }
        if let Some(durable) = &self.durable {
            durable.out_of_step(operation);
        }
        Failure::because(Cause::OutOfStep, unexpected(operation))
    }

    /// The same, found out by a question with this deadline. Where the connections were replaced
    /// after it was put, the new ones stay.
    pub(crate) fn out_of_step_since(&self, deadline: Deadline) {
        let replaced = *self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        if replaced.is_none_or(|replaced| replaced < deadline.start()) {
            self.out_of_step(deadline.operation());
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("address", &self.address())
            .field("size", &self.node.slots().len())
            .finish_non_exhaustive()
    }
}
