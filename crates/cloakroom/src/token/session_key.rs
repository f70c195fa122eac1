//! [`SessionKey`]: where a session's record lies.

use std::fmt;
use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256};

use super::{PublicId, VerifierHash};

/// Where a record lies: 16 bytes, written as 32 lower-case hexadecimal digits.
///
/// It is a hash, so no byte of a cookie or of a name that an application chose reaches a key name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionKey([u8; 16]);

impl SessionKey {
    /// The key of a session that the application names itself, without a ticket.
    ///
    /// Any text is a good name. Such keys never meet the keys of tickets.
    pub fn from_name(name: &str) -> Self {
        Self::derive(b"cloakroom.name.1", name.as_bytes())
    }

    /// Reads the 32 lower-case hexadecimal digits that [`SessionKey::to_hex`] writes.
    pub fn from_hex(text: &[u8]) -> Option<Self> {
        let digits: &[u8; 32] = text.try_into().ok()?;
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = (hex_value(pair[0])? << 4) | hex_value(pair[1])?;
        }
        Some(Self(bytes))
    }

    /// The key as 32 lower-case hexadecimal digits.
    pub fn to_hex(&self) -> [u8; 32] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 32];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        text
    }

    /// The key with these 16 bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The key as 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The name under which people may speak of the session.
    pub fn public_id(&self) -> PublicId {
        PublicId::of(*self)
    }

    /// The proof that stands in the record of a session without a ticket. No verifier has this hash,
    /// so no ticket opens such a record.
    pub(crate) fn name_proof(&self) -> VerifierHash {
        let digest = Sha256::new().chain_update(b"cloakroom.name.proof.1").chain_update(self.0);
        VerifierHash::from_bytes(digest.finalize().into())
    }

    /// In which of so many parts a table keeps what belongs to the key.
    pub(crate) fn shard(&self, shards: usize) -> usize {
        usize::from(self.0[15]) % shards
    }

    pub(crate) fn derive(domain: &[u8], secret: &[u8]) -> Self {
        let digest: [u8; 32] =
            Sha256::new().chain_update(domain).chain_update(secret).finalize().into();
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Self(key)
    }
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl Hash for SessionKey {
    /// Half of it is enough to spread keys: they are a hash themselves.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (half, _) = self.0.split_at(8);
        state.write(half);
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionKey({})", self.public_id())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_key_survives_its_hexadecimal_form(name in ".*") {
            let key = SessionKey::from_name(&name);
            prop_assert_eq!(SessionKey::from_hex(&key.to_hex()), Some(key));
        }
    }
}
