//! What visitors see while the server does not answer: frozen for 5 seconds, or gone for 2.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cloakroom_compare::Failure;
use cloakroom_testkit::RedisServer;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::client::{self, Outcome};
use crate::node::Node;
use crate::visitor::Visitor;

const FROZEN: Duration = Duration::from_secs(5);
const DOWN: Duration = Duration::from_secs(2);
const BETWEEN_REQUESTS: Duration = Duration::from_millis(100);
/// How long is waited for a first success.
pub const RECOVERY_LIMIT: Duration = Duration::from_secs(10);

/// What visitors saw.
#[derive(Clone, Debug, Serialize)]
pub struct Outage {
    /// The longest that a visitor waited, in milliseconds.
    pub longest_millis: f64,
    /// How requests ended that were sent during the outage, and how many of them.
    pub answers: BTreeMap<String, usize>,
    /// The same of requests that were sent afterwards, until the first success.
    pub answers_afterwards: BTreeMap<String, usize>,
    /// From the end of the outage to the first success, in milliseconds; `None` where there was none
    /// within [`RECOVERY_LIMIT`].
    pub recovery_millis: Option<f64>,
}

/// The server accepts connections and answers nothing, then it goes on.
pub async fn frozen(
    server: &RedisServer,
    node: &Node,
    visitors: &[Visitor],
) -> Result<Outage, Failure> {
    let mut requests = Requests::new(node, visitors);
    server.freeze();
    requests.send_for(FROZEN).await;
    server.thaw();
    Ok(requests.after(Instant::now()).await)
}

/// The server's process is killed; later it is there again with its data.
pub async fn down(
    server: &RedisServer,
    node: &Node,
    visitors: &[Visitor],
) -> Result<Outage, Failure> {
    let mut requests = Requests::new(node, visitors);
    server.kill_now();
    requests.send_for(DOWN).await;
    server.restart().await?;
    Ok(requests.after(Instant::now()).await)
}

/// Requests of several visitors, reading and writing, each sent whether or not the ones before have
/// been answered.
struct Requests {
    port: u16,
    cookies: Vec<String>,
    sent: usize,
    under_way: JoinSet<Seen>,
    seen: Vec<Seen>,
}

/// One request.
struct Seen {
    sent: Instant,
    ended: Instant,
    outcome: Outcome,
}

impl Requests {
    fn new(node: &Node, visitors: &[Visitor]) -> Self {
        let cookies = visitors.iter().map(Visitor::header).collect();
        Self { port: node.port(), cookies, sent: 0, under_way: JoinSet::new(), seen: Vec::new() }
    }

    fn send(&mut self) {
        let cookies = self.cookies[self.sent % self.cookies.len()].clone();
        let path = if self.sent.is_multiple_of(2) { "/read" } else { "/write" };
        let (port, sent) = (self.port, Instant::now());
        self.sent += 1;
        self.under_way.spawn(async move {
            let outcome = client::get(port, path, &cookies).await;
            Seen { sent, ended: Instant::now(), outcome }
        });
    }

    async fn send_for(&mut self, time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time {
            self.send();
            sleep(BETWEEN_REQUESTS).await;
        }
    }

    /// Goes on until there is a success, then waits for all that is under way.
    async fn after(mut self, end: Instant) -> Outage {
        while self.recovery(end).is_none() && end.elapsed() < RECOVERY_LIMIT {
            self.send();
            sleep(BETWEEN_REQUESTS).await;
            while let Some(Ok(seen)) = self.under_way.try_join_next() {
                self.seen.push(seen);
            }
        }
        let recovery = self.recovery(end);
        while let Some(Ok(seen)) = self.under_way.join_next().await {
            self.seen.push(seen);
        }
        let longest = self.seen.iter().map(|seen| seen.ended - seen.sent).max();
        let (mut answers, mut answers_afterwards) = (BTreeMap::new(), BTreeMap::new());
        for seen in &self.seen {
            let answers = if seen.sent < end { &mut answers } else { &mut answers_afterwards };
            *answers.entry(seen.outcome.label()).or_default() += 1;
        }
        Outage {
            longest_millis: longest.unwrap_or_default().as_secs_f64() * 1e3,
            answers,
            answers_afterwards,
            recovery_millis: recovery.map(|time| time.as_secs_f64() * 1e3),
        }
    }

    /// How long after the outage the first success was.
    fn recovery(&self, end: Instant) -> Option<Duration> {
        let good = self.seen.iter().filter(|seen| seen.outcome.body().is_some());
        good.filter(|seen| seen.ended > end).map(|seen| seen.ended - end).min()
    }
}
