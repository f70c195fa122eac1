//! [`Claims`]: who is about to put a copy into a shard. A reader holds a ticket for its key, a writer
//! keeps everybody from getting one.

use std::collections::HashMap;
use std::sync::Arc;

use cloakroom::SessionKey;

use super::coverage::{Arm, Coverage};
use super::moment::Moment;

/// Tells one reader or writer from another one of the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClaimId(pub(super) u64);

#[derive(Debug, Default)]
pub(super) struct Claims {
    of: HashMap<SessionKey, Claim>,
}

#[derive(Debug)]
enum Claim {
    /// Somebody reads the key over this connection.
    Ticket { holder: ClaimId, arm: Arm },
    /// Somebody writes the key.
    Writes {
        under_way: usize,
        /// When the first of them began.
        begun: Moment,
        /// Over which connection it was sent last.
        arm: Option<Arm>,
        /// How often the key was called outdated there since.
        heard: usize,
        /// Nobody may keep what was written.
        is_spoilt: bool,
    },
}

/// What was written may be kept.
#[derive(Debug)]
pub(super) struct Written {
    /// When the write began, which is before its record was stamped.
    pub(super) begun: Moment,
    pub(super) arm: Arm,
    /// The connection is yet to be told of this write.
    pub(super) echo: Echo,
}

/// A connection is told of what was written over it too, right behind the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Echo {
    /// Since the answer was there.
    Due(Moment),
    Over,
}

impl Claim {
    /// Nothing may be kept of it. Answers whether it has to be remembered for that.
    fn spoil(&mut self) -> bool {
        match self {
            Self::Ticket { .. } => false,
            Self::Writes { is_spoilt, .. } => {
                *is_spoilt = true;
                true
            }
        }
    }
}

impl Claims {
    /// A reader is about to send its question over a connection. It gets a ticket for that unless
    /// somebody else has one, or the key is being written.
    pub(super) fn note_read(&mut self, key: &SessionKey, id: ClaimId, on: &Arc<Coverage>) {
        match self.of.get_mut(key) {
            None => {
                let arm = Arm::on(on);
                self.of.insert(*key, Claim::Ticket { holder: id, arm });
            }
            // It was sent before, over a connection that has broken or to a server that knows better.
            Some(Claim::Ticket { holder, arm }) if *holder == id => *arm = Arm::on(on),
            Some(_) => {}
        }
    }

    /// Gives the ticket back. The answer may be kept where there still was one and it holds.
    pub(super) fn end_read(&mut self, key: &SessionKey, id: ClaimId) -> Option<Arm> {
        let Some(Claim::Ticket { holder, .. }) = self.of.get(key) else { return None };
        if *holder != id {
            return None;
        }
        match self.of.remove(key) {
            Some(Claim::Ticket { arm, .. }) if arm.holds() => Some(arm),
            _ => None,
        }
    }

    /// A write begins, and takes the ticket of whoever has one.
    pub(super) fn begin_write(&mut self, key: &SessionKey) {
        match self.of.get_mut(key) {
            Some(Claim::Writes { under_way, is_spoilt, .. }) => {
                *under_way += 1;
                *is_spoilt = true;
            }
            _ => {
                let begun = Moment::now();
                let writes =
                    Claim::Writes { under_way: 1, begun, arm: None, heard: 0, is_spoilt: false };
                self.of.insert(*key, writes);
            }
        }
    }

    /// A write is about to be sent, over a connection that hears of changes or over another one.
    pub(super) fn note_write(&mut self, key: &SessionKey, on: Option<&Arc<Coverage>>) {
        if let Some(Claim::Writes { arm, heard, is_spoilt, .. }) = self.of.get_mut(key) {
            // What was sent twice may be carried out in any order.
            *is_spoilt |= arm.is_some() || on.is_none();
            (*arm, *heard) = (on.map(Arm::on), 0);
        }
    }

    /// A write has ended. What it has written may be kept where it was the only one and nobody has
    /// changed the key since.
    ///
    /// The connection is told once of the write itself. On the wire that comes before whatever it is
    /// told of later changes; so what was heard twice was outdated, and what was heard once was this
    /// write, or something older, and then the echo is still to come and costs no more than the copy.
    pub(super) fn end_write(&mut self, key: &SessionKey) -> Option<Written> {
        let Some(Claim::Writes { under_way, .. }) = self.of.get_mut(key) else { return None };
        *under_way -= 1;
        if *under_way > 0 {
            return None;
        }
        match self.of.remove(key) {
            Some(Claim::Writes {
                begun,
                arm: Some(arm),
                heard: heard @ 0..=1,
                is_spoilt: false,
                ..
            }) if arm.holds() => {
                let echo = if heard == 0 { Echo::Due(Moment::now()) } else { Echo::Over };
                Some(Written { begun, arm, echo })
            }
            _ => None,
        }
    }

    /// Somebody has changed the key, as was heard on a connection.
    pub(super) fn invalidate(&mut self, key: &SessionKey, on: &Arc<Coverage>) {
        match self.of.get_mut(key) {
            Some(Claim::Ticket { arm, .. }) if arm.is_on(on) => _ = self.of.remove(key),
            Some(Claim::Writes { arm: Some(arm), heard, .. }) if arm.is_on(on) => *heard += 1,
            _ => {}
        }
    }

    /// What is under way for a key may not be kept, whatever connection it goes over.
    pub(super) fn void(&mut self, key: &SessionKey) {
        if let Some(claim) = self.of.get_mut(key)
            && !claim.spoil()
        {
            self.of.remove(key);
        }
    }

    /// The same for all keys.
    pub(super) fn void_all(&mut self) {
        self.of.retain(|_, claim| claim.spoil());
    }
}
