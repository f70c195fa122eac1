//! [`Sweeper`]: removes expired sessions while nobody calls. Its task is stopped by its drop.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::Shared;

const INTERVAL: Duration = Duration::from_secs(1);

/// Owns the background task of one memory storage.
#[derive(Default)]
pub(super) struct Sweeper {
    task: OnceLock<AbortHandle>,
}

impl Sweeper {
    /// Starts the task with the first commit inside a runtime; later calls cost one atomic load.
    pub(super) fn start(&self, shared: &Arc<Shared>) {
        if self.task.get().is_some() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        self.task.get_or_init(|| {
            // A strong reference would keep the storage alive for ever.
            let shared = Arc::downgrade(shared);
            let sweep = async move {
                loop {
                    tokio::time::sleep(INTERVAL).await;
                    let Some(shared) = shared.upgrade() else { return };
                    shared.remove_expired();
                }
            };
            runtime.spawn(sweep).abort_handle()
        });
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}
