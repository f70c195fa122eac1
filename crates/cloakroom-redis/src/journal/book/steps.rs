//! The steps that the book's entries take from one state to the next. Each leaves the queue, the
//! list of pending ones, the list of confirmed ones and the register as the entry says.

use cloakroom::SessionKey;
use tokio::time::Instant;

use super::{Book, Notice, Work};
use crate::journal::entry::{Entry, Proofs, State};

impl Book {
    /// The server has carried it out, and nothing newer was asked for.
    pub(super) fn confirm(&mut self, key: &SessionKey, now: Instant) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        // The session is over, whatever ticket it had when it comes back.
        entry.proofs = Proofs::Any;
        self.tell_if_pending(key, now);
        let until = now + self.policy.remember_for;
        self.unqueue(key);
        self.enter(key, State::Confirmed { until });
        self.confirmed.push_back((until, *key));
        self.forget_old(now);
    }

    /// It has turned out that there was nothing to remove, and that nothing can come back.
    pub(super) fn forget(&mut self, key: &SessionKey, now: Instant) {
        self.tell_if_pending(key, now);
        self.unqueue(key);
        self.enter(key, State::UnderWay);
        self.drop_if_unneeded(key);
    }

    fn tell_if_pending(&mut self, key: &SessionKey, now: Instant) {
        let Some(entry) = self.entries.get(key) else { return };
        if let State::Pending { age: (since, _) } = entry.state {
            let pending = now.saturating_duration_since(since);
            self.counters.applied += 1;
            self.notices.push(Notice::Applied { key: *key, pending });
        }
    }

    /// It may have been undone.
    pub(super) fn again(&mut self, key: &SessionKey, now: Instant) {
        self.enter(key, State::Again { since: now });
        self.enqueue(key, now);
    }

    pub(super) fn give_up(&mut self, key: &SessionKey) {
        if self.entries.get(key).is_some_and(|entry| matches!(entry.state, State::Pending { .. })) {
            self.counters.expired += 1;
            self.notices.push(Notice::Expired { key: *key });
        }
        self.enter(key, State::UnderWay);
        self.drop_if_unneeded(key);
    }

    /// Forgets confirmed removals whose time is over, or that are too many.
    pub(super) fn forget_old(&mut self, now: Instant) {
        while let Some(&(until, key)) = self.confirmed.front() {
            let is_over = until <= now;
            if !is_over && self.confirmed.len() <= self.policy.max_confirmed {
                return;
            }
            self.confirmed.pop_front();
            if self.is_confirmed(&key, until) {
                self.counters.displaced += u64::from(!is_over);
                self.enter(&key, State::UnderWay);
                self.drop_if_unneeded(&key);
            }
        }
    }

    pub(super) fn is_confirmed(&self, key: &SessionKey, until: Instant) -> bool {
        self.entries.get(key).is_some_and(|entry| entry.state == State::Confirmed { until })
    }

    pub(super) fn enter(&mut self, key: &SessionKey, state: State) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let is_unseen = matches!(entry.proofs, Proofs::These(_));
        if let State::Pending { age } = entry.state {
            self.pending.remove(&age);
            self.pending_unseen -= usize::from(entry.counts_as_unseen);
            entry.counts_as_unseen = false;
        }
        if let State::Pending { age } = state {
            self.pending.insert(age);
            entry.counts_as_unseen = is_unseen;
            self.pending_unseen += usize::from(is_unseen);
        }
        entry.state = state;
        entry.failures = 0;
        self.publish(key);
    }

    /// Makes it due. What the task has in hand is queued when it comes back.
    pub(super) fn enqueue(&mut self, key: &SessionKey, due: Instant) {
        self.unqueue(key);
        let Some(entry) = self.entries.get_mut(key) else { return };
        if !entry.in_hand {
            let place = (due, entry.number);
            entry.place = Some(place);
            self.queue.insert(place, *key);
        }
    }

    pub(super) fn unqueue(&mut self, key: &SessionKey) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        if let Some(place) = entry.place.take() {
            self.queue.remove(&place);
        }
    }

    pub(super) fn take_from_hand(&mut self, work: &Work) -> Option<&mut Entry> {
        self.in_hand -= 1;
        let entry = self.entries.get_mut(&work.key)?;
        entry.in_hand = false;
        Some(entry)
    }

    /// An entry of which nothing is known, and that nobody is carrying out, is none.
    pub(super) fn drop_if_unneeded(&mut self, key: &SessionKey) {
        let Some(entry) = self.entries.get(key) else { return };
        if entry.state == State::UnderWay && !entry.is_busy() {
            self.entries.remove(key);
        }
        self.publish(key);
    }

    pub(super) fn publish(&self, key: &SessionKey) {
        self.register.set(key, self.entries.get(key).map(Entry::mark));
    }
}
