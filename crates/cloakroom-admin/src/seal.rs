//! [`Seal`]: makes and checks the token that every change must carry, so that no other site can have
//! one made (OWASP ASVS 5.0, 3.5.1).

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use cloakroom::ConfigError;

use crate::operators::random_key;

/// A secret of this process. A token belongs to one sign-in.
#[derive(Clone)]
pub(crate) struct Seal([u8; 32]);

impl Seal {
    pub(crate) fn draw() -> Result<Self, ConfigError> {
        random_key().map(Self)
    }

    /// A seal that several processes share.
    pub(crate) fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// The token for whoever is meant by `binding`.
    pub(crate) fn token(&self, binding: &str) -> String {
        // What is hashed has one length, so no token can be prolonged to another one.
        let digest =
            Sha256::new().chain_update(self.0).chain_update(Sha256::digest(binding)).finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether a token is the one for `binding`.
    pub(crate) fn fits(&self, binding: &str, token: &str) -> bool {
        self.token(binding).as_bytes().ct_eq(token.as_bytes()).into()
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_fits_its_own_sign_in_and_its_own_process_only() {
        let seal = Seal::draw().unwrap();
        let token = seal.token("ada");
        assert!(seal.fits("ada", &token));
        assert!(!seal.fits("grace", &token));
        assert!(!seal.fits("ada", ""));
        assert!(!Seal::draw().unwrap().fits("ada", &token));
        let (one, other) = (Seal::of(b"shared secret"), Seal::of(b"shared secret"));
        assert!(one.fits("ada", &other.token("ada")));
    }
}
