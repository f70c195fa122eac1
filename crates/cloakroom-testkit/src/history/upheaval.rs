//! [`Upheavals`] and [`Faults`]: the marks of a history as stretches of time, for the windows that
//! the invariants leave open.

use super::{Bounds, Entry, Mark, Moment};

/// All moments at which the storage may have lost what it had acknowledged.
pub(super) struct Upheavals(Vec<Upheaval>);

/// One failover or restore.
pub(super) struct Upheaval {
    pub(super) kind: Kind,
    /// The first moment at which a client may have met the other data.
    pub(super) begin: Moment,
    /// What was acknowledged from here on may be lost...
    lost_from: Moment,
    /// ... if it was begun up to here; from here on ended sessions are refused again.
    pub(super) settled: Moment,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Failover,
    Restore,
}

/// The stretches of time during which something was broken.
pub(super) struct Faults {
    stretches: Vec<(Moment, Option<Moment>)>,
    /// Those of them in which answers went to the wrong questions.
    confused: Vec<(Moment, Option<Moment>)>,
}

impl Upheavals {
    pub(super) fn new(marks: &[(Moment, Mark)], faults: &Faults, bounds: &Bounds) -> Self {
        let upheaval = |(at, mark): &(Moment, Mark)| {
            let (kind, lost_from) = match mark {
                Mark::FailedOver => (Kind::Failover, Moment::START),
                Mark::RestoredFrom(moment) => (Kind::Restore, *moment),
                Mark::FaultBegan | Mark::FaultEnded | Mark::Confused => return None,
            };
            let ahead = at.before(bounds.failover_window);
            let begin = faults.around(*at).map_or(ahead, |(begin, _)| begin.min(ahead));
            Some(Upheaval { kind, begin, lost_from, settled: *at + bounds.failover_window })
        };
        Self(marks.iter().filter_map(upheaval).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Upheaval> {
        self.0.iter()
    }

    /// How many upheavals a client may have met the effects of up to then.
    pub(super) fn before(&self, moment: Moment) -> usize {
        self.0.iter().take_while(|upheaval| upheaval.begin <= moment).count()
    }

    /// Whether what `entry` changed is certainly still there after the first `met` upheavals.
    pub(super) fn spared(&self, entry: &Entry, met: usize) -> bool {
        !self.0.iter().take(met).any(|upheaval| upheaval.may_lose(entry))
    }

    /// Whether all of the first `met` upheavals were over when `entry` was called.
    pub(super) fn settled_before(&self, entry: &Entry, met: usize) -> bool {
        self.0.iter().take(met).all(|upheaval| upheaval.settled < entry.invoked)
    }

    /// Whether one lies between what a client saw first and what it saw then.
    pub(super) fn between(&self, first: &Entry, then: &Entry) -> bool {
        self.iter()
            .any(|upheaval| upheaval.begin <= then.returned && first.invoked <= upheaval.settled)
    }
}

impl Upheaval {
    /// Whether the change of `entry` may be lost by it although it was acknowledged.
    pub(super) fn may_lose(&self, entry: &Entry) -> bool {
        entry.invoked <= self.settled && entry.returned >= self.lost_from
    }
}

impl Faults {
    pub(super) fn new(marks: &[(Moment, Mark)]) -> Self {
        let mut stretches: Vec<(Moment, Option<Moment>)> = Vec::new();
        let mut open = 0u32;
        for (moment, mark) in marks {
            match mark {
                Mark::FaultBegan => {
                    if open == 0 {
                        stretches.push((*moment, None));
                    }
                    open += 1;
                }
                Mark::FaultEnded => {
                    open = open.saturating_sub(1);
                    if let Some((_, end)) = stretches.last_mut().filter(|_| open == 0) {
                        end.get_or_insert(*moment);
                    }
                }
                Mark::FailedOver | Mark::RestoredFrom(_) | Mark::Confused => {}
            }
        }
        let mut faults = Self { stretches, confused: Vec::new() };
        let confused = marks.iter().filter(|(_, mark)| *mark == Mark::Confused);
        faults.confused = confused.filter_map(|(at, _)| faults.around(*at)).collect();
        faults
    }

    /// Whether answers may have gone to the wrong questions at that time.
    pub(super) fn confuse(&self, entry: &Entry, bounds: &Bounds) -> bool {
        self.confused.iter().any(|(begin, end)| {
            let over = |end: Moment| end + bounds.failover_window < entry.invoked;
            *begin <= entry.returned && !end.is_some_and(over)
        })
    }

    /// The first moment from `moment` on at which nothing was broken; `None` where that never came.
    pub(super) fn calm_from(&self, moment: Moment) -> Option<Moment> {
        self.around(moment).map_or(Some(moment), |(_, end)| end)
    }

    /// Whether nothing was broken from one moment to the other.
    pub(super) fn is_calm(&self, from: Moment, to: Moment) -> bool {
        let met = |(begin, end): &(Moment, Option<Moment>)| {
            *begin <= to && end.is_none_or(|end| from <= end)
        };
        !self.stretches.iter().any(met)
    }

    /// From when to when there were faults, the pauses between them left out of account.
    pub(super) fn first_begin_and_last_end(&self) -> Option<(Moment, Moment)> {
        let (begin, _) = self.stretches.first()?;
        let (_, end) = self.stretches.last()?;
        Some((*begin, (*end)?))
    }

    fn around(&self, moment: Moment) -> Option<(Moment, Option<Moment>)> {
        let around = |(begin, end): &&(Moment, Option<Moment>)| {
            *begin <= moment && end.is_none_or(|end| moment <= end)
        };
        self.stretches.iter().find(around).copied()
    }
}
