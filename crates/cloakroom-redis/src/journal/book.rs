//! [`Book`]: every removal that is remembered, its state, and what is due when. Pure: the time is
//! passed in, and nothing is sent. The [`Desk`](super::worker::Desk) holds the lock.
//!
//! What always holds: an entry that is neither confirmed nor in somebody's hand stands in the queue;
//! the register shows what the entry says.

mod steps;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use cloakroom::{JournalHealth, SessionKey, Timestamp, VerifierHash};
use tokio::time::Instant;

use super::entry::{Entry, Proofs, State, pause};
use super::register::Register;
use super::{JournalPolicy, JournalStats, Meant};

/// How far this node's idea of the server's time may be behind. A pending removal ends what was
/// created so much later as well: a sign-out may not miss a session that was created just before it
/// through another node.
const SKEW: Duration = Duration::from_secs(2);

pub(super) struct Book {
    policy: JournalPolicy,
    register: Arc<Register>,
    entries: HashMap<SessionKey, Entry>,
    /// What is to be carried out, by time and age.
    queue: BTreeMap<(Instant, u64), SessionKey>,
    /// The pending ones by age.
    pending: BTreeSet<(Instant, u64)>,
    /// How many of them nobody could look at the record for.
    pending_unseen: usize,
    /// The confirmed ones by the time at which they are forgotten; some may be so no longer.
    confirmed: VecDeque<(Instant, SessionKey)>,
    in_hand: usize,
    /// Counts begun removals.
    begun: u64,
    /// Counts the server's histories.
    history: u64,
    counters: Counters,
    notices: Vec<Notice>,
}

/// A caller's removal.
#[derive(Debug)]
pub(super) struct Ticket {
    key: SessionKey,
    number: u64,
    history: u64,
    /// Whether the entry stands for this removal too.
    noted: bool,
}

/// What became of a caller's removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Confirmed,
    Unknown,
    /// It will never be carried out, and the caller knows.
    Refused,
}

/// Too many removals are pending.
#[derive(Debug)]
pub(super) struct Full;

/// A removal that the task has to carry out.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) key: SessionKey,
    pub(super) meant: Meant,
    number: u64,
    history: u64,
}

/// What the task has to do next.
pub(super) enum Next {
    Due(Work),
    At(Instant),
    /// Nothing but to wait for what is in hand.
    InHand,
    Nothing,
}

/// What the observer is to be told.
pub(super) enum Notice {
    Applied { key: SessionKey, pending: Duration },
    Expired { key: SessionKey },
    Full { key: SessionKey },
}

/// A confirmed removal that was taken out for a creation under its key.
#[derive(Debug)]
pub(super) struct Confirmed {
    key: SessionKey,
    asked: Option<Timestamp>,
    until: Instant,
    history: u64,
}

/// A creation meets a removal that is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StillToCome {
    /// It is being carried out.
    Soon,
    /// Its outcome is unknown.
    Pending,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counters {
    applied: u64,
    repeated: u64,
    expired: u64,
    refused: u64,
    displaced: u64,
}

impl Book {
    pub(super) fn new(policy: JournalPolicy) -> Self {
        Self {
            policy,
            register: Arc::default(),
            entries: HashMap::new(),
            queue: BTreeMap::new(),
            pending: BTreeSet::new(),
            pending_unseen: 0,
            confirmed: VecDeque::new(),
            in_hand: 0,
            begun: 0,
            history: 0,
            counters: Counters::default(),
            notices: Vec::new(),
        }
    }

    pub(super) fn register(&self) -> &Arc<Register> {
        &self.register
    }

    pub(super) fn take_notices(&mut self) -> Vec<Notice> {
        mem::take(&mut self.notices)
    }

    pub(super) fn has_work(&self) -> bool {
        !self.queue.is_empty() || self.in_hand > 0
    }

    // A caller's removal.

    pub(super) fn begin(
        &mut self,
        key: &SessionKey,
        asked: Option<Timestamp>,
        proof: Option<VerifierHash>,
    ) -> Ticket {
        self.begun += 1;
        let number = self.begun;
        let entry = self.entries.entry(*key).or_insert_with(|| Entry::under_way(number));
        entry.asked = match (entry.asked, asked) {
            (Some(before), Some(asked)) => Some(before.max(asked)),
            (_, asked) => asked,
        };
        let noted = entry.proofs.add(proof);
        entry.number = number;
        entry.callers += 1;
        self.publish(key);
        Ticket { key: *key, number, history: self.history, noted }
    }

    pub(super) fn end(
        &mut self,
        ticket: Ticket,
        verdict: Verdict,
        now: Instant,
    ) -> Result<(), Full> {
        let key = ticket.key;
        let Some(entry) = self.entries.get_mut(&key) else { return Ok(()) };
        entry.callers -= 1;
        let (state, is_newest) = (entry.state, entry.number == ticket.number);
        let noted = match verdict {
            Verdict::Confirmed if !is_newest => Ok(()),
            Verdict::Confirmed if ticket.history != self.history => {
                // The server that has confirmed it is not the one that counts now.
                if !matches!(state, State::Pending { .. }) {
                    self.enter(&key, State::Again { since: now });
                }
                self.enqueue(&key, now);
                Ok(())
            }
            Verdict::Confirmed => {
                self.confirm(&key, now);
                Ok(())
            }
            Verdict::Refused => Ok(()),
            Verdict::Unknown if matches!(state, State::Pending { .. }) && ticket.noted => Ok(()),
            Verdict::Unknown if !ticket.noted || !self.has_room(&key) => {
                self.counters.refused += 1;
                self.notices.push(Notice::Full { key });
                Err(Full)
            }
            Verdict::Unknown => {
                self.enter(&key, State::Pending { age: (now, ticket.number) });
                self.enqueue(&key, now + pause(0));
                Ok(())
            }
        };
        self.drop_if_unneeded(&key);
        noted
    }

