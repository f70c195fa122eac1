//! [`Log`]: what all crates write to `tracing` and to `log`, at every level, and what panics say. There is
//! one in the process.

use std::io;
use std::panic;
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// Text that grows. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Text(Arc<Mutex<Vec<u8>>>);

/// All that is logged, and all that panics say.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) lines: Text,
    pub(crate) panics: Text,
}

impl Text {
    pub(crate) fn append(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
    }

    pub(crate) fn so_far(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Log {
    /// Begins to listen, for the rest of the process.
    pub(crate) fn listen() -> Self {
        let log = Self { lines: Text::default(), panics: Text::default() };
        tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_span_events(FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(log.lines.clone())
            .finish()
            .init();
        let (panics, before) = (log.panics.clone(), panic::take_hook());
        panic::set_hook(Box::new(move |panic| {
            panics.append(format!("{panic}\n").as_bytes());
            before(panic);
        }));
        log
    }
}

/// Has somebody panic on a thread of its own.
pub(crate) fn catch_panic(panics: impl FnOnce() + Send) {
    std::thread::scope(|scope| assert!(scope.spawn(panics).join().is_err()));
}

impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Text {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
