//! [`Tally`]: what became of one process's requests in one round.

use std::time::Duration;

use crate::{Parent, Worker};

/// Counts, and how long each request took.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Requests that ended with an error.
    pub failed: u64,
    /// Requests that did not meet their visitor's own session.
    pub foreign: u64,
    /// Processor time of the process.
    pub cpu: Duration,
    /// Microseconds that each read took.
    pub reads: Vec<u32>,
    /// Microseconds that each acknowledged write took.
    pub writes: Vec<u32>,
}

impl Tally {
    /// Adds what others have counted.
    pub fn add(&mut self, mut other: Self) {
        self.failed += other.failed;
        self.foreign += other.foreign;
        self.cpu += other.cpu;
        self.reads.append(&mut other.reads);
        self.writes.append(&mut other.writes);
    }

    /// Milliseconds of all requests.
    pub fn millis(&self) -> Vec<f64> {
        self.reads.iter().chain(&self.writes).map(|micros| f64::from(*micros) / 1e3).collect()
    }

    /// Milliseconds of the writes.
    pub fn write_millis(&self) -> Vec<f64> {
        self.writes.iter().map(|micros| f64::from(*micros) / 1e3).collect()
    }

    /// Hands it to the process that gave the order.
    pub fn tell(&self, parent: &Parent) {
        parent.tell(&format!("{} {} {}", self.failed, self.foreign, self.cpu.as_micros()));
        parent.tell(&line(&self.reads));
        parent.tell(&line(&self.writes));
    }

    /// Takes what [`tell`](Self::tell) has handed over.
    pub fn hear(worker: &mut Worker) -> Self {
        let counts = numbers(&worker.hear());
        let [failed, foreign, cpu] = counts[..] else { panic!("three counts") };
        let (reads, writes) = (worker.hear(), worker.hear());
        let micros = |line: &str| numbers(line).into_iter().map(|each| each as u32).collect();
        Self {
            failed,
            foreign,
            cpu: Duration::from_micros(cpu),
            reads: micros(&reads),
            writes: micros(&writes),
        }
    }
}

fn line(micros: &[u32]) -> String {
    micros.iter().map(u32::to_string).collect::<Vec<_>>().join(" ")
}

fn numbers(line: &str) -> Vec<u64> {
    line.split_whitespace().map(|word| word.parse().expect("a number")).collect()
}
