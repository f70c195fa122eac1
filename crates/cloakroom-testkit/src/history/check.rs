//! The check of a history: one file per invariant or pair of them, each a pass over the operations
//! or over those of one session.

mod alive;
mod answers;
mod finality;
mod held;
mod kept;
mod order;
mod own_data;

use super::standstill::Standstills;
use super::upheaval::{Faults, Upheavals};
use super::{
    Bounds, Entry, Findings, Invariant, Mark, Moment, Resources, SessionNumber, TicketNumber,
    Verdict,
};

/// What all checks look at.
struct Evidence<'a> {
    bounds: &'a Bounds,
    faults: Faults,
    upheavals: Upheavals,
}

/// Everything that concerns one session, in the order of the calls: what came with one of its
/// tickets, and what handed one out.
struct Story<'a> {
    session: SessionNumber,
    entries: &'a [&'a Entry],
}

/// What happened around the operations. Marks and samples are in the order of their moments.
pub(super) struct Circumstances<'a> {
    pub(super) marks: &'a [(Moment, Mark)],
    pub(super) samples: &'a [(Moment, Resources)],
    pub(super) standstills: Standstills,
    /// How many operations found no room.
    pub(super) lost: u64,
}

/// `entries` are in the order of their calls.
pub(super) fn check(
    entries: &[&Entry],
    circumstances: &Circumstances<'_>,
    bounds: &Bounds,
) -> Verdict {
    let Circumstances { marks, samples, standstills, lost } = circumstances;
    let faults = Faults::new(marks);
    let upheavals = Upheavals::new(marks, &faults, bounds);
    let evidence = Evidence { bounds, faults, upheavals };
    let mut findings = Invariant::ALL.map(Findings::new);
    {
        let [own, end, order, kept, absolute, in_time, leak, sign_out] = &mut findings;
        for entry in entries {
            own_data::check(entry, own);
            answers::check_time(entry, bounds, standstills, in_time);
            answers::check_cookie(entry, sign_out);
        }
        held::check(samples, &evidence, leak);
        stories(entries, |story| {
            own_data::check_changes(story, own);
            finality::check(story, &evidence, end);
            order::check(story, &evidence, order);
            kept::check(story, &evidence, kept);
            alive::check(story, &evidence, kept);
            finality::check_deadline(story, &evidence, absolute);
        });
    }
    Verdict::new(findings.into(), *lost)
}

/// Calls `look` with each session's story.
fn stories(entries: &[&Entry], mut look: impl FnMut(&Story<'_>)) {
    let mut told: Vec<(SessionNumber, u32)> = Vec::with_capacity(entries.len());
    for (at, entry) in (0u32..).zip(entries) {
        let shown = entry.shown.map(|(session, _)| session);
        let handed_out = entry.handed_out.map(|(session, _)| session);
        told.extend(shown.map(|session| (session, at)));
        told.extend(handed_out.filter(|other| shown != Some(*other)).map(|session| (session, at)));
    }
    told.sort_unstable();
    let mut of_one = Vec::new();
    for group in told.chunk_by(|(one, _), (other, _)| one == other) {
        let Some((session, _)) = group.first() else { continue };
        of_one.clear();
        of_one.extend(group.iter().map(|(_, at)| entries[*at as usize]));
        look(&Story { session: *session, entries: &of_one });
    }
}

impl<'a> Story<'a> {
    /// What came with one of the session's tickets.
    fn visits(&self) -> impl Iterator<Item = (&'a Entry, TicketNumber)> {
        let session = self.session;
        self.entries.iter().filter_map(move |entry| {
            let (of, ticket) = entry.shown?;
            (of == session).then_some((*entry, ticket))
        })
    }

    /// What handed out one of the session's tickets, and was acknowledged.
    fn handed_out(&self) -> impl Iterator<Item = (&'a Entry, TicketNumber)> {
        let session = self.session;
        self.entries.iter().filter_map(move |entry| {
            let (of, ticket) = entry.handed_out?;
            (of == session).then_some((*entry, ticket))
        })
    }
}
