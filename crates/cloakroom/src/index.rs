//! [`OwnerIndex`]: which sessions an owner has. A superset of the truth: a session is entered
//! *before* it is signed in, and leaves after it has ended.
//!
//! Every storage keeps one index per owner and changes it in atomic steps ([`IndexChange`]); what a
//! step does is written here, once, and the embedded storage runs it. A storage over a network does
//! the same on its server.
//!
//! ```text
//! enter   before the commit of a sign-in: the session is *pending*, or *renewing* where it was
//!         signed in already
//! settle  after it: the session is *signed in*; tells whether there are too many now
//! condemn the ones that have to go for it: they are *condemned* until somebody has ended them
//! remove  what has been found to be no session of this owner any more
//! ```
//!
//! Whoever dies between two steps leaves an entry too many, never one too few. Readers mend that:
//! they end what is condemned and remove what is over.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::token::SessionKey;

/// How long an entry outlives its session's absolute deadline, so that no difference between two
/// servers' clocks hides a session that still lives.
pub const INDEX_MARGIN: Duration = Duration::from_secs(60);

/// How many entries an index may have. There are more than sessions only where sign-ins were given up
/// half-way.
pub const INDEX_CAPACITY: usize = 2_000;

/// One session in its owner's index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    /// The session.
    pub session: SessionKey,
    /// What is known of it.
    pub state: EntryState,
    /// When the session ends whatever happens, or later.
    pub deadline: Timestamp,
}

/// What the index knows of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryState {
    /// It is being signed in. After this moment nobody is told any more that it was.
    Pending(Timestamp),
    /// It was signed in at this moment.
    SignedIn(Timestamp),
    /// It was signed in, and its owner signs in again or gives it another lifetime. After this moment
    /// nobody is told any more that this took place.
    Renewing(Timestamp),
    /// It has to go because the owner had too many, since this moment.
    Condemned(Timestamp),
}

/// One atomic step.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IndexChange {
    /// Enters a session that is about to be signed in.
    Enter {
        /// The session.
        session: SessionKey,
        /// How long it will live at most.
        lifetime: Duration,
        /// How long its sign-in may take.
        pending: Duration,
        /// Refuses a session that is not in where the owner has so many, those that are pending among
        /// them; `None`: only where the index is at its capacity.
        refuse_at: Option<u32>,
    },
    /// Notes that a session that was entered is signed in. One that is not in was ended meanwhile, and
    /// is not entered again.
    Settle {
        /// The session.
        session: SessionKey,
        /// When it ends whatever happens. The entry keeps a later one.
        deadline: Timestamp,
        /// How many the owner may have; `None`: any number.
        most: Option<u32>,
    },
    /// Makes room for a session that was signed in: condemns others until there are no more than
    /// `most`.
    Condemn {
        /// The session that room is made for; where that is not in yet, any one that counts.
        session: SessionKey,
        /// How many the owner may have.
        most: u32,
        /// Entries whose sessions are over; they are removed first, where they are still what they
        /// were.
        over: Vec<IndexEntry>,
        /// The others, the first to go first.
        candidates: Vec<SessionKey>,
    },
    /// Removes entries, where they are still what they were.
    Remove(Vec<IndexEntry>),
    /// Removes sessions that have ended, whatever their entries say. A key comes back only where an
    /// import is repeated; whoever knows the entry does better to [remove](Self::Remove) it.
    Leave(Vec<SessionKey>),
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum IndexOutcome {
    /// It was done.
    Done,
    /// The owner has too many sessions. Entering: nothing was done. Settling, condemning: it was done,
    /// and others have to go.
    Full,
    /// Nothing was done: the session has to go for another one. Settling, condemning: or it has ended
    /// meanwhile.
    Condemned,
}

/// The index after a step, or as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct OwnerIndex {
    /// What became of the step; [`IndexOutcome::Done`] where nothing was to be changed.
    pub outcome: IndexOutcome,
    /// The storage's clock.
    pub now: Timestamp,
    /// All entries.
    pub entries: Vec<IndexEntry>,
}

impl IndexEntry {
    /// Whether a sign-in is under way, so that what its record says may be about to change.
    pub fn is_under_way(&self, now: Timestamp) -> bool {
        let (EntryState::Pending(until) | EntryState::Renewing(until)) = self.state else {
            return false;
        };
        now <= until
    }

    /// Whether it has to go because the owner had too many.
    pub fn is_condemned(&self) -> bool {
        matches!(self.state, EntryState::Condemned(_))
    }

    /// Whether it counts against the owner's limit: it was signed in, or nobody knows what became of
    /// its sign-in.
    pub fn counts(&self, now: Timestamp) -> bool {
        match self.state {
            EntryState::SignedIn(_) | EntryState::Renewing(_) => true,
            EntryState::Pending(until) => now > until,
            EntryState::Condemned(_) => false,
        }
    }

    /// Whether this is still what another look has seen.
    fn is_still(&self, seen: &Self) -> bool {
        self.session == seen.session && self.state == seen.state
    }
}

/// The entries of one owner, as the embedded storage holds them.
#[derive(Debug, Default)]
pub(crate) struct Entries(Vec<IndexEntry>);

