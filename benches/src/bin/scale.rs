//! Very many live sessions on one server and on a Cluster of three primaries: what they take of
//! memory, and how 1, 2 and 4 application processes get on with them. See `scripts/scale --help`.
//!
//! It fails where a request failed, met another session than its visitor's, or was acknowledged and
//! is not found again.

use std::process::ExitCode;
use std::time::Duration;

use cloakroom_benches::group;
use cloakroom_benches::scale::{
    Application, Expiry, Fleet, Gauge, Growth, Load, Options, Scene, Topology, append_under_load,
    compare_sizes, grow, project, turn_over, verify,
};

/// Sessions that come and go live for so long, within which the server looks for expired ones often.
const LIFETIMES: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(10)];

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [role, url, tickets, number] = arguments.as_slice()
        && role == "application"
    {
        Application::work(url, tickets, number.parse().expect("a number")).await;
        return ExitCode::SUCCESS;
    }
    match Options::read(&arguments) {
        Ok(options) => measure(&options).await,
        Err(usage) => {
            eprintln!("{usage}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(options: &Options) -> ExitCode {
    let mut faults = Vec::new();
    describe().await;
    if options.topologies.contains(&Topology::Standalone) {
        compare_sizes(options.sessions / 10).await;
        let lifetime = (options.round * 3).clamp(LIFETIMES[0], LIFETIMES[1]);
        for expiry in [Expiry::Usual, Expiry::Eager] {
            let left = turn_over(options.sessions / 10, lifetime, expiry).await;
            faults.extend((left > 0).then(|| format!("{left} expired sessions are still there")));
        }
    }
    for topology in &options.topologies {
        faults.extend(on(*topology, options).await);
    }
    faults.iter().for_each(|fault| eprintln!("FAILED: {fault}"));
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Fills servers and puts them under load. Answers what went wrong.
async fn on(topology: Topology, options: &Options) -> Vec<String> {
    let fleet = Fleet::start(topology).await;
    let Growth { tickets, bytes_each } = grow(&fleet, options.sessions).await;
    let full = Gauge::at_rest(&fleet).await.memory;
    let mut scene = Scene::open(&fleet, &tickets).await;
    let load = Load::run(&mut scene, options.rounds, options.round).await;
    load.print(&fleet, options.sessions);
    let unsound = load.unsound() + append_under_load(&mut scene).await;
    let wrong = verify(&mut scene, &tickets).await;
    drop(scene);
    let after = Gauge::at_rest(&fleet).await.memory;
    println!("Memory before the load {:.1} MB, after it {:.1} MB.", full / 1e6, after / 1e6);
    project(bytes_each, load.server_micros(), load.traffic());
    let name = topology.name();
    let unsound = (unsound > 0).then(|| format!("{name}: {unsound} requests were not sound"));
    let wrong = (wrong > 0).then(|| format!("{name}: {wrong} sessions have another count"));
    unsound.into_iter().chain(wrong).collect()
}

async fn describe() {
    let fleet = Fleet::start(Topology::Standalone).await;
    let version = fleet.servers()[0].info("server", "redis_version").await;
    let allocator = fleet.servers()[0].info("memory", "mem_allocator").await;
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok());
    println!(
        "{cores} cores, {} GB, server {} with {}; servers and applications share the machine.",
        group(memory.unwrap_or_default() * 1024.0 / 1e9),
        version.unwrap_or_default(),
        allocator.unwrap_or_default()
    );
}
