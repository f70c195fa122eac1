//! [`Sweeper`]: removes expired sessions while nobody calls. Its task is stopped by its drop.
//!
//! The task lives in the runtime of the commit that started it. When that runtime ends, the next
//! commit starts another in its own. It needs a runtime with a timer; in one without, the task
//! panics once and is not tried again, and calls still remove what has expired.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::Shared;

const INTERVAL: Duration = Duration::from_secs(1);

/// Owns the background task of one memory storage.
#[derive(Default)]
pub(super) struct Sweeper {
    running: Arc<AtomicBool>,
    task: Mutex<Option<AbortHandle>>,
}

impl Sweeper {
    /// Starts the task with the first commit inside a runtime, and again where its runtime has
    /// ended; other calls cost one atomic load.
    pub(super) fn start(&self, shared: &Arc<Shared>) {
        if self.running.load(Ordering::Relaxed) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        if self.running.swap(true, Ordering::AcqRel) {
            return;
        }
        let running = Running(self.running.clone());
        // A strong reference would keep the storage alive for ever.
        let shared = Arc::downgrade(shared);
        let task = runtime.spawn(async move {
            let _running = running;
            loop {
                tokio::time::sleep(INTERVAL).await;
                let Some(shared) = shared.upgrade() else { return };
                shared.remove_expired();
            }
        });
        *self.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.abort_handle());
    }
}

#[cfg(test)]
impl Sweeper {
    /// Whether the next commit would start the task.
    pub(super) fn starts_again(&self) -> bool {
        !self.running.load(Ordering::Relaxed)
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        if let Some(task) = self.task.get_mut().unwrap_or_else(PoisonError::into_inner) {
            task.abort();
        }
    }
}

/// Held by the task; a runtime that ends drops its tasks and this with them.
struct Running(Arc<AtomicBool>);

impl Drop for Running {
    fn drop(&mut self) {
        // A task that panicked would do so again at every commit.
        if !std::thread::panicking() {
            self.0.store(false, Ordering::Release);
        }
    }
}
