//! [`Incidents`]: what happened that somebody should know of. Servers have a list of their own, so
//! that a hundred sessions a second that could not be saved do not push out why; of those there is one
//! line for each kind of thing, with a count. Both are bounded.

use std::collections::VecDeque;
use std::time::Duration;

use cloakroom::Timestamp;

/// How many incidents of servers are kept.
const SERVERS: usize = 50;

/// How many kinds of incidents of sessions are kept.
const KINDS: usize = 20;

/// After how long a thing that happens again is another incident.
const OVER: Duration = Duration::from_secs(10 * 60);

/// Something that a person should know of.
#[derive(Clone, Debug)]
pub(crate) struct Incident {
    pub(crate) at: Timestamp,
    /// The newest one's.
    text: String,
    times: u64,
}

/// The last ones.
#[derive(Debug, Default)]
pub(crate) struct Incidents {
    servers: VecDeque<Incident>,
    sessions: VecDeque<(&'static str, Incident)>,
}

impl Incidents {
    /// Something about a server.
    pub(crate) fn of_server(&mut self, at: Timestamp, text: String) {
        if self.servers.len() == SERVERS {
            self.servers.pop_front();
        }
        self.servers.push_back(Incident { at, text, times: 1 });
    }

    /// Something about a session.
    pub(crate) fn of_session(&mut self, kind: &'static str, at: Timestamp, text: String) {
        let known = self.sessions.iter().position(|(it, _)| *it == kind);
        let before = known.and_then(|known| self.sessions.remove(known));
        let before = before.filter(|(_, it)| it.at.until(at) <= OVER).map_or(0, |(_, it)| it.times);
        if self.sessions.len() == KINDS {
            self.sessions.pop_front();
        }
        self.sessions.push_back((kind, Incident { at, text, times: before + 1 }));
    }

    /// All that are kept, the newest first.
    pub(crate) fn newest_first(&self) -> Vec<Incident> {
        let sessions = self.sessions.iter().map(|(_, incident)| incident);
        let mut all: Vec<_> = self.servers.iter().chain(sessions).cloned().collect();
        all.reverse();
        all.sort_by_key(|incident| std::cmp::Reverse(incident.at));
        all
    }
}

impl Incident {
    /// In words.
    pub(crate) fn text(&self) -> String {
        match self.times {
            1 => self.text.clone(),
            times => format!("{}; the newest of {times} like it", self.text),
        }
    }
}
