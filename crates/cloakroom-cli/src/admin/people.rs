//! [`People`]: who may sign in, and where their passwords come from.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use cloakroom_admin::Operators;

use super::password::Password;
use crate::failure::Failure;

/// One person, as the command is told of them: `NAME`, or `NAME=FILE` with a password of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Person {
    name: String,
    file: Option<PathBuf>,
}

/// All of them.
pub(super) struct People {
    pub(super) operators: Operators,
    names: Vec<String>,
    /// That of the one who has no file.
    password: Option<Password>,
}

impl People {
    /// Reads the passwords. One person may go without a file; theirs is in `--password-file`, in the
    /// environment, or is drawn.
    pub(super) fn find(people: &[Person], password_file: Option<&Path>) -> Result<Self, Failure> {
        let without_file = people.iter().filter(|person| person.file.is_none()).count();
        if without_file > 1 {
            return Err(Failure::misused("of several operators each needs a password: NAME=FILE"));
        }
        if without_file == 0 && password_file.is_some() {
            let text = "every --operator has a file, so --password-file is nobody's";
            return Err(Failure::misused(text));
        }
        let mut operators: Option<Operators> = None;
        let mut shared = None;
        for Person { name, file } in people {
            let password = Password::find(file.as_deref().or(password_file))?;
            operators = Some(match operators {
                None => Operators::new(name, password.text())?,
                Some(others) => others.and(name, password.text())?,
            });
            if file.is_none() {
                shared = Some(password);
            }
        }
        let names = people.iter().map(|person| person.name.clone()).collect();
        let operators = operators.ok_or_else(|| Failure::misused("name an --operator"))?;
        Ok(Self { operators, names, password: shared })
    }

    /// Their names.
    pub(super) fn names(&self) -> String {
        self.names.join(", ")
    }

    /// What is told of the passwords: nothing that is known already.
    pub(super) fn passwords(&self) -> String {
        match &self.password {
            None => "in each one's file".to_owned(),
            Some(Password::Given(_)) => "the one that you have given".to_owned(),
            Some(Password::Drawn(text)) => {
                format!("{text}   (drawn for this run, shown once)")
            }
        }
    }
}

impl FromStr for Person {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.split_once('=') {
            Some((name, file)) => Self { name: name.to_owned(), file: Some(file.into()) },
            None => Self { name: text.to_owned(), file: None },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(people: &[&str], file: Option<&str>) -> Result<People, String> {
        let people: Vec<_> = people.iter().map(|text| text.parse().unwrap()).collect();
        People::find(&people, file.map(Path::new)).map_err(|failure| failure.to_string())
    }

    #[test]
    fn each_person_has_a_password_and_none_is_shown_that_was_given() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, password: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, password).unwrap();
            file.display().to_string()
        };
        let ada = write("a=da", "the first password of all\n");
        let grace = write("grace", "the second password of all\n");
        let people = find(&[&format!("ada={ada}"), &format!("grace={grace}")], None).unwrap();
        assert_eq!(format!("{:?}", people.operators), "[\"ada\", \"grace\"]");
        assert_eq!(
            (people.names().as_str(), people.passwords().as_str()),
            ("ada, grace", "in each one's file")
        );
        let people = find(&[&format!("ada={ada}"), "grace"], Some(&grace)).unwrap();
        assert_eq!(people.passwords(), "the one that you have given");
        assert!(find(&["ada", "grace"], None).err().unwrap().contains("NAME=FILE"));
        assert!(find(&[&format!("ada={ada}")], Some(&grace)).err().unwrap().contains("nobody's"));
        let twice = find(&[&format!("ada={ada}"), &format!("grace={ada}")], None);
        assert!(twice.err().unwrap().contains("of their own"));
    }
}
