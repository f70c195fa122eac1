//! [`Secret`]: a ticket in every form in which somebody could write it down.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// A ticket is a selector of so many bytes, and a verifier.
const SELECTOR_BYTES: usize = 16;

/// The forms of a secret.
pub(crate) struct Secret {
    /// As text: the ticket itself, and its parts in hexadecimal digits and base64.
    pub(crate) texts: Vec<String>,
    /// As bytes: the whole, which holds both parts.
    pub(crate) bytes: Vec<u8>,
}

impl Secret {
    /// The forms of a ticket as a cookie's value shows it.
    pub(crate) fn of_ticket(ticket: &str) -> Self {
        let bytes = URL_SAFE_NO_PAD.decode(ticket).unwrap();
        let (selector, verifier) = bytes.split_at(SELECTOR_BYTES);
        let mut texts = vec![ticket.to_owned()];
        for part in [&bytes[..], selector, verifier] {
            let hex: String = part.iter().map(|byte| format!("{byte:02x}")).collect();
            texts.extend([hex.to_uppercase(), hex]);
            texts.extend([STANDARD_NO_PAD.encode(part), URL_SAFE_NO_PAD.encode(part)]);
        }
        Self { texts, bytes }
    }
}
