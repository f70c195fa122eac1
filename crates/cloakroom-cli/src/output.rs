//! [`Output`]: where a command's result goes, as text for people or as JSON for machines.
//!
//! Colours go to terminals only, and to none where `NO_COLOR` is set. A reader who has gone away is no
//! failure: nobody is left who wants the rest.

use std::io::{self, ErrorKind, IsTerminal, Write};

use serde::Serialize;

use crate::failure::Failure;

/// How the result is written.
#[derive(Clone, Copy, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Output")]
pub(crate) struct Options {
    /// Print JSON for machines, instead of text for people
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where the result goes.
pub(crate) struct Output {
    format: Format,
}

/// Whom the result is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    People,
    Machines,
}

impl Options {
    pub(crate) fn open(self) -> Output {
        Output { format: if self.json { Format::Machines } else { Format::People } }
    }
}

impl Output {
    /// Writes what a command has come to, in the form that was asked for.
    pub(crate) fn write<T: Serialize>(
        &mut self,
        result: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        match self.format {
            Format::People => print(&text(result)),
            Format::Machines => {
                let json = serde_json::to_string_pretty(result).map_err(Failure::new)?;
                print(&format!("{json}\n"))
            }
        }
    }
}

/// Writes to the standard output, whose reader may have gone.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut output = anstream::stdout().lock();
    accept_no_reader(output.write_all(text.as_bytes()).and_then(|()| output.flush()))
}

/// Says something beside the result.
pub(crate) fn remark(text: &str) {
    // Nobody is left to be told where even this output is closed.
    let _ = writeln!(io::stderr(), "cloakroom: {text}");
}

/// Whether a person looks at everything that is written, so that it may move.
pub(crate) fn is_watched() -> bool {
    io::stdout().is_terminal() && io::stderr().is_terminal()
}

fn accept_no_reader(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("the result could not be written: {error}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_who_has_gone_is_no_failure_and_a_full_disk_is() {
        assert!(accept_no_reader(Err(ErrorKind::BrokenPipe.into())).is_ok());
        assert!(accept_no_reader(Err(ErrorKind::StorageFull.into())).is_err());
    }
}