impl Entries {
    /// All entries that are not over at `now`.
    pub(crate) fn look(&self, now: Timestamp) -> OwnerIndex {
        let entries = self.0.iter().filter(|entry| now <= entry.deadline + INDEX_MARGIN);
        OwnerIndex { outcome: IndexOutcome::Done, now, entries: entries.copied().collect() }
    }

    /// Takes one step.
    pub(crate) fn apply(&mut self, change: &IndexChange, now: Timestamp) -> OwnerIndex {
        self.0.retain(|entry| now <= entry.deadline + INDEX_MARGIN);
        let outcome = match change {
            IndexChange::Enter { session, lifetime, pending, refuse_at } => {
                self.enter(session, now, *lifetime, *pending, *refuse_at)
            }
            IndexChange::Settle { session, deadline, most } => {
                self.settle(session, now, *deadline, *most)
            }
            IndexChange::Condemn { session, most, over, candidates } => {
                self.0.retain(|entry| !over.iter().any(|seen| entry.is_still(seen)));
                self.condemn(session, now, *most, candidates)
            }
            IndexChange::Remove(entries) => {
                self.0.retain(|entry| !entries.iter().any(|seen| entry.is_still(seen)));
                IndexOutcome::Done
            }
            IndexChange::Leave(sessions) => {
                self.0.retain(|entry| !sessions.contains(&entry.session));
                IndexOutcome::Done
            }
        };
        OwnerIndex { outcome, now, entries: self.0.clone() }
    }

    pub(crate) fn has(&self, session: &SessionKey) -> bool {
        self.0.iter().any(|entry| entry.session == *session)
    }

    /// Keeps the entries that are wanted, and says how many went.
    pub(crate) fn retain(&mut self, wanted: impl Fn(&IndexEntry) -> bool) -> usize {
        let before = self.0.len();
        self.0.retain(wanted);
        before - self.0.len()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// When the last entry is over; `None` where there is none.
    pub(crate) fn end(&self) -> Option<Timestamp> {
        self.0.iter().map(|entry| entry.deadline + INDEX_MARGIN).max()
    }

    fn enter(
        &mut self,
        session: &SessionKey,
        now: Timestamp,
        lifetime: Duration,
        pending: Duration,
        refuse_at: Option<u32>,
    ) -> IndexOutcome {
        let before = self.0.iter().find(|entry| entry.session == *session).copied();
        if before.is_some_and(|entry| entry.is_condemned()) {
            return IndexOutcome::Condemned;
        }
        let others = self.0.iter().filter(|it| it.session != *session && !it.is_condemned());
        let is_in = before.is_some_and(|entry| entry.counts(now));
        let is_full = before.is_none() && self.0.len() >= INDEX_CAPACITY;
        if is_full || (!is_in && refuse_at.is_some_and(|most| others.count() >= most as usize)) {
            return IndexOutcome::Full;
        }
        let until = now + pending;
        let state = if is_in { EntryState::Renewing(until) } else { EntryState::Pending(until) };
        // As long as the sign-in is not done, the session may live on as it was.
        let known = before.map_or(now, |entry| entry.deadline);
        self.put(session, state, known.max(until + lifetime));
        IndexOutcome::Done
    }

    fn settle(
        &mut self,
        session: &SessionKey,
        now: Timestamp,
        deadline: Timestamp,
        most: Option<u32>,
    ) -> IndexOutcome {
        let before = self.0.iter().find(|entry| entry.session == *session);
        let Some(before) = before.filter(|entry| !entry.is_condemned()) else {
            return IndexOutcome::Condemned;
        };
        // Never earlier than another request or reader has said: that one may know more.
        let deadline = before.deadline.max(deadline);
        self.put(session, EntryState::SignedIn(now), deadline);
        self.fits(now, most)
    }

    fn condemn(
        &mut self,
        session: &SessionKey,
        now: Timestamp,
        most: u32,
        candidates: &[SessionKey],
    ) -> IndexOutcome {
        if !self.0.iter().any(|entry| entry.session == *session && entry.counts(now)) {
            return IndexOutcome::Condemned;
        }
        let mut too_many = self.counting(now).saturating_sub(most as usize);
        for candidate in candidates {
            let entry = self.0.iter_mut().find(|entry| entry.session == *candidate);
            if too_many > 0
                && let Some(entry) = entry
                && entry.counts(now)
            {
                entry.state = EntryState::Condemned(now);
                too_many -= 1;
            }
        }
        self.fits(now, Some(most))
    }

    fn put(&mut self, session: &SessionKey, state: EntryState, deadline: Timestamp) {
        self.0.retain(|entry| entry.session != *session);
        self.0.push(IndexEntry { session: *session, state, deadline });
    }

    fn fits(&self, now: Timestamp, most: Option<u32>) -> IndexOutcome {
        match most {
            Some(most) if self.counting(now) > most as usize => IndexOutcome::Full,
            _ => IndexOutcome::Done,
        }
    }

    fn counting(&self, now: Timestamp) -> usize {
        self.0.iter().filter(|entry| entry.counts(now)).count()
    }
}
