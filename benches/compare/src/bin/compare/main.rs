//! Drives the applications of the comparison, and prints what they do. `scripts/compare` builds them
//! all and starts this.

mod client;
mod contestant;
mod correctness;
mod figures;
mod machine;
mod meter;
mod monitor;
mod node;
mod options;
mod outage;
mod report;
mod speed;
mod table;
mod targets;
mod visitor;
mod wrk;

use std::process::ExitCode;
use std::time::Duration;

use cloakroom_compare::Failure;
use options::{Options, Wanted};
use report::Report;
use tokio::signal::unix::{SignalKind, signal};

/// Nothing takes as long as this; what does has gone wrong.
const LIMIT: Duration = Duration::from_secs(60 * 60);

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Options::read() {
        Ok(Wanted::Run(options)) => options,
        Ok(Wanted::Help) => {
            println!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Ok(Wanted::List) => {
            contestant::ALL.iter().for_each(|contestant| println!("{}", contestant.name));
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("{problem}\n\n{}", options::HELP);
            return ExitCode::from(2);
        }
    };
    // Whichever ends first: what was started ends with the future that is dropped.
    let outcome = tokio::select! {
        outcome = tokio::time::timeout(LIMIT, compare(&options)) => outcome.unwrap_or_else(|_| {
            Err("the comparison takes longer than an hour".into())
        }),
        () = asked_to_end() => Err("asked to end".into()),
    };
    match outcome {
        Ok(report) if report.is_sound() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("compare: {problem}");
            ExitCode::FAILURE
        }
    }
}

async fn compare(options: &Options) -> Result<Report, Failure> {
    let mut report = Report::new(options)?;
    if options.rows.speed() {
        speed::measure(options, &mut report).await?;
    }
    if options.rows.correctness() {
        correctness::check(options, &mut report).await?;
    }
    report.judge();
    println!("{}", report.markdown());
    std::fs::write(&options.json, report.json()?)
        .map_err(|problem| format!("{}: {problem}", options.json.display()))?;
    eprintln!("The same as JSON: {}", options.json.display());
    Ok(report)
}

async fn asked_to_end() {
    let (mut terminated, mut interrupted) =
        match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
            (Ok(terminated), Ok(interrupted)) => (terminated, interrupted),
            // Without handlers the signals end the process as they always do.
            _ => return std::future::pending().await,
        };
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
    }
}
