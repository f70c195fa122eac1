//! INV-2 and INV-5: a ticket opens nothing after its end, whether that was asked for or came with
//! time.

use std::collections::HashMap;

use super::super::upheaval::Kind;
use super::super::{Action, Durability, Entry, Findings, Moment, Node, Outcome, TicketNumber};
use super::{Evidence, Story};

/// An acknowledged end of a session, or of one ticket of it.
#[derive(Clone, Copy)]
struct End<'a> {
    by: &'a Entry,
    /// From when on every node refuses the ticket; `None` where that moment never came.
    everywhere: Option<Moment>,
    /// The node that refuses it from the acknowledgement on.
    here: Option<Node>,
}

/// INV-2: what began after the acknowledgement is refused.
pub(super) fn check(story: &Story<'_>, evidence: &Evidence<'_>, found: &mut Findings) {
    let sign_outs: Vec<End<'_>> = story
        .visits()
        .filter(|(entry, _)| entry.action == Action::SignOut && entry.change.is_some())
        .filter_map(|(entry, _)| End::of(entry, evidence))
        .collect();
    let mut replaced: HashMap<TicketNumber, End<'_>> = HashMap::new();
    for (entry, _) in story.visits() {
        let end = End::of(entry, evidence).filter(|_| entry.outcome == Outcome::Ok);
        let (Some(ticket), Some(end)) = (entry.replaces(), end) else { continue };
        let first = replaced.entry(ticket).or_insert(end);
        if end.by.returned < first.by.returned {
            *first = end;
        }
    }
    for (entry, ticket) in story.visits() {
        let mut ends = sign_outs.iter().chain(replaced.get(&ticket)).filter(|end| end.binds(entry));
        let Some(first) = ends.clone().next() else { continue };
        found.check();
        if entry.seen.is_some() && ends.any(|end| !end.may_be_undone(entry, evidence)) {
            let what = || "a ticket opened its session after its end".to_owned();
            found.violate(what, &[first.by, entry]);
        }
    }
}

/// INV-5: a ticket opens nothing later than the absolute timeout after it was handed out.
pub(super) fn check_deadline(story: &Story<'_>, evidence: &Evidence<'_>, found: &mut Findings) {
    let Some(timeout) = evidence.bounds.absolute_timeout else { return };
    let handed_out: HashMap<_, _> = story.handed_out().map(|(by, ticket)| (ticket, by)).collect();
    for (entry, ticket) in story.visits() {
        let Some(by) = handed_out.get(&ticket).filter(|_| entry.seen.is_some()) else { continue };
        found.check();
        let age = entry.invoked.since(by.returned);
        if age > timeout + evidence.bounds.skew {
            let what = || format!("a ticket opened its session at an age of {age:?}");
            found.violate(what, &[by, entry]);
        }
    }
}

impl<'a> End<'a> {
    fn of(by: &'a Entry, evidence: &Evidence<'_>) -> Option<Self> {
        let in_calm = |limit| Some(evidence.faults.calm_from(by.returned)? + limit);
        let (here, everywhere) = match by.outcome {
            Outcome::Ok => (Some(by.node), Some(by.returned)),
            Outcome::Pending => (Some(by.node), in_calm(evidence.bounds.pending_applied_within)),
            Outcome::Unknown => (None, in_calm(evidence.bounds.abandoned_applied_within?)),
            _ => return None,
        };
        Some(Self { by, everywhere, here })
    }

    /// Whether `entry` began so late that the end counts for it.
    fn binds(&self, entry: &Entry) -> bool {
        let here = self.here == Some(entry.node) && entry.invoked > self.by.returned;
        here || self.everywhere.is_some_and(|moment| entry.invoked > moment)
    }

    /// Whether an upheaval may have undone the end at the time of `entry`, by what is documented.
    fn may_be_undone(&self, entry: &Entry, evidence: &Evidence<'_>) -> bool {
        let is_sign_out = self.by.action == Action::SignOut;
        let reach = evidence.bounds.journal_reach;
        let confirmed = matches!(evidence.bounds.durability, Durability::Replicas(n) if n > 0);
        evidence.upheavals.iter().any(|upheaval| {
            let can_lose = !(is_sign_out && confirmed && upheaval.kind == Kind::Failover);
            let met = entry.returned >= upheaval.begin && upheaval.may_lose(self.by);
            // A sign-out is carried out again once the storage is back; a new ticket is not.
            let stays_undone = !is_sign_out || self.by.returned + reach < upheaval.begin;
            can_lose && met && (stays_undone || entry.invoked <= upheaval.settled)
        })
    }
}
