//! INV-3: what one client sees of a session never goes back.

use std::collections::HashMap;

use super::super::Findings;
use super::{Evidence, Story};

/// Compares what a client sees with the newest state that it saw in an earlier operation.
pub(super) fn check(story: &Story<'_>, evidence: &Evidence<'_>, found: &mut Findings) {
    let mut newest = HashMap::new();
    for (entry, _) in story.visits() {
        let Some(seen) = &entry.seen else { continue };
        let (before, generation) = *newest.entry(entry.client).or_insert((entry, seen.generation));
        // The first time `before` is the entry itself. Operations that overlap prove nothing.
        let comparable = before.returned < entry.invoked;
        if comparable {
            found.check();
        }
        if comparable && seen.generation < generation {
            if !evidence.upheavals.between(before, entry) {
                let what = || format!("generation {generation} went back to {}", seen.generation);
                found.violate(what, &[before, entry]);
            }
            newest.insert(entry.client, (entry, seen.generation));
        } else if seen.generation >= generation {
            newest.insert(entry.client, (entry, seen.generation));
        }
    }
}
