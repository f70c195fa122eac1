//! [`TokenText`]: a ticket as a cookie shows it.

use std::fmt;

use super::{TOKEN_CHARS, Token};

/// The text of a token, known to be one and not read yet: most requests never look at their session.
pub(crate) struct TokenText([u8; TOKEN_CHARS]);

impl TokenText {
    /// As [`Token::parse`], of which this is the cheap half.
    pub(crate) fn new(text: &[u8]) -> Option<Self> {
        let text: &[u8; TOKEN_CHARS] = text.try_into().ok()?;
        // 64 characters hold 48 bytes without a bit to spare: whatever is of the alphabet is a token.
        // No end before the last one, so that many of them are looked at in one step.
        let is_token = text.iter().fold(true, |is_token, byte| is_token & is_base64url(*byte));
        is_token.then_some(Self(*text))
    }

    /// The token.
    pub(crate) fn read(&self) -> Token {
        Token::parse(&self.0).expect("64 characters of base64url are a token")
    }
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_lowercase()
        | byte.is_ascii_uppercase()
        | byte.is_ascii_digit()
        | (byte == b'-')
        | (byte == b'_')
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenText(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_known_to_be_a_token_is_read(text in "[A-Za-z0-9_-]{64}") {
            let token = TokenText::new(text.as_bytes()).unwrap().read();
            prop_assert_eq!(token.encode(), text);
        }

        #[test]
        fn it_is_a_token_exactly_if_it_can_be_read(
            text in "[A-Za-z0-9_-]{62,66}",
            at: prop::sample::Index,
            byte: u8,
        ) {
            let mut bytes = text.into_bytes();
            *at.get_mut(&mut bytes) = byte;
            prop_assert_eq!(TokenText::new(&bytes).is_some(), Token::parse(&bytes).is_some());
        }
    }

    #[test]
    fn every_byte_is_of_the_alphabet_or_is_not() {
        for byte in 0..=u8::MAX {
            let text = [byte; TOKEN_CHARS];
            assert_eq!(TokenText::new(&text).is_some(), Token::parse(&text).is_some(), "{byte}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let text = TokenText::new(&[b'A'; TOKEN_CHARS]);
        assert_eq!(format!("{text:?}"), "Some(TokenText(redacted))");
    }
}
