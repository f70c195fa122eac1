//! [`OwnerKey`]: where the index of one owner's sessions lies, by a hash of the owner's name.

use std::fmt;

use sha2::{Digest, Sha256};

/// Names the index of one owner's sessions: 16 bytes, written as 32 lower-case hexadecimal digits.
///
/// It is a hash, so no byte of an owner's name reaches a key name, and names of any length and
/// alphabet are good.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerKey([u8; 16]);

impl OwnerKey {
    /// The key of the owner with this name.
    pub fn of(owner: &str) -> Self {
        let digest: [u8; 32] =
            Sha256::new().chain_update(b"cloakroom.owner.1").chain_update(owner).finalize().into();
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Self(key)
    }

    /// The key as 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// In which of so many parts a table keeps what belongs to the key.
    pub(crate) fn shard(&self, shards: usize) -> usize {
        usize::from(self.0[15]) % shards
    }
}

impl fmt::Display for OwnerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for OwnerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OwnerKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::SessionKey;

    #[test]
    fn every_owner_has_a_key_of_its_own_that_shows_nothing_of_the_name() {
        let keys = ["ann", "Ann", "ann ", "", "a\r\nn"].map(OwnerKey::of);
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(key));
            assert!(key.to_string().len() == 32 && !key.to_string().contains("ann"));
        }
    }

    #[test]
    fn an_owner_is_never_mistaken_for_a_session_of_that_name() {
        assert_ne!(OwnerKey::of("ann").as_bytes(), SessionKey::from_name("ann").as_bytes());
    }
}
