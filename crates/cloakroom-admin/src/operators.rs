//! [`Operators`]: who signs in with a password. Only hashes of the passwords are kept, and comparing
//! takes the same time whoever it is and however near a guess comes.

use cloakroom::{ConfigError, ConfigErrorKind};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::guard::Operator;

/// How many characters a password must have. There is no second factor, so it is to be drawn, not
/// thought of.
pub const SHORTEST_PASSWORD: usize = 16;

/// A name is shown in every line of the audit trail.
const LONGEST_NAME: usize = 64;

/// What the audit trail calls whoever gave a name that is no operator's.
const UNKNOWN: &str = "unknown name";

/// With fewer different characters a password is a row of one key.
const FEWEST_CHARACTERS: usize = 5;

/// The people who may use the page, each with a password.
///
/// They sign in with a form; a program sends a password as `Authorization: Bearer`. Take passwords
/// from the environment or a file, never from the source.
///
/// ```
/// use cloakroom_admin::Operators;
///
/// # let (of_ada, of_grace) = ("correct horse battery staple", "another horse battery staple");
/// let operators = Operators::new("ada", of_ada)?.and("grace", of_grace)?;
/// # let _ = operators;
/// assert!(Operators::new("ada", "too short").is_err());
/// # Ok::<(), cloakroom::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Operators {
    key: [u8; 32],
    known: Vec<(Operator, [u8; 32])>,
}

impl Operators {
    /// One operator.
    ///
    /// # Errors
    /// [`ConfigError`] where the name is empty or has more than 64 characters, or the password has
    /// fewer than [`SHORTEST_PASSWORD`] or hardly any different ones.
    pub fn new(name: &str, password: &str) -> Result<Self, ConfigError> {
        Self { key: random_key()?, known: Vec::new() }.and(name, password)
    }

    /// One operator more.
    ///
    /// # Errors
    /// As [`Operators::new`]; also where the name or the password is another one's.
    pub fn and(mut self, name: &str, password: &str) -> Result<Self, ConfigError> {
        let length = name.chars().count();
        if length == 0 || length > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(invalid("operator", "a name has 1 to 64 characters, none of them control"));
        }
        if password.chars().count() < SHORTEST_PASSWORD {
            let message = format!("a password has {SHORTEST_PASSWORD} characters at least");
            return Err(invalid("password", &message));
        }
        let mut characters: Vec<_> = password.chars().collect();
        characters.sort_unstable();
        characters.dedup();
        if characters.len() < FEWEST_CHARACTERS {
            return Err(invalid("password", "these are too few different characters"));
        }
        let proof = self.proof(password);
        if self.known.iter().any(|(known, it)| known.name() == name || *it == proof) {
            return Err(invalid(
                "operator",
                "each operator has a name and a password of their own",
            ));
        }
        self.known.push((Operator::named(name), proof));
        Ok(self)
    }

    /// The operator with this name and password.
    pub(crate) fn find(&self, name: &str, password: &str) -> Option<Operator> {
        self.search(password, |known| known.name().as_bytes().ct_eq(name.as_bytes()))
    }

    /// The operator with this password.
    pub(crate) fn find_by_password(&self, password: &str) -> Option<Operator> {
        self.search(password, |_| Choice::from(1))
    }

    /// The operator with this name, for the audit trail. A name that is nobody's is not repeated: people
    /// write passwords into the field for the name.
    pub(crate) fn named(&self, name: &str) -> Operator {
        let known = self.known.iter().find(|(known, _)| known.name() == name);
        known.map_or_else(|| Operator::named(UNKNOWN), |(known, _)| known.clone())
    }

    fn search(&self, password: &str, is_meant: impl Fn(&Operator) -> Choice) -> Option<Operator> {
        let proof = self.proof(password);
        let mut found = None;
        // All of them: where a search ends early, its time tells who it was.
        for (operator, known) in &self.known {
            if bool::from(known.ct_eq(&proof) & is_meant(operator)) {
                found = Some(operator.clone());
            }
        }
        found
    }

    fn proof(&self, password: &str) -> [u8; 32] {
        Sha256::new()
            .chain_update(self.key)
            .chain_update(Sha256::digest(password))
            .finalize()
            .into()
    }
}

impl std::fmt::Debug for Operators {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.known.iter().map(|(operator, _)| operator.name())).finish()
    }
}

/// A secret of this process.
pub(crate) fn random_key() -> Result<[u8; 32], ConfigError> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|_| {
        let message = "the operating system gives no random bytes";
        ConfigError::new(ConfigErrorKind::Invalid, "random", message)
    })?;
    Ok(key)
}

fn invalid(field: &'static str, message: &str) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Invalid, field, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: &str = "the first password of all";
    const GRACE: &str = "the second password of all";

    #[test]
    fn an_operator_is_found_by_name_and_password_only() {
        let operators = Operators::new("ada", ADA).unwrap().and("grace", GRACE).unwrap();
        assert_eq!(operators.find("ada", ADA), Some(Operator::named("ada")));
        assert_eq!(operators.find("grace", GRACE), Some(Operator::named("grace")));
        for (name, password) in [("ada", GRACE), ("", ADA), ("ada", ""), ("Ada", ADA)] {
            assert_eq!(operators.find(name, password), None, "{name}");
        }
        assert_eq!(operators.find_by_password(GRACE), Some(Operator::named("grace")));
        assert_eq!(operators.find_by_password("the third password of all"), None);
    }

    #[test]
    fn only_an_operators_name_is_repeated() {
        let operators = Operators::new("ada", ADA).unwrap().and("grace", GRACE).unwrap();
        assert_eq!(operators.named("grace").name(), "grace");
        for name in [ADA, "", "Ada", "<script>"] {
            assert_eq!(operators.named(name).name(), UNKNOWN, "{name}");
        }
    }

    #[test]
    fn a_password_that_can_be_guessed_is_refused() {
        for password in ["", "fifteen letters", "aaaaaaaaaaaaaaaaaaaaaaa", "abababababababababab"] {
            assert!(Operators::new("ada", password).is_err(), "{password}");
        }
        assert!(Operators::new("", ADA).is_err());
        assert!(Operators::new("ada", ADA).unwrap().and("ada", GRACE).is_err());
        assert!(Operators::new("ada", ADA).unwrap().and("grace", ADA).is_err());
    }

    #[test]
    fn debug_shows_no_password_and_no_hash() {
        let operators = Operators::new("ada", ADA).unwrap();
        assert_eq!(format!("{operators:?}"), "[\"ada\"]");
    }
}
