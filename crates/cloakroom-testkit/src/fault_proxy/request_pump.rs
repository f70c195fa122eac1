//! [`RequestPump`]: cuts what a client sends into commands, counts them, asks the rules, and passes
//! on what is to pass in as few pieces as it came.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};

use super::frame::{Scanner, words};
use super::inside::Inside;
use super::link::Link;
use super::outbox::Outbox;
use super::pairing::Fate;
use super::rules::{Fault, Tally};
use super::scope::End;
use super::waiting::Kind;

/// Command names longer than this are no commands.
const LONGEST_NAME: usize = 32;

#[derive(Debug)]
pub(super) struct RequestPump<'a> {
    link: &'a Link,
    inside: &'a Inside,
    server: &'a Outbox,
    buffer: BytesMut,
    scanner: Scanner,
    understood: bool,
}

enum Verdict {
    /// It goes to the server, which answers nothing.
    Unanswered,
    Forward(Kind, Fate),
    Answer(Bytes, Arc<Tally>),
    Hold(Kind, Arc<Tally>),
    Cut {
        kind: Kind,
        after: usize,
        end: End,
        tally: Arc<Tally>,
    },
}

impl<'a> RequestPump<'a> {
    pub(super) fn new(
        link: &'a Link,
        inside: &'a Inside,
        server: &'a Outbox,
        buffer: BytesMut,
    ) -> Self {
        Self { link, inside, server, buffer, scanner: Scanner::default(), understood: true }
    }

    pub(super) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Handles all commands that have arrived as a whole.
    pub(super) fn take(&mut self) {
        let mut pairing = self.link.pairing();
        let mut passed = 0;
        while self.understood {
            let length = match self.scanner.request(&self.buffer[passed..]) {
                Ok(Some(length)) => length,
                Ok(None) => break,
                Err(_) => {
                    pairing.give_up(&self.link.client);
                    self.understood = false;
                    break;
                }
            };
            match self.judge(&self.buffer[passed..passed + length], pairing.is_paired()) {
                Verdict::Unanswered => passed += length,
                Verdict::Forward(kind, fate) => {
                    pairing.forwarded(kind, fate, &self.link.client);
                    passed += length;
                }
                Verdict::Answer(reply, tally) => {
                    self.count(&tally);
                    self.server.bytes(self.buffer.split_to(passed).freeze());
                    self.buffer.advance(length);
                    passed = 0;
                    pairing.answered_here(reply, &self.link.client);
                }
                Verdict::Hold(kind, tally) => {
                    self.count(&tally);
                    self.server.bytes(self.buffer.split_to(passed).freeze());
                    self.server.hold(tally);
                    pairing.forwarded(kind, Fate::Pass, &self.link.client);
                    passed = length;
                }
                Verdict::Cut { kind, after, end, tally } => {
                    pairing.forwarded(kind, Fate::Pass, &self.link.client);
                    passed += length;
                    if after < length {
                        self.count(&tally);
                        self.server.bytes(self.buffer.split_to(passed - length + after).freeze());
                        self.server.end(end);
                        passed = length - after;
                    }
                }
            }
        }
        if !self.understood {
            passed = self.buffer.len();
        }
        self.server.bytes(self.buffer.split_to(passed).freeze());
    }

    /// Passes on the half of a command with which a client leaves.
    pub(super) fn finish(&mut self) {
        self.server.bytes(self.buffer.split().freeze());
    }

    fn judge(&self, request: &[u8], is_paired: bool) -> Verdict {
        let words = words(request);
        let Some(first) = words.first() else { return Verdict::Unanswered };
        let mut name = [0; LONGEST_NAME];
        let length = first.len().min(LONGEST_NAME);
        name[..length].copy_from_slice(&first[..length]);
        name.make_ascii_uppercase();
        let name = std::str::from_utf8(&name[..length]).unwrap_or("?");
        self.inside.counters.count_command(name);
        let kind = Kind::of(name, &words);
        if !is_paired {
            return Verdict::Forward(kind, Fate::Pass);
        }
        match self.inside.rules.fault(self.link.number, name, &words) {
            None => Verdict::Forward(kind, Fate::Pass),
            Some((Fault::Refuse(reply), tally)) => Verdict::Answer(reply, tally),
            Some((Fault::HoldRequest, tally)) => Verdict::Hold(kind, tally),
            Some((Fault::CutRequest { after, end }, tally)) => {
                Verdict::Cut { kind, after, end, tally }
            }
            Some((Fault::Reply(fault), tally)) => {
                Verdict::Forward(kind, Fate::Faulty(fault, tally))
            }
        }
    }

    fn count(&self, tally: &Tally) {
        self.inside.counters.count_fault();
        tally.count();
    }
}
