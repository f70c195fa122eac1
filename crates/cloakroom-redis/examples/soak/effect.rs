//! [`Effect`]: what one kind of fault did to the visitors while it lasted and after it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use cloakroom_testkit::history::{Action, Entry, History, Mark, Outcome};
use cloakroom_testkit::workload::{Recovery, Summary};

use crate::scene::Stretch;

const READS: [Action; 2] = [Action::Read, Action::Peek];
const WRITES: [Action; 3] = [Action::Write, Action::SignIn, Action::SignOut];

/// All stretches of one kind of fault.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effect {
    times: usize,
    longest: Duration,
    reads: Service,
    writes: Service,
}

/// What became of the operations of one kind.
#[derive(Clone, Debug, Default)]
struct Service {
    asked: BTreeMap<Outcome, u64>,
    /// The longest time from the end of a fault to the first success.
    recovery: Duration,
}

impl Effect {
    /// Looks at everything that was asked during the faults, and right after them.
    pub(crate) fn all(
        faults: &BTreeMap<&'static str, Vec<Stretch>>,
        history: &History,
        summary: &Summary,
    ) -> BTreeMap<&'static str, Self> {
        let of = |entries: &[&Entry], stretches: &[Stretch]| {
            let mut effect = Self { times: stretches.len(), ..Self::default() };
            for stretch in stretches {
                effect.longest = effect.longest.max(stretch.to.since(stretch.from));
                effect.count(entries, *stretch);
                effect.recover(summary, *stretch);
            }
            effect
        };
        history.read(|entries| faults.iter().map(|(name, all)| (*name, of(entries, all))).collect())
    }

    fn count(&mut self, entries: &[&Entry], stretch: Stretch) {
        let first = entries.partition_point(|entry| entry.invoked() < stretch.from);
        let begun = entries[first..].iter().take_while(|entry| entry.invoked() <= stretch.to);
        for entry in begun {
            let service =
                if READS.contains(&entry.action()) { &mut self.reads } else { &mut self.writes };
            *service.asked.entry(entry.outcome()).or_default() += 1;
        }
    }

    fn recover(&mut self, summary: &Summary, stretch: Stretch) {
        let is_end = |it: &&Recovery| it.mark() == Mark::FaultEnded && it.at() == stretch.to;
        for recovery in summary.recoveries().iter().filter(is_end) {
            let first = |actions: &[Action]| {
                actions.iter().filter_map(|action| recovery.first(*action)).min()
            };
            self.reads.recovered(first(&READS));
            self.writes.recovered(first(&WRITES));
        }
    }
}

impl Service {
    fn recovered(&mut self, after: Option<Duration>) {
        self.recovery = self.recovery.max(after.unwrap_or(Duration::MAX));
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { times, longest, reads, writes } = self;
        write!(f, "{times} times, up to {longest:.1?}; reads {reads}; writes {writes}")
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for outcome in Outcome::ALL {
            if let Some(count) = self.asked.get(&outcome) {
                write!(f, "{separator}{count} {}", outcome.name())?;
                separator = " ";
            }
        }
        match self.recovery {
            Duration::MAX => write!(f, ", then never"),
            recovery => write!(f, ", then within {recovery:.0?}"),
        }
    }
}
