//! [`Opening`]: a connection on its way. It runs in a task of its own, so that whoever began it may
//! give up, and all who need the connection wait for the same one.

use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::open_error::OpenError;

/// Nothing as long as the connection is on its way.
type Outcome = Option<Result<(), OpenError>>;

/// The opening of one connection. Its drop ends it.
pub(super) struct Opening {
    outcome: watch::Receiver<Outcome>,
    task: AbortHandle,
}

/// Waits for an opening without owning it.
pub(super) struct Waiting(watch::Receiver<Outcome>);

impl Opening {
    pub(super) fn start(
        work: impl Future<Output = Result<(), OpenError>> + Send + 'static,
    ) -> Self {
        let (sender, outcome) = watch::channel(None);
        let task = tokio::spawn(async move {
            sender.send_replace(Some(work.await));
        });
        Self { outcome, task: task.abort_handle() }
    }

    /// Whether it has come to an end: by itself, or together with the runtime that it ran on.
    pub(super) fn is_over(&self) -> bool {
        self.task.is_finished()
    }

    pub(super) fn waiting(&self) -> Waiting {
        Waiting(self.outcome.clone())
    }
}

impl Waiting {
    pub(super) async fn outcome(mut self) -> Result<(), OpenError> {
        let outcome = self.0.wait_for(Option::is_some).await.map_err(|_| OpenError::Lost)?;
        outcome.clone().unwrap_or(Err(OpenError::Lost))
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.task.abort();
    }
}
