//! What is said to arguments that make no sense: clap's words, without what was written. A ticket or a
//! URL with a password in the wrong place must not stand in a log.

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

const HIDDEN: &str = "…";

/// The longest name of an option or command that may have been misspelt.
const LONGEST_NAME: usize = 24;

/// The same without what was written, but for names that may have been misspelt.
pub(crate) fn without_values(mut error: Error) -> Error {
    let written = match error.kind() {
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        ErrorKind::InvalidSubcommand => ContextKind::InvalidSubcommand,
        _ => ContextKind::InvalidValue,
    };
    let Some(ContextValue::String(text)) = error.get(written) else { return error };
    let is_name = written != ContextKind::InvalidValue && is_name(text);
    // Where a value is missing there is nothing to hide.
    if !is_name && !text.is_empty() {
        let _ = error.insert(written, ContextValue::String(HIDDEN.to_owned()));
        // They repeat it.
        let _ = error.remove(ContextKind::Suggested);
        let _ = error.remove(ContextKind::TrailingArg);
    }
    error
}

fn is_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME && text.chars().all(|it| it.is_ascii_lowercase() || it == '-')
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::Arguments;

    fn said(arguments: &[&str]) -> String {
        let parsed = Arguments::try_parse_from([&["cloakroom"], arguments].concat());
        without_values(parsed.err().unwrap()).to_string()
    }

    #[test]
    fn what_stands_in_a_wrong_place_is_not_repeated() {
        let (id, url) = ("0".repeat(32), "redis://:sekret@host");
        let ticket = "-Sekret0J5ZWdhcmRsZXNzb2Z0aGVwbGFjZQ";
        for arguments in [
            &["show", &id, &ticket[1..]][..],
            &["show", &id, ticket],
            &["stats", url],
            &["stats", "--prefix", "a", "--", url],
            &["revoke-before", url],
            &["acl", "--format", url],
            &["acl", "--database", url],
            &["list", "--older-than", url],
            &["stats", "--urll=redis://:sekret@host"],
            &["stats", "--full=redis://:sekret@host"],
            &["redis://:sekret@host"],
        ] {
            let said = said(arguments);
            assert!(!said.to_lowercase().contains("sekret"), "{arguments:?}: {said}");
        }
    }

    #[test]
    fn a_misspelt_name_is_told_with_the_right_one() {
        let option = said(&["stats", "--prefx", "a"]);
        assert!(option.contains("'--prefx'") && option.contains("'--prefix'"), "{option}");
        let command = said(&["lst"]);
        assert!(command.contains("'lst'") && command.contains("'list'"), "{command}");
    }
}
