//! [`Signals`]: what asks the process to end, Ctrl-C or SIGTERM.

use std::io;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::ending::Ending;

/// How long the process may take to end in good order once it is asked to.
const GRACE: Duration = Duration::from_secs(2);

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens from the moment it is made, so that no signal is lost.
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: Signal,
    #[cfg(unix)]
    terminate: Signal,
}

#[cfg(unix)]
impl Signals {
    pub(crate) fn listen() -> io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next signal.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next signal; for ever where the system has none.
    pub(crate) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Ends the process if it has not ended by itself soon after a signal: whoever writes to a reader that
/// stands still cannot be interrupted. As long as it lives.
pub(crate) struct Insistence(JoinHandle<()>);

impl Insistence {
    pub(crate) fn begin() -> io::Result<Self> {
        let mut signals = Signals::listen()?;
        Ok(Self(tokio::spawn(async move {
            signals.next().await;
            tokio::time::sleep(GRACE).await;
            std::process::exit(Ending::Interrupted.code().into());
        })))
    }
}

impl Drop for Insistence {
    fn drop(&mut self) {
        self.0.abort();
    }
}
