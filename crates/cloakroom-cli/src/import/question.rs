//! Asks before anything is written. Where nobody can answer, the import does not begin.

use std::io::{self, IsTerminal, Write};

use cloakroom_import::Library;

use crate::failure::Failure;

pub(super) fn ask(library: Library) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::new("an import writes sessions; add --yes, or look with --dry-run"));
    }
    let question =
        format!("Write the sessions of {library} into the application's storage? [y/N] ");
    write!(io::stderr(), "{question}").map_err(Failure::new)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(Failure::new)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::new("nothing was imported")),
    }
}
