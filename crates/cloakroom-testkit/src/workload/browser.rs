//! [`Browser`]: one visitor's cookies, and the tickets that it once held.

use std::sync::{Mutex, MutexGuard, PoisonError};

use cloakroom::SetCookie;

use super::dice::Dice;
use crate::history::{CookieEffect, SessionNumber, TicketNumber, Visitor};
use crate::http::{Cookie, CookieJar};

/// How many tickets that it holds no more a browser remembers.
const RETIRED: usize = 8;

/// Used by several clients at once, as by several tabs.
pub(super) struct Browser {
    pub(super) visitor: Visitor,
    held: Mutex<Held>,
}

/// A ticket and what the history calls it.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    pub(super) session: SessionNumber,
    pub(super) number: TicketNumber,
    pub(super) header: String,
}

#[derive(Default)]
struct Held {
    jar: CookieJar,
    ticket: Option<Ticket>,
    retired: Vec<Ticket>,
}

impl Browser {
    pub(super) fn new(visitor: Visitor) -> Self {
        Self { visitor, held: Mutex::default() }
    }

    /// The ticket that a request sends now.
    pub(super) fn ticket(&self) -> Option<Ticket> {
        self.held().ticket.clone()
    }

    /// One of the tickets that were ended or replaced.
    pub(super) fn retired(&self, dice: &mut Dice) -> Option<Ticket> {
        let held = self.held();
        held.retired.get(dice.below(held.retired.len())).cloned()
    }

    /// Takes notice of an answer's cookie, which is a ticket of that session.
    pub(super) fn take(&self, cookie: &SetCookie, session: SessionNumber, number: TicketNumber) {
        let mut held = self.held();
        held.jar.take(cookie.value());
        let ticket = held.jar.header("/").map(|header| Ticket { session, number, header });
        held.replace(ticket);
    }

    /// The server has taken the cookie away, whatever it was by then.
    pub(super) fn remove(&self, cookie: &SetCookie) {
        let mut held = self.held();
        held.jar.take(cookie.value());
        if held.jar.header("/").is_none() {
            held.replace(None);
        }
    }

    /// The visitor gives up a ticket that opens nothing.
    pub(super) fn give_up(&self, number: TicketNumber) {
        let mut held = self.held();
        if held.ticket.as_ref().is_some_and(|ticket| ticket.number == number) {
            held.jar = CookieJar::default();
            held.replace(None);
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn replace(&mut self, ticket: Option<Ticket>) {
        let before = std::mem::replace(&mut self.ticket, ticket);
        self.retired.extend(before);
        if self.retired.len() > RETIRED {
            self.retired.remove(0);
        }
    }
}

/// What an answer does to the cookie.
pub(super) fn effect(cookie: Option<&SetCookie>) -> CookieEffect {
    let Some(cookie) = cookie else { return CookieEffect::Kept };
    match Cookie::parse(cookie.value()) {
        Some(cookie) if cookie.is_removal() => CookieEffect::Cleared,
        _ => CookieEffect::Set,
    }
}
