//! [`Timeouts`] and [`Deadline`]: how long an operation may take, with everything that is tried for
//! it. No question to a server is put without a deadline.

use std::time::Duration;

use cloakroom::{Operation, StorageError};
use tokio::time::Instant;

/// Longer than anybody waits, and short enough to be added to any moment.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// How long each operation may take. None is longer than the command timeout.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    pub(crate) command: Duration,
    pub(crate) load: Duration,
    pub(crate) commit: Duration,
    pub(crate) touch: Duration,
    pub(crate) destroy: Duration,
}

/// The moment at which an operation ends, whatever the server does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    operation: Operation,
    start: Instant,
    limit: Duration,
    name: &'static str,
}

impl Timeouts {
    /// How long the operation may take.
    pub(crate) fn of(&self, operation: Operation) -> Duration {
        self.own(operation).map_or(self.command, |own| own.min(self.command)).min(LONGEST)
    }

    /// A deadline that begins now.
    pub(crate) fn start(&self, operation: Operation) -> Deadline {
        self.start_as(operation, operation)
    }

    /// The same with as much time as another operation has.
    pub(crate) fn start_as(&self, operation: Operation, other: Operation) -> Deadline {
        let limit = self.of(other);
        // The setting that a person has to look at: the shorter one of the two.
        let own = self.own(other).is_some_and(|own| own < self.command);
        let name = if own { own_name(other) } else { "command timeout" };
        Deadline { operation, start: Instant::now(), limit, name }
    }

    fn own(&self, operation: Operation) -> Option<Duration> {
        match operation {
            Operation::Load => Some(self.load),
            Operation::Commit | Operation::Index => Some(self.commit),
            Operation::Touch => Some(self.touch),
            Operation::Destroy => Some(self.destroy),
            _ => None,
        }
    }
}

impl Deadline {
    pub(crate) fn operation(&self) -> Operation {
        self.operation
    }

    /// When it ends.
    pub(crate) fn at(&self) -> Instant {
        self.start + self.limit
    }

    /// When it began.
    pub(crate) fn start(&self) -> Instant {
        self.start
    }

    /// What is told to whoever waited until the end.
    pub(crate) fn error(&self) -> StorageError {
        StorageError::timeout(self.operation, self.name, self.limit, self.start.elapsed())
    }

    /// Waits for a while, but not beyond the end. Answers whether there is time left.
    pub(crate) async fn pause(&self, pause: Duration) -> bool {
        let until = Instant::now() + pause;
        if until >= self.at() {
            return false;
        }
        tokio::time::sleep_until(until).await;
        true
    }
}

fn own_name(operation: Operation) -> &'static str {
    match operation {
        Operation::Load => "load timeout",
        Operation::Commit | Operation::Index => "commit timeout",
        Operation::Touch => "touch timeout",
        Operation::Destroy => "destroy timeout",
        _ => "command timeout",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeouts(command: u64) -> Timeouts {
        let millis = Duration::from_millis;
        Timeouts {
            command: millis(command),
            load: millis(250),
            commit: millis(500),
            touch: millis(500),
            destroy: millis(1000),
        }
    }

    #[test]
    fn no_operation_outlasts_the_command_timeout() {
        let long = timeouts(3000);
        assert_eq!(long.of(Operation::Load), Duration::from_millis(250));
        assert_eq!(long.of(Operation::Destroy), Duration::from_millis(1000));
        assert_eq!(long.of(Operation::Stats), Duration::from_millis(3000));
        let short = timeouts(100);
        for operation in [Operation::Load, Operation::Commit, Operation::Destroy, Operation::Ping] {
            assert_eq!(short.of(operation), Duration::from_millis(100));
        }
    }

    #[tokio::test]
    async fn an_error_names_the_setting_that_was_the_limit() {
        assert!(timeouts(3000).start(Operation::Load).error().to_string().contains("load timeout"));
        let error = timeouts(100).start(Operation::Load).error();
        assert!(error.to_string().contains("command timeout of 100ms"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_never_goes_beyond_the_end() {
        let deadline = timeouts(100).start(Operation::Load);
        assert!(deadline.pause(Duration::from_millis(60)).await);
        assert!(!deadline.pause(Duration::from_millis(60)).await);
        assert_eq!(deadline.start.elapsed(), Duration::from_millis(60));
    }
}
