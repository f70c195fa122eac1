//! INV-4, the writes: what was acknowledged is there, and nothing is applied twice.

use std::collections::HashMap;

use super::super::upheaval::Upheavals;
use super::super::{Action, Entry, Findings, Moment, Outcome};
use super::{Evidence, Story};

/// Every count that is seen lies between the writes that must be in it and those that can be.
pub(super) fn check(story: &Story<'_>, evidence: &Evidence<'_>, found: &mut Findings) {
    let writes = Writes::of(story);
    let mut grounds: HashMap<usize, (Ground, Option<Ground>)> = HashMap::new();
    for (entry, _) in story.visits() {
        let Some(seen) = &entry.seen else { continue };
        found.check();
        let met = evidence.upheavals.before(entry.returned);
        let (first, firm) = grounds
            .entry(met)
            .or_insert_with(|| (writes.spared_by(&evidence.upheavals, met), None));
        let ground = firm.as_ref().filter(|firm| firm.since < entry.invoked).unwrap_or(first);
        let (least, most) = ground.range(entry);
        let count = seen.count as usize;
        if !(least..=most).contains(&count) {
            let what = || format!("{count} writes are there, it must be {least} to {most}");
            let last = writes.last_before(entry);
            let shown: Vec<&Entry> = last.into_iter().chain([entry]).collect();
            found.violate(what, &shown);
        } else if met > 0 && firm.is_none() && evidence.upheavals.settled_before(entry, met) {
            // What was lost is known from here on, so everything later must be exact again.
            *firm = Some(writes.counted_by(entry, count));
        }
    }
}

/// The writes of one session in the order of their calls.
struct Writes<'a> {
    possible: Vec<&'a Entry>,
    acknowledged: Vec<&'a Entry>,
}

/// What a count is made of from some moment on.
struct Ground {
    since: Moment,
    count: usize,
    /// The ends of the writes that must be in it as soon as they are acknowledged, in order.
    must: Vec<Moment>,
    /// The beginnings of the writes that can be in it, in order.
    can: Vec<Moment>,
}

impl<'a> Writes<'a> {
    fn of(story: &Story<'a>) -> Self {
        let is_write = |it: &&Entry| it.action == Action::Write && it.may_have_changed();
        let possible: Vec<_> = story.visits().map(|(it, _)| it).filter(is_write).collect();
        let is_acknowledged = |it: &&Entry| it.outcome == Outcome::Ok;
        let acknowledged = possible.iter().copied().filter(is_acknowledged).collect();
        Self { possible, acknowledged }
    }

    /// Nothing was counted yet, and the first upheavals may have lost something.
    fn spared_by(&self, upheavals: &Upheavals, met: usize) -> Ground {
        let must = self.acknowledged.iter().filter(|it| upheavals.spared(it, met));
        Ground::new(Moment::START, 0, must, self.possible.iter())
    }

    /// What `entry` has counted is there; a write that may still come true can be in it or not.
    fn counted_by(&self, entry: &Entry, count: usize) -> Ground {
        let must = self.acknowledged.iter().filter(|it| it.invoked > entry.returned);
        let done = |it: &Entry| it.outcome == Outcome::Ok && it.returned < entry.invoked;
        let can = self.possible.iter().filter(|it| !done(it));
        Ground::new(entry.returned, count, must, can)
    }

    /// For the report: one of the last writes that should be in the count.
    fn last_before(&self, entry: &Entry) -> Option<&'a Entry> {
        let begun = self.acknowledged.partition_point(|it| it.invoked < entry.invoked);
        self.acknowledged[..begun].iter().rev().find(|it| it.returned < entry.invoked).copied()
    }
}

impl Ground {
    fn new<'e>(
        since: Moment,
        count: usize,
        must: impl Iterator<Item = &'e &'e Entry>,
        can: impl Iterator<Item = &'e &'e Entry>,
    ) -> Self {
        let mut must: Vec<_> = must.map(|it| it.returned).collect();
        must.sort_unstable();
        Self { since, count, must, can: can.map(|it| it.invoked).collect() }
    }

    fn range(&self, entry: &Entry) -> (usize, usize) {
        let must = self.must.partition_point(|end| *end < entry.invoked);
        let can = self.can.partition_point(|begin| *begin < entry.returned);
        (self.count + must, self.count + can)
    }
}
