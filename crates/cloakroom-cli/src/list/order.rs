//! [`Order`]: the first ones of many sessions by some order. It never holds more than twice as many
//! as are asked for, beside those of one step.

use cloakroom::SessionFacts;

use crate::description::end;

/// What sessions are ordered by.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum Key {
    /// The oldest first
    Created,
    /// Those that nobody has used for longest first
    Seen,
    /// Those that end soonest first
    Ends,
    /// The largest first
    Size,
}

/// The first ones by a key.
pub(super) struct Order {
    key: Key,
    limit: usize,
    kept: Vec<SessionFacts>,
}

impl Order {
    pub(super) fn new(key: Key, limit: usize) -> Self {
        Self { key, limit, kept: Vec::new() }
    }

    pub(super) fn add(&mut self, sessions: Vec<SessionFacts>) {
        self.kept.extend(sessions);
        if self.kept.len() / 2 >= self.limit {
            self.cut();
        }
    }

    /// The first ones, in order.
    pub(super) fn sorted(mut self) -> Vec<SessionFacts> {
        self.cut();
        self.kept
    }

    fn cut(&mut self) {
        let key = self.key;
        // The id makes the order the same each time.
        self.kept.sort_by_key(|facts| {
            let first = match key {
                Key::Created => facts.created().map_or(0, |created| created.as_millis()),
                Key::Seen => facts.last_seen().as_millis(),
                Key::Ends => end(facts).as_millis(),
                Key::Size => u64::MAX - facts.size(),
            };
            (first, facts.id())
        });
        self.kept.truncate(self.limit);
    }
}
