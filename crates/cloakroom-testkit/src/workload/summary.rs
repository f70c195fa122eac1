//! [`Summary`]: what a load came to, and how soon things went well again.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::Latency;
use crate::history::{Action, Entry, History, Mark, Moment, Outcome};

/// The figures of a run. Its `Display` is a small table.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    outcomes: BTreeMap<(Action, Outcome), u64>,
    latencies: BTreeMap<Action, Latency>,
    pauses: BTreeMap<Action, Duration>,
    recoveries: Vec<Recovery>,
}

/// How long after a mark the operations of each kind first succeeded.
#[derive(Clone, Debug)]
pub struct Recovery {
    mark: Mark,
    at: Moment,
    first: BTreeMap<Action, Duration>,
}

impl Summary {
    /// The figures of everything that was called from `begin` on.
    pub fn since(begin: Moment, history: &History) -> Self {
        let marks = history.marks();
        history.read(|entries| {
            let from = entries.partition_point(|entry| entry.invoked() < begin);
            let entries = &entries[from..];
            let mut summary = Self::default();
            let mut times: BTreeMap<Action, Vec<u32>> = BTreeMap::new();
            let mut successes: BTreeMap<Action, Vec<Moment>> = BTreeMap::new();
            for entry in entries {
                summary.count(entry);
                let micros = u32::try_from(entry.took().as_micros()).unwrap_or(u32::MAX);
                times.entry(entry.action()).or_default().push(micros);
                if entry.outcome() == Outcome::Ok {
                    successes.entry(entry.action()).or_default().push(entry.returned());
                }
            }
            successes.values_mut().for_each(|moments| moments.sort_unstable());
            summary.latencies =
                times.into_iter().map(|(action, times)| (action, Latency::new(times))).collect();
            summary.pauses = successes.iter().map(|(action, at)| (*action, pause(at))).collect();
            let recovery = |(at, mark)| Recovery::new(at, mark, &successes);
            summary.recoveries =
                marks.into_iter().filter(|(at, _)| *at >= begin).map(recovery).collect();
            summary
        })
    }

    /// How many operations of a kind ended so.
    pub fn count_of(&self, action: Action, outcome: Outcome) -> u64 {
        self.outcomes.get(&(action, outcome)).copied().unwrap_or_default()
    }

    /// How many operations ended so.
    pub fn outcomes(&self, outcome: Outcome) -> u64 {
        Action::ALL.iter().map(|action| self.count_of(*action, outcome)).sum()
    }

    /// How many operations there were.
    pub fn operations(&self) -> u64 {
        self.outcomes.values().sum()
    }

    /// How long the operations of a kind took, whatever came of them; `None` where there were none.
    pub fn latency(&self, action: Action) -> Option<&Latency> {
        self.latencies.get(&action)
    }

    /// The longest time between two successes of a kind that followed each other: how long an
    /// outage was felt. `None` where nothing of the kind succeeded.
    pub fn longest_pause(&self, action: Action) -> Option<Duration> {
        self.pauses.get(&action).copied()
    }

    /// For each mark, in their order, how soon operations succeeded after it.
    pub fn recoveries(&self) -> &[Recovery] {
        &self.recoveries
    }

    fn count(&mut self, entry: &Entry) {
        *self.outcomes.entry((entry.action(), entry.outcome())).or_default() += 1;
    }
}

impl Recovery {
    fn new(at: Moment, mark: Mark, successes: &BTreeMap<Action, Vec<Moment>>) -> Self {
        let first = |(action, moments): (&Action, &Vec<Moment>)| {
            let next = moments.partition_point(|moment| *moment <= at);
            Some((*action, moments.get(next)?.since(at)))
        };
        Self { mark, at, first: successes.iter().filter_map(first).collect() }
    }

    /// The mark.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// When it was set.
    pub fn at(&self) -> Moment {
        self.at
    }

    /// How long after the mark the first operation of that kind succeeded; `None` where none did.
    pub fn first(&self, action: Action) -> Option<Duration> {
        self.first.get(&action).copied()
    }
}

/// The longest pause between two moments that follow each other.
fn pause(sorted: &[Moment]) -> Duration {
    sorted.windows(2).map(|pair| pair[1].since(pair[0])).max().unwrap_or_default()
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (action, latency) in &self.latencies {
            write!(f, "{:>8}: {:>8}", action.name(), latency.count())?;
            for outcome in Outcome::ALL {
                match self.count_of(*action, outcome) {
                    0 => {}
                    count => write!(f, ", {count} {}", outcome.name())?,
                }
            }
            writeln!(f, "; {latency}")?;
        }
        for recovery in &self.recoveries {
            write!(f, "{} at {}, first success:", recovery.mark.name(), recovery.at)?;
            for (action, after) in &recovery.first {
                write!(f, " {} after {after:?}", action.name())?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
