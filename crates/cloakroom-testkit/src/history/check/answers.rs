//! INV-6 and INV-8: what can be said of each answer by itself.

use super::super::standstill::Standstills;
use super::super::{Bounds, CookieEffect, Entry, Findings, Outcome};

/// INV-6: no operation takes longer than its deadline and the slack, as far as the process was run.
pub(super) fn check_time(
    entry: &Entry,
    bounds: &Bounds,
    standstills: &Standstills,
    found: &mut Findings,
) {
    let Some(deadline) = entry.deadline() else { return };
    found.check();
    let limit = deadline + bounds.slack;
    if entry.took() > limit
        && entry.took() > limit + standstills.between(entry.invoked, entry.returned)
    {
        let what = || format!("it took {:?}, the deadline is {deadline:?}", entry.took());
        found.violate(what, &[entry]);
    }
}

/// INV-8: a storage that cannot answer never signs anybody out.
pub(super) fn check_cookie(entry: &Entry, found: &mut Findings) {
    if entry.shown.is_none() {
        return;
    }
    found.check();
    if entry.outcome == Outcome::Anonymous {
        let what = || "a visitor with a ticket was treated as one without".to_owned();
        found.violate(what, &[entry]);
    }
    let could_not_say = matches!(entry.outcome, Outcome::Unavailable | Outcome::Failed);
    if could_not_say && entry.cookie != CookieEffect::Kept {
        let what = || "an answer that could not say changed the cookie".to_owned();
        found.violate(what, &[entry]);
    }
}
