//! [`Seal`]: makes and checks the token that every change must carry, so that no other site can have
//! one made (OWASP ASVS 5.0, 3.5.1). A token is good for one sign-in, and for two days at most: behind
//! an application's guard a sign-in is known by its operator's name alone.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use cloakroom::{Clock, ConfigError};

use crate::operators::random_key;

/// How long a page may be open until what it asks for is refused, twice at most.
const DAY_MILLIS: u64 = 24 * 60 * 60 * 1000;

/// A secret of this process.
#[derive(Clone)]
pub(crate) struct Seal {
    secret: [u8; 32],
    clock: Arc<dyn Clock>,
}

impl Seal {
    pub(crate) fn draw(clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        Ok(Self { secret: random_key()?, clock })
    }

    /// A seal that several processes share.
    pub(crate) fn of(secret: &[u8], clock: Arc<dyn Clock>) -> Self {
        Self { secret: Sha256::digest(secret).into(), clock }
    }

    /// The token for whoever is meant by `binding`.
    pub(crate) fn token(&self, binding: &str) -> String {
        self.token_of(binding, self.today())
    }

    /// Whether a token is one for `binding`.
    pub(crate) fn fits(&self, binding: &str, token: &str) -> bool {
        let today = self.today();
        let days = [today, today.saturating_sub(1)].into_iter();
        let fitting =
            days.map(|day| self.token_of(binding, day).as_bytes().ct_eq(token.as_bytes()));
        fitting.fold(Choice::from(0), |any, one| any | one).into()
    }

    fn token_of(&self, binding: &str, day: u64) -> String {
        // What is hashed has one length, so no token can be prolonged to another one.
        let digest = Sha256::new()
            .chain_update(self.secret)
            .chain_update(day.to_be_bytes())
            .chain_update(Sha256::digest(binding))
            .finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn today(&self) -> u64 {
        self.clock.now().as_millis() / DAY_MILLIS
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cloakroom::SystemClock;
    use cloakroom_testkit::ManualClock;

    use super::*;

    #[test]
    fn a_token_fits_its_own_sign_in_and_its_own_process_only() {
        let seal = Seal::draw(Arc::new(SystemClock)).unwrap();
        let token = seal.token("ada");
        assert!(seal.fits("ada", &token));
        assert!(!seal.fits("grace", &token));
        assert!(!seal.fits("ada", ""));
        assert!(!Seal::draw(Arc::new(SystemClock)).unwrap().fits("ada", &token));
    }

    #[test]
    fn a_token_of_a_shared_secret_is_no_good_for_ever() {
        let clock = ManualClock::new();
        let seal = || Seal::of(b"shared secret", Arc::new(clock.clone()));
        let token = seal().token("ada");
        clock.advance(Duration::from_secs(24 * 60 * 60));
        assert!(seal().fits("ada", &token));
        clock.advance(Duration::from_secs(24 * 60 * 60));
        assert!(!seal().fits("ada", &token));
    }
}
