//! [`Workload`]: who does how much for how long.

use std::sync::Arc;
use std::time::Duration;

use cloakroom::Engine;
use tokio::task::{JoinError, JoinSet};

use super::browser::Browser;
use super::client::{Run, work};
use super::pace::Pace;
use super::{Mix, Summary};
use crate::history::{Client, History, Visitor};

/// A mixed load. The defaults are 100 visitors, 8 clients, [`Mix::default`], 10,000 operations as
/// fast as they are answered, and none of them given up.
#[derive(Clone, Debug)]
#[must_use = "a workload does nothing until it runs"]
pub struct Workload {
    pub(super) visitors: u32,
    pub(super) clients: u32,
    pub(super) mix: Mix,
    pub(super) per_second: Option<u32>,
    pub(super) duration: Option<Duration>,
    pub(super) operations: Option<u64>,
    pub(super) given_up: f64,
    pub(super) patience: Duration,
    pub(super) read_deadline: Option<Duration>,
    pub(super) write_deadline: Option<Duration>,
    pub(super) seed: u64,
}

impl Default for Workload {
    fn default() -> Self {
        Self {
            visitors: 100,
            clients: 8,
            mix: Mix::default(),
            per_second: None,
            duration: None,
            operations: None,
            given_up: 0.0,
            patience: Duration::from_millis(5),
            read_deadline: None,
            write_deadline: None,
            seed: 0,
        }
    }
}

impl Workload {
    /// The default load.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many visitors there are (default: 100). The fewer, the more often their requests meet.
    pub fn visitors(mut self, visitors: u32) -> Self {
        self.visitors = visitors;
        self
    }

    /// How many requests are under way at once (default: 8).
    pub fn clients(mut self, clients: u32) -> Self {
        self.clients = clients;
        self
    }

    /// What is done how often.
    pub fn mix(mut self, mix: Mix) -> Self {
        self.mix = mix;
        self
    }

    /// How many operations begin per second, over all clients (default: no limit). Long runs want
    /// one, so that an outage does not fill the history with refusals.
    pub fn per_second(mut self, operations: u32) -> Self {
        self.per_second = Some(operations);
        self
    }

    /// For how long operations begin.
    pub fn duration(mut self, duration: Duration) -> Self {
        self.duration = Some(duration);
        self
    }

    /// How many operations there are (default: 10,000 where no duration is given, else no limit).
    pub fn operations(mut self, operations: u64) -> Self {
        self.operations = Some(operations);
        self
    }

    /// Which share of the requests is given up at a random moment within `patience`, as by a client
    /// that disconnects (default: none). They are recorded with an unknown outcome.
    pub fn given_up(mut self, share: f64, patience: Duration) -> Self {
        (self.given_up, self.patience) = (share, patience);
        self
    }

    /// How long a read may take (default: the storage's command timeout; without one there is no
    /// deadline).
    pub fn read_deadline(mut self, deadline: Duration) -> Self {
        self.read_deadline = Some(deadline);
        self
    }

    /// How long a write, a sign-in or a sign-out may take altogether (default: the storage's
    /// command timeout, once more for the sign-out, and the policy's commit timeout for the
    /// others).
    pub fn write_deadline(mut self, deadline: Duration) -> Self {
        self.write_deadline = Some(deadline);
        self
    }

    /// What the random choices begin with (default: 0). The same seed gives the same choices for
    /// each client; how the clients' requests meet is the scheduler's choice.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Runs the load on these application nodes and records it.
    ///
    /// Dropping the future ends all clients; what was under way is recorded as unknown. Without a
    /// node, a client or a visitor nothing is done.
    pub async fn run(&self, nodes: &[Engine], history: &History) -> Summary {
        let begin = history.now();
        let unlimited = self.duration.map_or(10_000, |_| u64::MAX);
        let left = if nodes.is_empty() || self.visitors == 0 { 0 } else { u64::MAX };
        let left = left.min(self.operations.unwrap_or(unlimited));
        let run = Arc::new(Run {
            workload: self.clone(),
            nodes: nodes.to_vec(),
            browsers: (0..self.visitors).map(|at| Browser::new(Visitor::new(at))).collect(),
            pace: Pace::new(self.per_second, self.duration, left),
            history: history.clone(),
        });
        let mut clients = JoinSet::new();
        for client in 0..self.clients {
            clients.spawn(work(run.clone(), Client::new(client)));
        }
        while let Some(ended) = clients.join_next().await {
            // A client ends early by a panic only, and whoever runs the load must see it.
            if let Err(Ok(panic)) = ended.map_err(JoinError::try_into_panic) {
                std::panic::resume_unwind(panic);
            }
        }
        Summary::since(begin, history)
    }
}
