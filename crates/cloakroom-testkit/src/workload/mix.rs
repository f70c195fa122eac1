//! [`Mix`]: how often clients do what.

use super::dice::Dice;
use crate::history::Action;

/// The shares of the operations, as whole numbers of any sum. A visitor without a ticket signs in,
/// whatever is drawn.
///
/// ```
/// use cloakroom_testkit::workload::Mix;
///
/// let only_reads_and_writes = Mix { sign_in: 0, sign_out: 0, replay: 0, ..Mix::default() };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mix {
    /// Requests that look at the session (default: 65).
    pub read: u32,
    /// Requests that look and are given up before they are answered (default: 2).
    pub peek: u32,
    /// Requests that count up in the session (default: 20).
    pub write: u32,
    /// Visitors who sign in once more, and are given a new ticket (default: 3).
    pub sign_in: u32,
    /// Visitors who sign out (default: 5).
    pub sign_out: u32,
    /// Reads with a ticket that was ended or replaced, which must be refused (default: 5).
    pub replay: u32,
}

/// What a client does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// With the ticket in the visitor's browser.
    Visit(Action),
    /// A read with a ticket that the browser holds no more.
    Replay,
}

impl Default for Mix {
    fn default() -> Self {
        Self { read: 65, peek: 2, write: 20, sign_in: 3, sign_out: 5, replay: 5 }
    }
}

impl Mix {
    pub(super) fn draw(&self, dice: &mut Dice) -> Deed {
        let shares = [
            (self.peek, Deed::Visit(Action::Peek)),
            (self.write, Deed::Visit(Action::Write)),
            (self.sign_in, Deed::Visit(Action::SignIn)),
            (self.sign_out, Deed::Visit(Action::SignOut)),
            (self.replay, Deed::Replay),
            (self.read, Deed::Visit(Action::Read)),
        ];
        let sum: usize = shares.iter().map(|(share, _)| *share as usize).sum();
        let mut left = dice.below(sum);
        for (share, deed) in shares {
            match left.checked_sub(share as usize) {
                Some(rest) => left = rest,
                None => return deed,
            }
        }
        Deed::Visit(Action::Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_come_out_as_they_were_asked_for() {
        let mix = Mix { read: 70, peek: 0, write: 30, sign_in: 0, sign_out: 0, replay: 0 };
        let mut dice = Dice::new(1);
        let deeds: Vec<_> = (0..10_000).map(|_| mix.draw(&mut dice)).collect();
        let count = |wanted| deeds.iter().filter(|deed| **deed == wanted).count();
        let (reads, writes) = (count(Deed::Visit(Action::Read)), count(Deed::Visit(Action::Write)));
        assert_eq!(reads + writes, 10_000);
        assert!((2_800..3_200).contains(&writes), "{writes}");
    }
}
