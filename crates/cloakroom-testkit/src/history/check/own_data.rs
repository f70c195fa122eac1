//! INV-1: what a request sees belongs to its own visitor and session.

use std::collections::HashMap;

use super::super::{Entry, Findings};
use super::Story;

/// The session that was opened names the visitor who came, and the session of the ticket.
pub(super) fn check(entry: &Entry, found: &mut Findings) {
    let Some(seen) = &entry.seen else { return };
    found.check();
    let own = Some(entry.visitor);
    let session = entry.shown.map(|(session, _)| session);
    let wrong = if session.is_none() {
        "a request without a ticket saw a session"
    } else if seen.visitor != own {
        "a visitor saw data that names another one, or nobody"
    } else if seen.owner != own {
        "a visitor saw a session of another owner, or of nobody"
    } else if seen.session != session {
        "a ticket opened data of another session"
    } else {
        return;
    };
    found.violate(|| wrong.to_owned(), &[entry]);
}

/// The last write that the data names was sent to this session, and not later than it was seen.
///
/// These are the same reads as in [`check`], so they are not counted once more.
pub(super) fn check_changes(story: &Story<'_>, found: &mut Findings) {
    let sent: HashMap<_, _> =
        story.visits().filter_map(|(entry, _)| Some((entry.change?, entry))).collect();
    for (entry, _) in story.visits() {
        let Some(change) = entry.seen.and_then(|seen| seen.last_change) else { continue };
        match sent.get(&change) {
            None => found.violate(
                || format!("the data names {change}, which was never sent to {}", story.session),
                &[entry],
            ),
            Some(write) if write.invoked > entry.returned => {
                found.violate(|| format!("{change} was seen before it was sent"), &[entry, write]);
            }
            Some(_) => {}
        }
    }
}
