//! [`Journal`]: keeps the audit trail beyond the end of the process, a line of JSON for each entry, in
//! a file or on the standard error output. An operator is never kept from acting because a line could
//! not be kept; it goes to the standard error output then, with the reason.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cloakroom_admin::{Audit, AuditEntry};

use crate::failure::Failure;
use crate::output::{in_ascii, remark};

/// Where the entries go.
pub(super) struct Journal {
    file: Option<PathBuf>,
}

impl Journal {
    /// Without a file the standard error output.
    pub(super) fn open(file: Option<&Path>) -> Result<Self, Failure> {
        if let Some(file) = file {
            append(file).map_err(|error| {
                let file = file.display();
                Failure::new(format!("cannot keep the audit trail in {file}: {error}"))
            })?;
        }
        Ok(Self { file: file.map(Path::to_owned) })
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
        let line = format!("{}\n", in_ascii(&json));
        if let Some(file) = &self.file {
            // Opened anew, because it may have been put away meanwhile, as logs are.
            match append(file).and_then(|mut file| file.write_all(line.as_bytes())) {
                Ok(()) => return,
                Err(error) => remark(&format!("{}: {error}; the entry was:", file.display())),
            }
        }
        // Nobody is left to be told where even this output is closed.
        let _ = io::stderr().write_all(line.as_bytes());
    }
}

/// The file, for its owner's eyes.
fn append(file: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}
