//! [`Contents`]: what a session holds.

use cloakroom::{Field, Session, SessionData};

use super::chance::Chance;

/// The number of the session's visitor, by which every reader proves that the session is its own.
pub const VISITOR: Field<usize> = Field::new("uid");

/// What the writers count up.
pub const COUNT: Field<u64> = Field::new("count");

/// A visitor's number, a counter and some texts.
#[derive(Clone, Copy, Debug)]
pub struct Contents {
    texts: usize,
    length: usize,
}

impl Contents {
    /// Four texts of 200 bytes: with everything else a record of about 1 KiB.
    pub const TYPICAL: Self = Self::of(4, 200);

    /// So many texts of that length.
    pub const fn of(texts: usize, length: usize) -> Self {
        Self { texts, length }
    }

    /// The bytes of the texts.
    pub fn bytes(self) -> usize {
        self.texts * self.length
    }

    /// Fills the session of a visitor who signs in.
    pub fn fill(self, session: &Session, visitor: usize) {
        let filled = session
            .set_owner(&format!("user-{visitor}"))
            .and_then(|()| session.insert(VISITOR, visitor))
            .and_then(|()| session.insert(COUNT, 0));
        filled.expect("a new session can be written");
        for (name, text) in self.texts(visitor) {
            session.insert(name.as_str(), text).expect("a new session can be written");
        }
    }

    /// The same without an owner, for direct use of a storage.
    pub fn data(self, visitor: usize) -> SessionData {
        let mut data = SessionData::new();
        data.insert(VISITOR, visitor).expect("a number is JSON");
        data.insert(COUNT, 0).expect("a number is JSON");
        for (name, text) in self.texts(visitor) {
            data.insert(name.as_str(), text).expect("text is JSON");
        }
        data
    }

    fn texts(self, visitor: usize) -> impl Iterator<Item = (String, String)> {
        let mut chance = Chance::new(visitor as u64);
        (0..self.texts).map(move |at| (format!("text-{at}"), chance.text(self.length)))
    }
}
