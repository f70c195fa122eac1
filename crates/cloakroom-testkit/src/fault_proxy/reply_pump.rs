//! [`ReplyPump`]: cuts what a server sends into frames, and hands each on as its fate wants. Frames
//! that merely pass leave in one piece, as they came.

use bytes::BytesMut;

use super::counters::Counters;
use super::frame::Scanner;
use super::link::Link;
use super::pairing::Fate;

#[derive(Debug)]
pub(super) struct ReplyPump<'a> {
    link: &'a Link,
    counters: &'a Counters,
    buffer: BytesMut,
    scanner: Scanner,
}

impl<'a> ReplyPump<'a> {
    pub(super) fn new(link: &'a Link, counters: &'a Counters) -> Self {
        Self { link, counters, buffer: BytesMut::new(), scanner: Scanner::default() }
    }

    pub(super) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Handles all frames that have arrived as a whole.
    pub(super) fn take(&mut self) {
        let client = &self.link.client;
        let mut pairing = self.link.pairing();
        let mut passed = 0;
        while pairing.is_paired() {
            let length = match self.scanner.reply(&self.buffer[passed..]) {
                Ok(Some(length)) => length,
                Ok(None) => break,
                Err(_) => {
                    client.bytes(self.buffer.split_to(passed).freeze());
                    passed = 0;
                    pairing.give_up(client);
                    break;
                }
            };
            let fate = pairing.fate_of(&self.buffer[passed..passed + length]);
            if matches!(fate, Fate::Pass) && pairing.flows() {
                passed += length;
                continue;
            }
            client.bytes(self.buffer.split_to(passed).freeze());
            let frame = self.buffer.split_to(length).freeze();
            passed = 0;
            pairing.hand_on(fate, frame, client, self.counters);
        }
        if !pairing.is_paired() {
            passed = self.buffer.len();
        }
        client.bytes(self.buffer.split_to(passed).freeze());
    }

    /// Passes on the half of a reply with which a server dies.
    pub(super) fn finish(&mut self) {
        let _pairing = self.link.pairing();
        self.link.client.bytes(self.buffer.split().freeze());
    }
}
