//! [`Round`]: some seconds of load, as the processes and the servers saw them.

use std::time::Duration;

use super::gauge::Gauge;
use super::tally::Tally;

/// What the processes and the servers say of one round.
pub struct Round {
    /// What became of the requests.
    pub tally: Tally,
    /// How long the processes went on.
    pub length: Duration,
    /// The servers before the load.
    pub before: Gauge,
    /// The servers after it.
    pub after: Gauge,
}

impl Round {
    /// Requests that were answered.
    pub fn requests(&self) -> f64 {
        (self.tally.reads.len() + self.tally.writes.len()) as f64
    }

    /// Requests per second.
    pub fn rate(&self) -> f64 {
        self.requests() / self.length.as_secs_f64()
    }

    /// The servers' processor time for one of them in microseconds.
    pub fn server_micros(&self) -> f64 {
        (self.after.cpu.saturating_sub(self.before.cpu)).as_secs_f64() * 1e6 / self.requests()
    }

    /// The applications' processor time for one of them in microseconds.
    pub fn application_micros(&self) -> f64 {
        self.tally.cpu.as_secs_f64() * 1e6 / self.requests()
    }

    /// Commands for one of them.
    pub fn commands(&self) -> f64 {
        (self.after.asked - self.before.asked) / self.requests()
    }

    /// Bytes on the wire for one of them, both ways together.
    pub fn traffic(&self) -> f64 {
        (self.after.traffic - self.before.traffic) / self.requests()
    }

    /// The share of the commands that the busiest server had.
    pub fn busiest(&self) -> f64 {
        let pairs = self.after.asked_each.iter().zip(&self.before.asked_each);
        let most = pairs.map(|(after, before)| after - before).fold(0.0, f64::max);
        most / (self.after.asked - self.before.asked)
    }
}
