//! [`Shard`]: the copies and claims of a part of all keys. Its lock makes "is my ticket still there"
//! and "keep the copy" one step.

use std::sync::Arc;
use std::time::Duration;

use cloakroom::{Record, SessionKey};

use super::claims::{ClaimId, Claims, Echo};
use super::copies::{Copies, Kept};
use super::coverage::{Arm, Coverage};
use super::moment::Moment;

#[derive(Debug)]
pub(super) struct Shard {
    copies: Copies,
    claims: Claims,
    max_age: Duration,
    lease: Duration,
    pub(super) hits: u64,
    pub(super) misses: u64,
    pub(super) invalidations: u64,
    pub(super) longest_unconfirmed: Duration,
}

impl Shard {
    pub(super) fn new(copies: Copies, max_age: Duration, lease: Duration) -> Self {
        Self {
            copies,
            claims: Claims::default(),
            max_age,
            lease,
            hits: 0,
            misses: 0,
            invalidations: 0,
            longest_unconfirmed: Duration::ZERO,
        }
    }

    pub(super) fn copies(&self) -> &Copies {
        &self.copies
    }

    /// A copy that may be served at this moment.
    pub(super) fn get(&mut self, key: &SessionKey) -> Option<Record> {
        let lease = self.lease;
        let Some(copy) = self.copies.get(key) else {
            self.misses += 1;
            return None;
        };
        // Under the lock, so that no copy is newer than this.
        let now = Moment::now();
        let age = now.since(copy.taken).filter(|_| now < copy.until);
        let (Some(unconfirmed), Some(age)) = (copy.arm.unconfirmed(now, lease), age) else {
            // A lease that has run out can be renewed; nothing else comes back.
            if !copy.arm.holds() || age.is_none() {
                self.copies.remove(key);
            }
            self.misses += 1;
            return None;
        };
        let as_of = copy.record.as_of() + age;
        let record = copy.record.clone().looked_at(as_of);
        self.hits += 1;
        self.longest_unconfirmed = self.longest_unconfirmed.max(unconfirmed);
        Some(record)
    }

    /// A question is about to be sent; what it brings replaces the copy.
    pub(super) fn note_read(&mut self, key: &SessionKey, id: ClaimId, on: Option<&Arc<Coverage>>) {
        self.copies.remove(key);
        match on {
            Some(on) => self.claims.note_read(key, id, on),
            None => _ = self.claims.end_read(key, id),
        }
    }

    pub(super) fn end_read(&mut self, key: &SessionKey, id: ClaimId, read: Option<&Record>) {
        if let Some(arm) = self.claims.end_read(key, id)
            && let Some(record) = read
        {
            self.keep(key, record, Moment::now(), arm, Echo::Over);
        }
    }

    pub(super) fn begin_write(&mut self, key: &SessionKey) {
        self.copies.remove(key);
        self.claims.begin_write(key);
    }

    pub(super) fn note_write(&mut self, key: &SessionKey, on: Option<&Arc<Coverage>>) {
        self.claims.note_write(key, on);
    }

    pub(super) fn end_write(&mut self, key: &SessionKey, written: Option<&Record>) {
        if let Some(end) = self.claims.end_write(key)
            && let Some(record) = written
        {
            self.keep(key, record, end.begun, end.arm, end.echo);
        }
    }

    /// Somebody has changed the key, as was heard on a connection. What is armed on another one
    /// stays: this may be the late echo of a write of our own, and of any later change the other
    /// connection hears.
    pub(super) fn invalidate(&mut self, key: &SessionKey, on: &Arc<Coverage>) {
        self.claims.invalidate(key, on);
        let Some(copy) = self.copies.look_at(key).filter(|copy| copy.arm.is_on(on)) else { return };
        // The echo comes right behind the write's answer, before that to any later question.
        if let Echo::Due(answered) = copy.echo
            && !copy.arm.was_confirmed_since(answered)
        {
            copy.echo = Echo::Over;
            return;
        }
        self.copies.remove(key);
        self.invalidations += 1;
    }

    /// Nothing of what is known of the key by now may be kept.
    pub(super) fn forget(&mut self, key: &SessionKey) {
        self.copies.remove(key);
        self.claims.void(key);
    }

    pub(super) fn clear(&mut self) {
        self.copies.clear();
        self.claims.void_all();
    }

    /// Keeps a record that was looked at by the server's clock at the moment `taken`.
    fn keep(&mut self, key: &SessionKey, record: &Record, taken: Moment, arm: Arm, echo: Echo) {
        let end = record.idle_deadline().min(record.absolute_deadline());
        let age = self.max_age.min(record.as_of().until(end));
        let copy = Kept { record: record.clone(), arm, taken, until: taken.after(age), echo };
        self.copies.insert(key, copy);
    }
}
