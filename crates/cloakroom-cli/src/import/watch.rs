//! [`Watch`]: how far an import is, on a terminal; and its end when it is asked to end, after the
//! round that is under way.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cloakroom_import::Report;
use tokio::task::JoinHandle;

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
        });
        Ok(Self { progress: Progress::waiting("reading"), stopped, listener })
    }

    pub(super) fn show(&self, report: &Report) -> ControlFlow<()> {
        self.progress.now(format!("{} read, {} written", report.read, report.written));
        let is_over = self.stopped.load(Ordering::Relaxed);
        if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.listener.abort();
    }
}
