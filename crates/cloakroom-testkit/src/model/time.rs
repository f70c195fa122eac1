//! [`Time`]: how a history moves the storage's clock, and whether the test knows what it shows.

use std::future::Future;
use std::time::Duration;

use cloakroom::{Clock, Timestamp};

use crate::ManualClock;

/// The clock of the storage under test.
pub trait Time: Sync {
    /// What the storage's clock shows; `None` where only the storage knows.
    fn now(&self) -> Option<Timestamp>;

    /// Lets that much time pass for the storage, where that can be done at once.
    fn advance(&self, by: Duration) -> impl Future<Output = ()> + Send;
}

impl Time for ManualClock {
    fn now(&self) -> Option<Timestamp> {
        Some(Clock::now(self))
    }

    async fn advance(&self, by: Duration) {
        ManualClock::advance(self, by);
    }
}

/// A clock that nobody can move. The lifetimes in a history are long enough that nothing expires
/// while it is played.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealTime;

impl Time for RealTime {
    fn now(&self) -> Option<Timestamp> {
        None
    }

    async fn advance(&self, _by: Duration) {}
}
