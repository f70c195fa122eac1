//! [`Pairing`]: knows which command each reply of a connection belongs to, and carries out what
//! rules want of it. Whatever a rule does, the client gets whole frames in the order of its
//! requests, unless the rule says otherwise.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::counters::Counters;
use super::outbox::Outbox;
use super::rules::{ReplyFault, Tally};
use super::waiting::{Kind, Waiting};

/// What is to happen to a reply.
#[derive(Debug)]
pub(super) enum Fate {
    Pass,
    Faulty(ReplyFault, Arc<Tally>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Resp2,
    Resp3,
    /// Replies no longer answer commands one to one; everything passes as it is.
    Unpaired,
}

#[derive(Debug, Default)]
pub(super) struct Pairing {
    mode: Mode,
    waiting: VecDeque<Waiting>,
    /// A reply that lets the next one go first.
    swapping: Option<Bytes>,
}

impl Pairing {
    pub(super) fn is_paired(&self) -> bool {
        self.mode != Mode::Unpaired
    }

    pub(super) fn speaks_resp3(&self) -> bool {
        self.mode == Mode::Resp3
    }

    /// A command goes to the server, which will answer it.
    pub(super) fn forwarded(&mut self, kind: Kind, fate: Fate, client: &Outbox) {
        if kind == Kind::Unpaired {
            self.give_up(client);
        }
        if self.is_paired() {
            self.waiting.push_back(Waiting::Server(kind, fate));
        }
    }

    /// A command is answered by the proxy itself, in its turn.
    pub(super) fn answered_here(&mut self, reply: Bytes, client: &Outbox) {
        self.waiting.push_back(Waiting::Here(reply));
        self.answer(client);
    }

    /// Takes a whole frame of the server, and says what is to happen to it.
    pub(super) fn fate_of(&mut self, frame: &[u8]) -> Fate {
        if !self.is_paired() {
            return Fate::Pass;
        }
        if frame.starts_with(b">") {
            if self.waiting.front_mut().is_some_and(|front| front.is_confirmed_by(frame)) {
                self.waiting.pop_front();
            }
            return Fate::Pass;
        }
        match self.waiting.pop_front() {
            // A server that refuses a connection says so without having been asked.
            None => Fate::Pass,
            Some(Waiting::Here(reply)) => {
                self.waiting.push_front(Waiting::Here(reply));
                Fate::Pass
            }
            Some(Waiting::Server(kind, fate)) => {
                match (kind, frame.first()) {
                    (Kind::Hello, Some(b'%')) => self.mode = Mode::Resp3,
                    (Kind::Hello, Some(b'*')) | (Kind::Reset, Some(b'+')) => {
                        self.mode = Mode::Resp2;
                    }
                    (Kind::Subscription { .. }, Some(b'*')) => self.mode = Mode::Unpaired,
                    _ => {}
                }
                fate
            }
        }
    }

    /// Whether a frame that is to pass may simply go on, with nothing before it or right behind.
    pub(super) fn flows(&self) -> bool {
        let none_is_next = match self.waiting.front() {
            Some(Waiting::Here(_)) => false,
            Some(Waiting::Server(..)) => self.is_paired(),
            None => true,
        };
        none_is_next && self.swapping.is_none()
    }

    /// Hands a frame on as its fate wants, and then what the proxy itself has to answer.
    pub(super) fn hand_on(
        &mut self,
        fate: Fate,
        frame: Bytes,
        client: &Outbox,
        counters: &Counters,
    ) {
        self.emit(fate, frame, client, counters);
        if self.is_paired() {
            self.answer(client);
        } else {
            self.give_up(client);
        }
    }

    /// From now on everything passes as it is.
    pub(super) fn give_up(&mut self, client: &Outbox) {
        self.mode = Mode::Unpaired;
        if let Some(swapping) = self.swapping.take() {
            client.bytes(swapping);
        }
        for waiting in self.waiting.drain(..) {
            if let Waiting::Here(reply) = waiting {
                client.bytes(reply);
            }
        }
    }

    /// Sends a push between two frames, where the client understands it.
    pub(super) fn push(&mut self, push: Bytes, client: &Outbox) -> bool {
        if self.speaks_resp3() {
            client.bytes(push);
        }
        self.speaks_resp3()
    }

    fn answer(&mut self, client: &Outbox) {
        while let Some(Waiting::Here(_)) = self.waiting.front() {
            if let Some(Waiting::Here(reply)) = self.waiting.pop_front() {
                self.send(reply, client);
            }
        }
    }

    fn emit(&mut self, fate: Fate, frame: Bytes, client: &Outbox, counters: &Counters) {
        let (fault, tally) = match fate {
            Fate::Faulty(fault, tally) if !tally.is_cleared() => (fault, tally),
            _ => return self.send(frame, client),
        };
        let is_spared = match &fault {
            ReplyFault::Cut { after, .. } => *after >= frame.len(),
            ReplyFault::PushBefore(_) => !self.speaks_resp3(),
            _ => false,
        };
        if is_spared {
            return self.send(frame, client);
        }
        counters.count_fault();
        tally.count();
        match fault {
            ReplyFault::Replace(reply) => self.send(reply, client),
            ReplyFault::Drop => {}
            ReplyFault::Duplicate => {
                self.send(frame.clone(), client);
                self.send(frame, client);
            }
            ReplyFault::SwapWithNext if self.swapping.is_none() => self.swapping = Some(frame),
            ReplyFault::SwapWithNext => self.send(frame, client),
            ReplyFault::Hold => {
                client.hold(tally);
                self.send(frame, client);
            }
            ReplyFault::Cut { after, end } => {
                client.bytes(frame.slice(..after));
                client.end(end);
                // What is silent now may be healed, and then the rest must not be missing.
                client.bytes(frame.slice(after..));
            }
            ReplyFault::PushBefore(push) => {
                client.bytes(push);
                self.send(frame, client);
            }
        }
    }

    fn send(&mut self, frame: Bytes, client: &Outbox) {
        // A push that comes by is not the next reply.
        let swapped = if frame.starts_with(b">") { None } else { self.swapping.take() };
        client.bytes(frame);
        client.bytes(swapped.unwrap_or_default());
    }
}
