//! How fast: every application is driven on each route, in several rounds. Within a round all of them
//! are measured on one route before the next one, beginning with another one each round, so that two
//! figures that make a ratio lie as near to each other as they can.

use std::time::Duration;

use cloakroom_compare::Failure;
use cloakroom_testkit::RedisServer;
use futures_util::future::join_all;
use serde::Serialize;

use crate::contestant::Contestant;
use crate::meter::Reading;
use crate::monitor::Commands;
use crate::node::Node;
use crate::options::Options;
use crate::report::Report;
use crate::visitor::Visitor;
use crate::wrk::{Drive, Wrk};

/// Far more than there are connections, so that no visitor has two requests on their way.
const VISITORS: usize = 1024;
/// How many of them show which commands a request sends.
const WATCHED: usize = 50;
const WARM_UP: u64 = 1;

/// What is asked of the applications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Route {
    Plain,
    Read,
    Write,
}

impl Route {
    pub const ALL: [Self; 3] = [Self::Plain, Self::Read, Self::Write];

    pub fn path(self) -> &'static str {
        match self {
            Self::Plain => "/plain",
            Self::Read => "/read",
            Self::Write => "/write",
        }
    }
}

/// The figures of one application on one route; a list has one figure for each round.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Measured {
    pub requests_per_second: Vec<f64>,
    pub p50_micros: Vec<f64>,
    pub p99_micros: Vec<f64>,
    /// Per request, those inside of scripts included.
    pub redis_calls: Vec<f64>,
    pub redis_bytes: Vec<f64>,
    pub redis_cpu_micros: Vec<f64>,
    pub app_cpu_micros: Vec<f64>,
    pub commands: Commands,
}

/// The application's resident memory after all rounds, in KiB.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Memory {
    pub now: u64,
    pub peak: u64,
}

/// One application with all its visitors signed in.
struct Runner {
    node: Node,
    visitors: Vec<Visitor>,
    wrk: Wrk,
    written: u64,
}

/// Fills the report's figures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<(), Failure> {
    let server = RedisServer::start().await?;
    report.note_server(&server).await?;
    let mut runners = Vec::new();
    for &contestant in &options.contestants {
        match start(contestant, &server).await {
            Ok(runner) => runners.push(runner),
            Err(problem) => report.library(contestant).absent = Some(problem.to_string()),
        }
    }
    for route in Route::ALL {
        for runner in &runners {
            let watched = &runner.visitors[..WATCHED];
            // A near-cache's copies may have grown old meanwhile; what is driven all the time is new.
            join_all(watched.iter().map(|visitor| visitor.peek(&runner.node, "/read"))).await;
            let commands = Commands::watch(&server, &runner.node, watched, route.path()).await?;
            report.library(runner.node.contestant()).measured(route).commands = commands;
        }
    }
    for runner in &mut runners {
        runner.wrk.drive(&runner.node, "/read", WARM_UP).await?;
    }
    for round in 0..options.rounds {
        for route in Route::ALL {
            eprintln!("Round {} of {}, {}", round + 1, options.rounds, route.path());
            let first = round * 3 % runners.len().max(1);
            runners.rotate_left(first);
            for runner in &mut runners {
                runner.measure(&server, route, options.seconds, report).await?;
            }
        }
    }
    for runner in &runners {
        let (now, peak) = runner.node.memory()?;
        let kept = runner.kept().await?;
        let library = report.library(runner.node.contestant());
        library.memory = Some(Memory { now, peak });
        if kept < runner.written {
            let lost = runner.written - kept;
            library.trouble(format!("{lost} of {} acknowledged writes are lost", runner.written));
        }
    }
    Ok(())
}

async fn start(contestant: Contestant, server: &RedisServer) -> Result<Runner, Failure> {
    crate::correctness::must_know(server, contestant).await?;
    let node = Node::start(contestant, &server.url()).await?;
    let visitors = Visitor::crowd(&node, VISITORS).await?;
    let wrk = Wrk::new(&visitors)?;
    Ok(Runner { node, visitors, wrk, written: 0 })
}

impl Runner {
    async fn measure(
        &mut self,
        server: &RedisServer,
        route: Route,
        seconds: u64,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let (before, cpu) = (Reading::take(server).await?, self.node.cpu()?);
        let drive = self.wrk.drive(&self.node, route.path(), seconds).await?;
        let work = Reading::take(server).await?.since(&before);
        let cpu = self.node.cpu()?.saturating_sub(cpu);
        self.node.must_run()?;
        if route == Route::Write && self.node.contestant().has_sessions() {
            self.written += drive.requests - drive.refused;
        }
        let library = report.library(self.node.contestant());
        library.measured(route).add(&drive, &work, cpu);
        for (count, what) in [(drive.refused, "answered with an error"), (drive.broken, "broken")] {
            if count > 0 {
                library.trouble(format!("{}: {count} requests {what}", route.path()));
            }
        }
        Ok(())
    }

    /// The visitors' counters together.
    async fn kept(&self) -> Result<u64, Failure> {
        let mut kept = 0;
        for some in self.visitors.chunks(16).filter(|_| self.written > 0) {
            let counts = some.iter().map(|visitor| visitor.peek(&self.node, "/read"));
            let counts = join_all(counts).await;
            kept += counts.iter().filter_map(|outcome| outcome.number()).sum::<u64>();
        }
        Ok(kept)
    }
}

impl Measured {
    fn add(&mut self, drive: &Drive, work: &Reading, cpu: Duration) {
        let requests = drive.requests.max(1) as f64;
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        self.requests_per_second.push(requests / drive.duration.as_secs_f64().max(1e-3));
        self.p50_micros.push(micros(drive.p50));
        self.p99_micros.push(micros(drive.p99));
        self.redis_calls.push(work.total() as f64 / requests);
        self.redis_bytes.push(work.bytes as f64 / requests);
        self.redis_cpu_micros.push(micros(work.cpu) / requests);
        self.app_cpu_micros.push(micros(cpu) / requests);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_was_used_is_told_per_request() {
        let (p50, p99) = (Duration::from_micros(600), Duration::from_micros(2000));
        let duration = Duration::from_secs(2);
        let drive = Drive { requests: 1000, duration, p50, p99, refused: 0, broken: 0 };
        let calls = BTreeMap::from([("get".to_owned(), 1000), ("set".to_owned(), 500)]);
        let work = Reading { calls, bytes: 64_000, cpu: Duration::from_millis(5) };
        let mut measured = Measured::default();
        measured.add(&drive, &work, Duration::from_millis(20));
        assert_eq!(measured.requests_per_second, [500.0]);
        assert_eq!(measured.redis_calls, [1.5]);
        assert_eq!(measured.redis_bytes, [64.0]);
        assert_eq!((measured.redis_cpu_micros[0] * 10.0).round(), 50.0);
        assert_eq!((measured.app_cpu_micros[0] * 10.0).round(), 200.0);
    }
}
