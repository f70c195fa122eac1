//! [`Password`]: from a file, from the environment, or drawn. Never from the command line, which
//! others on the machine can read.

use std::fs;
use std::path::Path;

use crate::failure::Failure;
use crate::installation::can_all_read;
use crate::output::remark;

/// Holds the password.
const VARIABLE: &str = "CLOAKROOM_ADMIN_PASSWORD";

/// How many letters a password that is drawn has: 120 bits.
const LETTERS: usize = 24;

/// No letter is mistaken for another one, and there are 32, so each random byte gives one.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz123456789";

/// The operator's password.
pub(super) enum Password {
    /// Somebody has chosen it.
    Given(String),
    /// It was drawn, so somebody has to be told.
    Drawn(String),
}

impl Password {
    /// The file's, else the environment's, else a new one.
    pub(super) fn find(file: Option<&Path>) -> Result<Self, Failure> {
        if let Some(file) = file {
            let text = fs::read_to_string(file).map_err(|error| {
                Failure::new(format!("cannot read the password in {}: {error}", file.display()))
            })?;
            if can_all_read(file) {
                let file = file.display();
                remark(&format!("every user of this machine can read the password in {file}"));
            }
            return Ok(Self::Given(text.trim_end_matches(['\r', '\n']).to_owned()));
        }
        match std::env::var(VARIABLE) {
            Ok(text) => Ok(Self::Given(text)),
            Err(std::env::VarError::NotPresent) => Self::draw(),
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(Failure::new(format!("{VARIABLE} is no text in UTF-8")))
            }
        }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Given(text) | Self::Drawn(text) => text,
        }
    }

    fn draw() -> Result<Self, Failure> {
        let mut bytes = [0; LETTERS];
        getrandom::fill(&mut bytes)
            .map_err(|_| Failure::new("the operating system gives no random bytes"))?;
        let letters = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
        Ok(Self::Drawn(letters.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_is_drawn_is_long_and_new() {
        let draw = || Password::draw().map_err(|it| it.to_string()).unwrap().text().to_owned();
        let (one, other) = (draw(), draw());
        assert_eq!(one.len(), LETTERS);
        assert_ne!(one, other);
    }

    #[test]
    fn a_file_gives_its_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "correct horse battery\r\n").unwrap();
        let password = Password::find(Some(file.path())).map_err(|it| it.to_string()).unwrap();
        assert_eq!(password.text(), "correct horse battery");
        let missing = Password::find(Some(Path::new("/no/such/file")));
        assert!(missing.err().is_some_and(|it| it.to_string().contains("/no/such/file")));
    }
}
