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

/// Whether anybody still reads the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    There,
    Gone,
}

impl Options {
    pub(crate) fn open(self) -> Output {
        Output { format: if self.json { Format::Machines } else { Format::People } }
    }
}

impl Output {
    /// Whom the result is for.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Writes some of many results for machines, a line for each.
    pub(crate) fn write_json_lines<T: Serialize>(&self, results: &[T]) -> Result<Reader, Failure> {
        let mut lines = String::new();
        for result in results {
            lines += &in_ascii(&serde_json::to_string(result).map_err(Failure::new)?);
            lines.push('\n');
        }
        print_to_reader(&lines)
    }

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
                print(&format!("{}\n", in_ascii(&json)))
            }
        }
    }
}

/// Writes to the standard output, whose reader may have gone.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    print_to_reader(text).map(drop)
}

/// The same for whoever would write more.
pub(crate) fn print_to_reader(text: &str) -> Result<Reader, Failure> {
    let mut output = anstream::stdout().lock();
    look_for_reader(output.write_all(text.as_bytes()).and_then(|()| output.flush()))
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

fn look_for_reader(written: io::Result<()>) -> Result<Reader, Failure> {
    match written {
        Ok(()) => Ok(Reader::There),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(Failure::new(format!("the result could not be written: {error}"))),
    }
}

/// The same JSON with every character escaped that is not plain ASCII: what visitors have written
/// must not reach a terminal as it is. Such characters stand within strings only.
pub(crate) fn in_ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() && character != '\u{7f}' {
            text.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            text += &format!("\\u{unit:04x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_who_has_gone_is_no_failure_and_a_full_disk_is() {
        let looked = |kind: ErrorKind| look_for_reader(Err(kind.into())).ok();
        assert_eq!(looked(ErrorKind::BrokenPipe), Some(Reader::Gone));
        assert_eq!(looked(ErrorKind::StorageFull), None);
    }

    #[test]
    fn json_is_plain_ascii_and_says_the_same() {
        let text = "\u{1b}[2J\u{9b}31m\u{7f}\u{202e}Seán 🦀 \"\\\r\n";
        let json = in_ascii(&serde_json::to_string(text).unwrap());
        assert!(json.bytes().all(|byte| (b' '..0x7f).contains(&byte)), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
