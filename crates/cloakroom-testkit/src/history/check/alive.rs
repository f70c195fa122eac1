//! INV-4, the sessions: none vanishes by itself.

use std::collections::HashMap;

use super::super::{Action, Entry, Findings, Moment, Outcome, TicketNumber};
use super::{Evidence, Story};

/// A ticket that was handed out opens its session until something may have ended it.
pub(super) fn check(story: &Story<'_>, evidence: &Evidence<'_>, found: &mut Findings) {
    let handed_out: HashMap<_, _> = story.handed_out().map(|(by, ticket)| (ticket, by)).collect();
    let ends = Ends::of(story);
    let mut renewed: Vec<&Entry> = Vec::new();
    for (entry, ticket) in story.visits() {
        let confused = evidence.faults.confuse(entry, evidence.bounds);
        let rejected = entry.outcome == Outcome::Rejected && !confused;
        if let Some(by) = handed_out.get(&ticket).filter(|_| rejected) {
            found.check();
            let doubtful = ends.before(entry.returned, ticket)
                || may_have_expired(by, &renewed, entry, evidence)
                || by.returned > entry.invoked;
            let met = evidence.upheavals.before(entry.returned);
            if !doubtful && evidence.upheavals.spared(by, met) {
                let what = || "a session was lost: nothing has ended its ticket".to_owned();
                found.violate(what, &[by, entry]);
            }
        }
        if entry.outcome == Outcome::Ok && may_count_on_renewal(entry, evidence) {
            renewed.push(entry);
        }
    }
}

/// When the first request was sent that may have ended a session, or one of its tickets.
struct Ends {
    signed_out: Option<Moment>,
    replaced: HashMap<TicketNumber, Moment>,
}

impl Ends {
    fn of(story: &Story<'_>) -> Self {
        let mut ends = Self { signed_out: None, replaced: HashMap::new() };
        for (entry, ticket) in story.visits().filter(|(entry, _)| entry.may_have_changed()) {
            if entry.action == Action::SignOut {
                ends.signed_out.get_or_insert(entry.invoked);
            } else if entry.action == Action::SignIn || entry.replaces().is_some() {
                ends.replaced.entry(ticket).or_insert(entry.invoked);
            }
        }
        ends
    }

    fn before(&self, moment: Moment, ticket: TicketNumber) -> bool {
        let ends = self.signed_out.iter().chain(self.replaced.get(&ticket));
        ends.copied().any(|end| end < moment)
    }
}

/// A renewal is left out while the storage takes no writes: it fails open. After a fault that may be
/// so for as long as a pending sign-out may take.
fn may_count_on_renewal(entry: &Entry, evidence: &Evidence<'_>) -> bool {
    let (faults, recovery) = (&evidence.faults, evidence.bounds.pending_applied_within);
    let is_use = entry.action != Action::Peek;
    is_use && faults.is_calm(entry.invoked.before(recovery), entry.returned + recovery)
}

/// A session in use is renewed when half of its idle timeout is left, so it is certain to live for
/// one half after its last use, unless the renewal was lost.
fn may_have_expired(by: &Entry, uses: &[&Entry], entry: &Entry, evidence: &Evidence<'_>) -> bool {
    let bounds = evidence.bounds;
    let late = entry.returned + bounds.skew;
    let met = evidence.upheavals.before(entry.returned);
    let spared = uses.iter().rev().find(|used| evidence.upheavals.spared(used, met));
    let used = spared.map_or(Moment::START, |used| used.invoked);
    let idle = late >= used.max(by.invoked) + bounds.idle_timeout / 2;
    idle || bounds.absolute_timeout.is_some_and(|timeout| late >= by.invoked + timeout)
}
