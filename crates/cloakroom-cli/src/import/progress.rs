//! [`Progress`]: how far an import is, on a terminal; and its end when somebody presses Ctrl-C, after
//! the round that is under way.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cloakroom_import::Report;
use tokio::task::JoinHandle;

pub(super) struct Progress {
    is_shown: bool,
    stopped: Arc<AtomicBool>,
    listener: JoinHandle<()>,
}

impl Progress {
    pub(super) fn start() -> Self {
        let stopped = Arc::<AtomicBool>::default();
        let stop = stopped.clone();
        let listener = tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                stop.store(true, Ordering::Relaxed);
            }
        });
        Self { is_shown: io::stderr().is_terminal(), stopped, listener }
    }

    pub(super) fn show(&self, report: &Report) -> ControlFlow<()> {
        if self.is_shown {
            let (read, written) = (report.read, report.written);
            let _ = write!(io::stderr(), "\r{read} read, {written} written ");
        }
        let is_over = self.stopped.load(Ordering::Relaxed);
        if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Leaves the line to what comes next.
    pub(super) fn end(&self) {
        if self.is_shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.listener.abort();
    }
}
