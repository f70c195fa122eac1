//! The ticket: what a visitor holds ([`Token`]), what the storage sees of it ([`SessionKey`],
//! [`VerifierHash`]) and what people may see of it ([`PublicId`]).
//!
//! A token is a selector, which finds the record, and a verifier, which proves that the ticket is
//! the record's own. Neither is stored: the key is derived from the selector by SHA-256, the
//! record holds SHA-256 of the verifier. So a stolen dump cannot be turned into a ticket
//! (OWASP ASVS 5.0, 7.2.3 and 11.4.1).

mod public_id;
mod session_key;
mod token_text;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::error::RandomError;

pub use public_id::{InvalidPublicId, PublicId};
pub use session_key::SessionKey;
pub(crate) use token_text::TokenText;

const SELECTOR_BYTES: usize = 16;
const VERIFIER_BYTES: usize = 32;
const TOKEN_BYTES: usize = SELECTOR_BYTES + VERIFIER_BYTES;

/// The one length that a token has as text: 48 bytes in base64url without padding.
pub const TOKEN_CHARS: usize = 64;

/// A visitor's ticket: 16 bytes of selector and 32 bytes of verifier from the operating system's
/// random source.
///
/// It has no `Display`, no `Serialize` and a redacted `Debug`; its text leaves the library only
/// inside a `Set-Cookie` header.
#[derive(Clone)]
pub struct Token {
    selector: [u8; SELECTOR_BYTES],
    verifier: [u8; VERIFIER_BYTES],
}

impl Token {
    /// Draws a new token.
    ///
    /// # Errors
    /// [`RandomError`] where the operating system gives no random bytes.
    pub fn generate() -> Result<Self, RandomError> {
        let mut bytes = [0; TOKEN_BYTES];
        getrandom::fill(&mut bytes).map_err(|_| RandomError)?;
        Ok(Self::from_bytes(&bytes))
    }

    /// The same session's next ticket: the selector stays, the verifier is new.
    ///
    /// # Errors
    /// [`RandomError`] where the operating system gives no random bytes.
    pub fn rotated(&self) -> Result<Self, RandomError> {
        let mut verifier = [0; VERIFIER_BYTES];
        getrandom::fill(&mut verifier).map_err(|_| RandomError)?;
        Ok(Self { selector: self.selector, verifier })
    }

    /// The token of these two parts.
    pub(crate) fn from_parts(
        selector: [u8; SELECTOR_BYTES],
        verifier: [u8; VERIFIER_BYTES],
    ) -> Self {
        Self { selector, verifier }
    }

    /// Reads a token from a cookie's value: exactly 64 characters of base64url, one canonical
    /// form. Anything else is no ticket, so the answer is `None`.
    ///
    /// ```
    /// use cloakroom::Token;
    ///
    /// assert!(Token::parse(&[b'A'; 64]).is_some());
    /// assert!(Token::parse(&[b'A'; 63]).is_none());
    /// assert!(Token::parse(&[b'='; 64]).is_none());
    /// ```
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() != TOKEN_CHARS {
            return None;
        }
        let mut bytes = [0; TOKEN_BYTES];
        let written = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        (written == TOKEN_BYTES).then(|| Self::from_bytes(&bytes))
    }

    /// Where the token's record lies.
    pub fn key(&self) -> SessionKey {
        SessionKey::derive(b"cloakroom.key.1", &self.selector)
    }

    /// What the record must hold for this token to open it.
    pub fn verifier_hash(&self) -> VerifierHash {
        VerifierHash(Sha256::digest(self.verifier).into())
    }

    /// The token as the cookie's value.
    pub(crate) fn encode(&self) -> String {
        let mut bytes = [0; TOKEN_BYTES];
        bytes[..SELECTOR_BYTES].copy_from_slice(&self.selector);
        bytes[SELECTOR_BYTES..].copy_from_slice(&self.verifier);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn from_bytes(bytes: &[u8; TOKEN_BYTES]) -> Self {
        let mut token = Self { selector: [0; SELECTOR_BYTES], verifier: [0; VERIFIER_BYTES] };
        token.selector.copy_from_slice(&bytes[..SELECTOR_BYTES]);
        token.verifier.copy_from_slice(&bytes[SELECTOR_BYTES..]);
        token
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// SHA-256 of a verifier, as the record holds it. Comparison takes the same time for every value.
#[derive(Clone, Copy)]
pub struct VerifierHash([u8; 32]);

impl VerifierHash {
    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash, as the record holds it.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hash in words, which are compared in a fifth of the time that bytes take.
    fn words(&self) -> [u64; 4] {
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(self.0.as_chunks().0) {
            *word = u64::from_ne_bytes(*bytes);
        }
        words
    }
}

impl PartialEq for VerifierHash {
    fn eq(&self, other: &Self) -> bool {
        self.words().as_slice().ct_eq(other.words().as_slice()).into()
    }
}

impl Eq for VerifierHash {}

impl fmt::Debug for VerifierHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifierHash(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_survives_its_text_form() {
        let token = Token::generate().unwrap();
        let text = token.encode();
        assert_eq!(text.len(), TOKEN_CHARS);
        let read = Token::parse(text.as_bytes()).unwrap();
        assert_eq!(read.key(), token.key());
        assert_eq!(read.verifier_hash(), token.verifier_hash());
    }

    #[test]
    fn a_rotated_token_keeps_its_place_and_loses_its_proof() {
        let token = Token::generate().unwrap();
        let next = token.rotated().unwrap();
        assert_eq!(token.key(), next.key());
        assert_ne!(token.verifier_hash(), next.verifier_hash());
    }

    #[test]
    fn debug_shows_no_secret() {
        let token = Token::generate().unwrap();
        assert_eq!(format!("{token:?}"), "Token(redacted)");
        assert_eq!(format!("{:?}", token.verifier_hash()), "VerifierHash(redacted)");
    }

    #[test]
    fn a_name_never_meets_a_ticket() {
        let token = Token::parse(&[b'A'; 64]).unwrap();
        let selector = String::from_utf8(vec![0; 16]).unwrap();
        assert_ne!(SessionKey::from_name(&selector), token.key());
    }

    #[test]
    fn tokens_use_every_bit() {
        let (mut ones, mut zeros) = ([0u8; 48], [0u8; 48]);
        for _ in 0..200 {
            let bytes = URL_SAFE_NO_PAD.decode(Token::generate().unwrap().encode()).unwrap();
            for (at, byte) in bytes.iter().enumerate() {
                ones[at] |= byte;
                zeros[at] |= !byte;
            }
        }
        assert_eq!((ones, zeros), ([255; 48], [255; 48]));
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_accepts_only_the_canonical_form(text in prop::collection::vec(any::<u8>(), 0..130)) {
            if let Some(token) = Token::parse(&text) {
                prop_assert_eq!(token.encode().into_bytes(), text);
            }
        }

        #[test]
        fn every_text_of_the_alphabet_is_read(text in "[A-Za-z0-9_-]{64}") {
            prop_assert_eq!(Token::parse(text.as_bytes()).unwrap().encode(), text);
        }
    }
}