    /// Whether one more removal may be pending.
    fn has_room(&self, key: &SessionKey) -> bool {
        let is_unseen =
            self.entries.get(key).is_some_and(|entry| matches!(entry.proofs, Proofs::These(_)));
        let unseen = || self.pending_unseen < self.policy.max_unseen;
        self.pending.len() < self.policy.max_pending && (!is_unseen || unseen())
    }

    // The task's work.

    pub(super) fn next(&mut self, now: Instant) -> Next {
        while let Some((&(due, _), &key)) = self.queue.first_key_value() {
            if due > now {
                return Next::At(due);
            }
            self.unqueue(&key);
            let give_up_after = self.policy.give_up_after;
            let Some(entry) = self.entries.get_mut(&key) else { continue };
            let (since, before) = match entry.state {
                State::Pending { age } => (age.0, entry.asked.map(|asked| asked + SKEW)),
                State::Again { since } => (since, entry.asked),
                State::UnderWay | State::Confirmed { .. } => continue,
            };
            if now >= since + give_up_after {
                self.give_up(&key);
                continue;
            }
            entry.in_hand = true;
            self.in_hand += 1;
            let meant = Meant { before, proofs: entry.proofs.to_compare() };
            return Next::Due(Work { key, meant, number: entry.number, history: self.history });
        }
        if self.in_hand > 0 { Next::InHand } else { Next::Nothing }
    }

    /// What the task has in hand has ended. `None` stands for an error.
    pub(super) fn done(&mut self, work: &Work, removed: Option<bool>, now: Instant) {
        let Some(entry) = self.take_from_hand(work) else { return };
        if !entry.is_due() {
            return self.drop_if_unneeded(&work.key);
        }
        let (state, is_newest) = (entry.state, entry.number == work.number);
        let Some(removed) = removed else {
            entry.failures = entry.failures.saturating_add(1);
            let due = now + pause(entry.failures);
            return self.enqueue(&work.key, due);
        };
        if removed && matches!(state, State::Again { .. }) {
            self.counters.repeated += 1;
            self.notices.push(Notice::Applied { key: work.key, pending: Duration::ZERO });
        }
        if is_newest && work.history == self.history {
            if !removed && !work.meant.proofs.is_empty() {
                // Another ticket's session, or none: nothing was ended that could come back.
                return self.forget(&work.key, now);
            }
            self.confirm(&work.key, now);
        } else {
            self.enqueue(&work.key, now);
        }
    }

    /// What the task had in hand was dropped half-way.
    pub(super) fn give_back(&mut self, work: &Work, now: Instant) {
        let Some(entry) = self.take_from_hand(work) else { return };
        if entry.is_due() {
            self.enqueue(&work.key, now);
        } else {
            self.drop_if_unneeded(&work.key);
        }
    }

    pub(super) fn retry_now(&mut self, now: Instant) {
        for ((_, age), key) in mem::take(&mut self.queue) {
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.failures = 0;
                entry.place = Some((now, age));
                self.queue.insert((now, age), key);
            }
        }
    }

    pub(super) fn reapply(&mut self, now: Instant) {
        self.history += 1;
        self.forget_old(now);
        self.retry_now(now);
        for (until, key) in mem::take(&mut self.confirmed) {
            if self.is_confirmed(&key, until) {
                self.again(&key, now);
            }
        }
    }

    /// A load has found a record that was removed.
    pub(super) fn came_back(&mut self, key: &SessionKey, now: Instant) {
        let entry = self.entries.get(key);
        if entry.is_some_and(|entry| matches!(entry.state, State::Confirmed { .. })) {
            self.again(key, now);
        }
    }

    // A creation under the key.

    /// `None` where nothing is known of the key.
    pub(super) fn take_confirmed(
        &mut self,
        key: &SessionKey,
    ) -> Result<Option<Confirmed>, StillToCome> {
        let Some(entry) = self.entries.get(key) else { return Ok(None) };
        let until = match entry.state {
            State::Confirmed { until } if !entry.is_busy() => until,
            State::Pending { .. } => return Err(StillToCome::Pending),
            _ => return Err(StillToCome::Soon),
        };
        let asked = entry.asked;
        self.entries.remove(key);
        self.publish(key);
        Ok(Some(Confirmed { key: *key, asked, until, history: self.history }))
    }

    pub(super) fn put_back(&mut self, confirmed: Confirmed, now: Instant) {
        let Confirmed { key, asked, until, history } = confirmed;
        if self.entries.contains_key(&key) || until <= now {
            return;
        }
        self.begun += 1;
        let entry = Entry { asked, proofs: Proofs::Any, ..Entry::under_way(self.begun) };
        self.entries.insert(key, entry);
        self.confirm(&key, now);
        if history != self.history {
            self.again(&key, now);
        }
    }

    pub(super) fn health(&mut self, now: Instant) -> JournalHealth {
        let mut health = self.stats(now).health(&self.policy);
        health.unseen = self.pending_unseen;
        health
    }

    pub(super) fn stats(&mut self, now: Instant) -> JournalStats {
        self.forget_old(now);
        let Counters { applied, repeated, expired, refused, displaced } = self.counters;
        let oldest = self.pending.first();
        JournalStats {
            pending: self.pending.len(),
            oldest_pending: oldest.map(|&(since, _)| now.saturating_duration_since(since)),
            entries: self.entries.len(),
            applied,
            repeated,
            expired,
            refused,
            displaced,
        }
    }
}
