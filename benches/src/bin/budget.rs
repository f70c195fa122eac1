//! The guard against getting slower: counts what each way through the library allocates and
//! executes, and compares that with its budget. Counts do not depend on what else the machine does.
//!
//! Instructions are counted by valgrind, which runs this program twice per way, with a few and with
//! more repetitions; the difference is the way's own. `scripts/budget` installs valgrind and calls.

use std::alloc::System;
use std::process::{Command, ExitCode};

use cloakroom_benches::{BUDGETS, Budget, Path, Paths, group};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Repetitions before anything counts, so that maps and buffers have their size.
const WARM_UP: u64 = 100;
const FEW: u64 = 100;
const MORE: u64 = 600;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut paths = Paths::new().await;
    if let [name, times] = &arguments[..] {
        let path = Path::named(name).expect("the name of a way");
        paths.go(path, WARM_UP + times.parse::<u64>().expect("a number")).await;
        return ExitCode::SUCCESS;
    }
    println!("{:<20}{:>12}{:>8}{:>14}{:>8}", "", "allocations", "budget", "instructions", "budget");
    let mut verdicts = Vec::new();
    for budget in BUDGETS {
        let allocations = allocations(&mut paths, budget.path).await;
        let instructions = instructions(budget.path);
        println!(
            "{:<20}{allocations:>12.2}{:>8}{:>14}{:>8}",
            budget.path.name(),
            budget.allocations,
            group(instructions as f64),
            group(budget.instructions as f64),
        );
        verdicts.push(verdict(&budget, allocations, instructions));
    }
    for verdict in verdicts.iter().flatten() {
        println!("{verdict}");
    }
    let exceeded = verdicts.iter().flatten().any(|verdict| matches!(verdict, Verdict::Exceeded(_)));
    if exceeded { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

enum Verdict {
    Exceeded(String),
    CanBeLowered(String),
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exceeded(what) => write!(f, "EXCEEDED: {what}"),
            Self::CanBeLowered(what) => write!(f, "can be lowered: {what}"),
        }
    }
}

/// What is wrong with a budget; nothing within the tolerance.
fn verdict(budget: &Budget, allocations: f64, instructions: u64) -> Option<Verdict> {
    let name = budget.path.name();
    let text = format!("`{name}` makes {allocations} allocations and {instructions} instructions");
    let (counted, allowed) = (instructions as f64, budget.instructions as f64);
    // Less than a twentieth of an allocation per request is a map that grows now and then.
    let over =
        allocations > budget.allocations as f64 + 0.05 || counted > allowed * Budget::TOLERANCE;
    // A connection's buffer is used for several answers, so an allocation may be a part of one.
    let under =
        allocations < budget.allocations as f64 - 0.9 || counted < allowed / Budget::TOLERANCE;
    match (over, under) {
        (true, _) => Some(Verdict::Exceeded(text)),
        (false, true) => Some(Verdict::CanBeLowered(text)),
        (false, false) => None,
    }
}

async fn allocations(paths: &mut Paths, path: Path) -> f64 {
    paths.go(path, WARM_UP).await;
    let before = ALLOCATOR.stats();
    paths.go(path, MORE).await;
    let made = ALLOCATOR.stats() - before;
    let each = (made.allocations + made.reallocations) as f64 / MORE as f64;
    (each * 100.0).round() / 100.0
}

fn instructions(path: Path) -> u64 {
    let (few, more) = (executed(path, FEW), executed(path, MORE));
    more.saturating_sub(few) / (MORE - FEW)
}

/// How many instructions this program executes when it goes a way that many times.
fn executed(path: Path, times: u64) -> u64 {
    let program = std::env::current_exe().expect("the path of this program");
    let output = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(program)
        .args([path.name(), &times.to_string()])
        .output()
        .expect("valgrind is installed");
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report}");
    let line = report.lines().find(|line| line.contains("I   refs:") || line.contains("I refs:"));
    let number = line.and_then(|line| line.rsplit_once(':')).expect("valgrind's total").1;
    number.trim().replace(',', "").parse().expect("a number")
}
