//! [`Watch`]: how far an import is, on a terminal; and its end when it is asked to end, after the
//! round that is under way. Whoever asks twice does not wait for that.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cloakroom_import::Report;
use tokio::task::JoinHandle;

use crate::ending::Ending;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::signals::Signals;

pub(super) struct Watch {
    progress: Progress,
    stopped: Arc<AtomicBool>,
    listener: JoinHandle<()>,
}

impl Watch {
    pub(super) fn start() -> Result<Self, Failure> {
        let stopped = Arc::<AtomicBool>::default();
        let stop = stopped.clone();
        let mut signals = Signals::listen().map_err(Failure::new)?;
        let listener = tokio::spawn(async move {
            signals.next().await;
            stop.store(true, Ordering::Relaxed);
            signals.next().await;
            std::process::exit(Ending::Interrupted.code().into());
        });
        Ok(Self { progress: Progress::share("reading"), stopped, listener })
    }

    pub(super) fn show(&self, report: &Report) -> ControlFlow<()> {
        self.progress.at(report.done);
        self.progress.now(format!("{} read, {} written", report.read, report.written));
        if self.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Whether somebody has asked the import to end.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.listener.abort();
    }
}
