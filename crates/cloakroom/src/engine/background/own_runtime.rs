//! [`OwnRuntime`]: a runtime that belongs to an engine, in a thread of its own, so that it ends
//! neither before the engine nor because a runtime of the application does. Only an engine that is
//! used in another runtime than that in which it was built has one.

use std::sync::mpsc;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// Runs until it is dropped. Its drop waits for nothing, so it may take place in the runtime itself.
pub(super) struct OwnRuntime {
    handle: Handle,
    /// The thread ends when this is gone.
    _lives: oneshot::Sender<()>,
}

impl OwnRuntime {
    /// Starts the thread; `None` where the system has none to give.
    pub(super) fn start() -> Option<Self> {
        let (lives, ends) = oneshot::channel::<()>();
        let (tell, told) = mpsc::sync_channel(1);
        // Built in its thread, because a runtime must not be dropped in a task of another one.
        let run = move || {
            // With everything that the application has switched on: a storage may open connections.
            let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { return };
            if tell.send(runtime.handle().clone()).is_ok() {
                // An error is the sign to end.
                let _ = runtime.block_on(ends);
            }
        };
        thread::Builder::new().name("cloakroom".into()).spawn(run).ok()?;
        let handle = told.recv().ok()?;
        Some(Self { handle, _lives: lives })
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }
}

#[cfg(test)]
mod tests {
    use super::OwnRuntime;

    #[tokio::test]
    async fn it_runs_what_it_is_given_and_ends_when_it_is_dropped() {
        let own = OwnRuntime::start().unwrap();
        assert_eq!(own.handle().spawn(async { 7 }).await.unwrap(), 7);
        let endless = own.handle().spawn(std::future::pending::<()>());
        drop(own);
        assert!(endless.await.unwrap_err().is_cancelled());
    }

    #[tokio::test]
    async fn it_may_be_dropped_by_what_it_runs() {
        let own = OwnRuntime::start().unwrap();
        let handle = own.handle().clone();
        handle.spawn(async move { drop(own) }).await.unwrap();
    }
}
