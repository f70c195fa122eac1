//! The question before something that others feel or that cannot be undone.
//!
//! Where nobody can be asked, nothing is done: a script has to say `--yes`.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::failure::Failure;

/// Whether the answer is known already.
#[derive(Clone, Copy, clap::Args)]
#[group(skip)]
pub(crate) struct Options {
    /// Do not ask, do it
    #[arg(long, short)]
    yes: bool,
}

/// Who could be asked.
enum Person<'a> {
    Nobody,
    There(&'a mut dyn BufRead),
}

impl Options {
    /// An error where the answer is not known and nobody can be asked. For whoever has to look
    /// before the question can be put in full.
    pub(crate) fn check(self, question: &str) -> Result<(), Failure> {
        if self.yes || is_somebody_there() { Ok(()) } else { Err(nobody(question)) }
    }

    /// Asks; an error where the answer is not yes.
    pub(crate) fn ask(self, question: &str) -> Result<(), Failure> {
        if is_somebody_there() {
            return self.decide(question, Person::There(&mut io::stdin().lock()));
        }
        self.decide(question, Person::Nobody)
    }

    fn decide(self, question: &str, person: Person<'_>) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        let Person::There(input) = person else {
            return Err(nobody(question));
        };
        let mut error = io::stderr();
        let _ = write!(error, "{question} [y/N] ").and_then(|()| error.flush());
        let mut answer = String::new();
        input.read_line(&mut answer).map_err(Failure::new)?;
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::new("nothing was done")),
        }
    }
}

fn is_somebody_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn nobody(question: &str) -> Failure {
    Failure::misused(format!("{question} Nobody can be asked here; add --yes to do it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(yes: bool, answer: &str) -> Result<(), String> {
        let options = Options { yes };
        let decided = options.decide("Go on?", Person::There(&mut answer.as_bytes()));
        decided.map_err(|failure| failure.to_string())
    }

    #[test]
    fn only_a_yes_is_a_yes() {
        for yes in ["y\n", "Y\n", "yes\n", " YES \r\n"] {
            assert_eq!(answered(false, yes), Ok(()), "{yes:?}");
        }
        for no in ["\n", "", "n\n", "yess\n", "sure\n"] {
            assert_eq!(answered(false, no), Err("nothing was done".to_owned()), "{no:?}");
        }
    }

    #[test]
    fn nobody_is_asked_who_has_said_it_and_nothing_is_done_where_nobody_is_there() {
        assert_eq!(answered(true, "n\n"), Ok(()));
        assert!(Options { yes: true }.decide("Go on?", Person::Nobody).is_ok());
        let refused = Options { yes: false }.decide("Go on?", Person::Nobody).unwrap_err();
        assert!(refused.to_string().contains("--yes"), "{refused}");
    }
}
