//! [`Waiting`]: a command whose reply has not been handed on yet, and how its reply is known.

use bytes::Bytes;

use super::frame;
use super::pairing::Fate;

#[derive(Debug)]
pub(super) enum Waiting {
    /// The server has to answer it.
    Server(Kind, Fate),
    /// The proxy answers it as soon as it is its turn.
    Here(Bytes),
}

/// What is special about the way in which a command is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Ordinary,
    /// Its reply tells the version of the protocol.
    Hello,
    /// Its reply means that the protocol is RESP2 again.
    Reset,
    /// In RESP3 it is answered by pushes, one per channel, and in RESP2 by so many replies.
    Subscription {
        ends: bool,
        left: usize,
    },
    /// From here on replies do not answer commands one to one.
    Unpaired,
}

impl Kind {
    /// The kind of a command with its name in upper case.
    pub(super) fn of(name: &str, words: &[&[u8]]) -> Self {
        let is_reply = || words.get(1).is_some_and(|word| word.eq_ignore_ascii_case(b"REPLY"));
        match name {
            "HELLO" => Self::Hello,
            "RESET" => Self::Reset,
            "MONITOR" | "SYNC" | "PSYNC" => Self::Unpaired,
            "CLIENT" if is_reply() => Self::Unpaired,
            "SUBSCRIBE" | "PSUBSCRIBE" | "SSUBSCRIBE" => {
                Self::Subscription { ends: false, left: words.len() - 1 }
            }
            "UNSUBSCRIBE" | "PUNSUBSCRIBE" | "SUNSUBSCRIBE" => {
                Self::Subscription { ends: true, left: words.len() - 1 }
            }
            _ => Self::Ordinary,
        }
    }
}

impl Waiting {
    /// Whether this push is the last part of the answer.
    pub(super) fn is_confirmed_by(&mut self, push: &[u8]) -> bool {
        let Self::Server(Kind::Subscription { ends, left }, _) = self else { return false };
        let Some(kind) = frame::push_kind(push) else { return false };
        let confirms = match *ends {
            true => kind.ends_with(b"unsubscribe"),
            false => kind.ends_with(b"subscribe") && !kind.ends_with(b"unsubscribe"),
        };
        if confirms {
            *left = left.saturating_sub(1);
        }
        confirms && *left == 0
    }
}
