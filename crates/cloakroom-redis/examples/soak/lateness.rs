//! [`Lateness`]: how late this machine wakes whoever sleeps. A program that is not run cannot keep
//! any deadline, so the history is told of such moments.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cloakroom_testkit::history::History;
use tokio::task::AbortHandle;

const BEAT: Duration = Duration::from_millis(5);
/// A wake-up that is later than this is a standstill.
const NOTABLE: Duration = Duration::from_millis(10);

/// Measures until it is dropped.
pub(crate) struct Lateness {
    longest_micros: Arc<AtomicU64>,
    task: AbortHandle,
}

impl Lateness {
    pub(crate) fn measure(history: &History) -> Self {
        let longest_micros = Arc::<AtomicU64>::default();
        let (longest, history) = (longest_micros.clone(), history.clone());
        let task = tokio::spawn(async move {
            loop {
                let due = history.now() + BEAT;
                tokio::time::sleep(BEAT).await;
                let now = history.now();
                let late = now.since(due);
                if late > NOTABLE {
                    history.stood_still(due, now);
                    let micros = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
                    longest.fetch_max(micros, Ordering::Relaxed);
                }
            }
        });
        Self { longest_micros, task: task.abort_handle() }
    }

    pub(crate) fn longest(&self) -> Duration {
        Duration::from_micros(self.longest_micros.load(Ordering::Relaxed))
    }
}

impl Drop for Lateness {
    fn drop(&mut self) {
        self.task.abort();
    }
}
