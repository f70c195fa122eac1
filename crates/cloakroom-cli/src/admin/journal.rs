//! [`Journal`]: keeps the audit trail beyond the end of the process, a line of JSON for each entry, in
//! a file or on the standard error output. An operator is never kept from acting because a line could
//! not be kept; it goes to the standard error output then, with the reason.
//!
//! A thread of its own writes them, so a disk that hangs holds up nothing else. An action is answered
//! when its line is written, or when the disk has had its time.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use cloakroom_admin::{Audit, AuditEntry};

use crate::failure::Failure;
use crate::installation::can_all_read;
use crate::output::{in_ascii, remark};

/// How long an answer waits for its line. Then it is written later, if the disk ever comes back.
const PATIENCE: Duration = Duration::from_millis(500);

/// How many lines may wait for the disk.
const WAITING: usize = 10_000;

/// Where the entries go.
pub(super) struct Journal {
    file: Option<PathBuf>,
    lines: SyncSender<Line>,
}

/// One entry, and who waits for it.
struct Line {
    text: String,
    written: SyncSender<()>,
}

impl Journal {
    /// Without a file the standard error output.
    pub(super) fn open(file: Option<&Path>) -> Result<Self, Failure> {
        let cannot = |error: io::Error| {
            let place = file.unwrap_or(Path::new("the standard error output")).display();
            Failure::new(format!("cannot keep the audit trail in {place}: {error}"))
        };
        if let Some(file) = file {
            append(file).map_err(cannot)?;
            if can_all_read(file) {
                let file = file.display();
                remark(&format!("every user of this machine can read the audit trail in {file}"));
            }
        }
        let (lines, waiting) = sync_channel::<Line>(WAITING);
        let place = file.map(Path::to_owned);
        let write = move || {
            for Line { text, written } in waiting {
                keep(place.as_deref(), &text);
                // Nobody waits any more where the disk was slow.
                let _ = written.try_send(());
            }
        };
        thread::Builder::new().name("audit-trail".to_owned()).spawn(write).map_err(cannot)?;
        Ok(Self { file: file.map(Path::to_owned), lines })
    }

    /// Its name for people.
    pub(super) fn place(&self) -> String {
        let file = self.file.as_ref().map(|file| file.display().to_string());
        file.unwrap_or_else(|| "on the standard error output; --audit-file keeps it".to_owned())
    }
}

impl Audit for Journal {
    fn record(&self, entry: &AuditEntry) {
        let Ok(json) = serde_json::to_string(entry) else { return };
        let text = format!("{}\n", in_ascii(&json));
        let (written, is_written) = sync_channel(1);
        // Other tasks go on meanwhile in other threads.
        tokio::task::block_in_place(|| match self.lines.try_send(Line { text, written }) {
            Ok(()) => drop(is_written.recv_timeout(PATIENCE)),
            Err(TrySendError::Full(line) | TrySendError::Disconnected(line)) => {
                remark("the audit trail stands still; the entry was:");
                keep(None, &line.text);
            }
        });
    }
}

/// Writes a line to the file, or else to the standard error output.
fn keep(file: Option<&Path>, line: &str) {
    if let Some(file) = file {
        // Opened anew, because it may have been put away meanwhile, as logs are.
        match append(file).and_then(|mut file| file.write_all(line.as_bytes())) {
            Ok(()) => return,
            Err(error) => remark(&format!("{}: {error}; the entry was:", file.display())),
        }
    }
    // Nobody is left to be told where even this output is closed.
    let _ = io::stderr().write_all(line.as_bytes());
}

/// The file, for its owner's eyes.
fn append(file: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}
