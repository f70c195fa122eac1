//! The long suite: visitors sign in, read, write and sign out on several application nodes at once,
//! while every few seconds something is done to the servers. In the end the history of all that is
//! checked for the eight invariants, and every session for its place in its owner's index.
//!
//! Started by `scripts/soak`, which says how. `SOAK_SEED` repeats the choices of another run.
//!
//! What must always hold: the exit status is 0 only where no invariant was broken; everything
//! listens on this machine only; nothing is left running, however this program ends.

#![allow(missing_docs, reason = "a program, which nobody calls")]

#[path = "soak/arguments.rs"]
mod arguments;
#[path = "soak/bounds.rs"]
mod bounds;
#[path = "soak/cluster.rs"]
mod cluster;
#[path = "soak/dice.rs"]
mod dice;
#[path = "soak/effect.rs"]
mod effect;
#[path = "soak/events.rs"]
mod events;
#[path = "soak/lateness.rs"]
mod lateness;
#[path = "soak/nodes.rs"]
mod nodes;
#[path = "soak/report.rs"]
mod report;
#[path = "soak/round.rs"]
mod round;
#[path = "soak/run.rs"]
mod run;
#[path = "soak/scene.rs"]
mod scene;
#[path = "soak/sentinel.rs"]
mod sentinel;
#[path = "soak/standalone.rs"]
mod standalone;
#[path = "soak/story.rs"]
mod story;
#[path = "soak/topology.rs"]
mod topology;
#[path = "soak/unlisted.rs"]
mod unlisted;
#[path = "soak/wire.rs"]
mod wire;

use std::process::ExitCode;

use arguments::{Arguments, Name};
use cluster::Cluster;
use run::{Failure, Holds, run};
use sentinel::Sentinel;
use standalone::Standalone;

#[tokio::main(flavor = "multi_thread", worker_threads = 4)]
async fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args().skip(1), std::env::var("SOAK_SEED").ok())
    {
        Ok(arguments) => arguments,
        Err(usage) => {
            eprintln!("{usage}");
            return ExitCode::from(2);
        }
    };
    tokio::select! {
        status = all(&arguments) => status,
        // What is dropped now ends its servers and removes their folders.
        _ = tokio::signal::ctrl_c() => ExitCode::from(130),
    }
}

async fn all(arguments: &Arguments) -> ExitCode {
    let mut status = ExitCode::SUCCESS;
    for name in arguments.names() {
        match one(*name, arguments).await {
            Ok(Holds::Yes) => {}
            Ok(Holds::No) => status = ExitCode::FAILURE,
            Err(failure) => {
                eprintln!("soak {}: {failure}", name.as_str());
                return ExitCode::from(3);
            }
        }
    }
    status
}

async fn one(name: Name, arguments: &Arguments) -> Result<Holds, Failure> {
    match name {
        Name::Standalone => run::<Standalone>(arguments).await,
        Name::Sentinel => run::<Sentinel>(arguments).await,
        Name::Cluster => run::<Cluster>(arguments).await,
    }
}
