//! [`Ledger`]: what earlier requests of a session cost, for the pages that tell about it. It is in
//! this process only, and forgets the oldest sessions.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cloakroom::PublicId;

use super::meter::Spent;

/// How many sessions are remembered.
const CAPACITY: usize = 256;

/// Notes per session, the most recently created last.
#[derive(Default)]
pub(super) struct Ledger {
    entries: Mutex<VecDeque<Entry>>,
}

struct Entry {
    session: PublicId,
    last_write: Option<LastWrite>,
    run: Option<Run>,
}

/// The last request of a session that was a POST.
#[derive(Clone, Debug)]
pub(super) struct LastWrite {
    pub(super) path: String,
    pub(super) spent: Spent,
}

/// A run of parallel requests: how many of them have been committed, in how many commits.
struct Run {
    name: String,
    expected: usize,
    requests: usize,
    commits: usize,
}

impl Ledger {
    /// A request that writes has ended.
    pub(super) fn wrote(&self, session: PublicId, path: String, spent: Spent) {
        self.entry(session, |entry| entry.last_write = Some(LastWrite { path, spent }));
    }

    /// The session's last write.
    pub(super) fn last_write(&self, session: PublicId) -> Option<LastWrite> {
        self.find(session, |entry| entry.last_write.clone())
    }

    /// A request belongs to a run of that many; the first one opens the run.
    pub(super) fn joins(&self, session: PublicId, run: &str, expected: usize) {
        self.entry(session, |entry| {
            if entry.run.as_ref().is_none_or(|open| open.name != run) {
                entry.run = Some(Run { name: run.to_owned(), expected, requests: 0, commits: 0 });
            }
        });
    }

    /// The engine has committed so many requests' changes at once.
    pub(super) fn committed(&self, session: PublicId, requests: usize) {
        let open = |entry: &mut Entry| {
            if let Some(run) = entry.run.as_mut().filter(|run| run.requests < run.expected) {
                run.requests += requests;
                run.commits += 1;
            }
            None::<()>
        };
        self.find(session, open);
    }

    /// How many commits a run took, as soon as all of it is committed.
    pub(super) fn commits(&self, session: PublicId, run: &str) -> Option<usize> {
        self.find(session, |entry| {
            let run = entry.run.as_ref().filter(|it| it.name == run)?;
            (run.requests >= run.expected).then_some(run.commits)
        })
    }

    fn find<T>(&self, session: PublicId, read: impl FnOnce(&mut Entry) -> Option<T>) -> Option<T> {
        self.lock().iter_mut().rfind(|entry| entry.session == session).and_then(read)
    }

    fn entry(&self, session: PublicId, change: impl FnOnce(&mut Entry)) {
        let mut entries = self.lock();
        if let Some(entry) = entries.iter_mut().rfind(|entry| entry.session == session) {
            return change(entry);
        }
        if entries.len() == CAPACITY {
            entries.pop_front();
        }
        let mut entry = Entry { session, last_write: None, run: None };
        change(&mut entry);
        entries.push_back(entry);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use cloakroom::SessionKey;

    use super::*;

    fn session(name: &str) -> PublicId {
        SessionKey::from_name(name).public_id()
    }

    #[test]
    fn a_run_counts_its_own_commits_only() {
        let ledger = Ledger::default();
        ledger.committed(session("a"), 1);
        ledger.joins(session("a"), "first", 3);
        ledger.committed(session("a"), 1);
        assert_eq!(ledger.commits(session("a"), "first"), None);
        ledger.committed(session("b"), 2);
        ledger.committed(session("a"), 2);
        ledger.committed(session("a"), 1);
        assert_eq!(ledger.commits(session("a"), "first"), Some(2));
        assert_eq!(ledger.commits(session("a"), "second"), None);
    }

    #[test]
    fn the_oldest_session_is_forgotten_when_the_ledger_is_full() {
        let ledger = Ledger::default();
        for number in 0..=CAPACITY {
            ledger.wrote(session(&number.to_string()), "/".to_owned(), Spent::default());
        }
        assert!(ledger.last_write(session("0")).is_none());
        assert!(ledger.last_write(session("1")).is_some());
        assert_eq!(ledger.lock().len(), CAPACITY);
    }
}
