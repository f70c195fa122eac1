//! [`Search`]: looks for secrets, whole or in part, in everything that was written down.

use std::collections::HashSet;

use crate::readings::readings;
use crate::secrets::Secret;

/// So many letters of a ticket, or of its digits, are a leak; chance does not bring them about.
const LETTERS: usize = 16;

/// The same for bytes.
const BYTES: usize = 8;

/// How many bits of a piece's beginning decide whether it is worth a closer look.
const MARK_BITS: u32 = 22;

/// Pieces of secrets.
pub(crate) struct Search {
    pieces: Vec<Pieces>,
}

/// Pieces of one length.
struct Pieces {
    length: usize,
    pieces: HashSet<Vec<u8>>,
    /// What the beginnings of pieces look like, so that most places are passed by quickly.
    marks: Vec<bool>,
}

/// Where something was found, with a little of what stands around it.
#[derive(Debug, PartialEq)]
pub(crate) struct Found {
    place: &'static str,
    around: String,
}

impl Search {
    /// Looks for any piece of these tickets in any form.
    pub(crate) fn for_tickets(tickets: &[String]) -> Self {
        let (mut texts, mut bytes) = (HashSet::new(), HashSet::new());
        for secret in tickets.iter().map(|ticket| Secret::of_ticket(ticket)) {
            for text in &secret.texts {
                texts.extend(text.as_bytes().windows(LETTERS).map(<[u8]>::to_vec));
            }
            bytes.extend(secret.bytes.windows(BYTES).map(<[u8]>::to_vec));
        }
        Self { pieces: vec![Pieces::new(LETTERS, texts), Pieces::new(BYTES, bytes)] }
    }

    /// Looks for whole words, of eight letters at least.
    pub(crate) fn for_words(words: &[&str]) -> Self {
        let piece =
            |word: &&str| Pieces::new(word.len(), HashSet::from([word.as_bytes().to_vec()]));
        Self { pieces: words.iter().map(piece).collect() }
    }

    /// The first that is found; nothing where there is nothing.
    pub(crate) fn find_in(&self, place: &'static str, bytes: &[u8]) -> Option<Found> {
        readings(bytes).iter().find_map(|bytes| {
            let at = self.pieces.iter().find_map(|pieces| pieces.first_in(bytes))?;
            let (start, end) = (at.saturating_sub(200), bytes.len().min(at + 100));
            let around = String::from_utf8_lossy(&bytes[start..end]).into_owned();
            Some(Found { place, around })
        })
    }
}

impl Pieces {
    fn new(length: usize, pieces: HashSet<Vec<u8>>) -> Self {
        let mut marks = vec![false; 1 << MARK_BITS];
        for piece in &pieces {
            marks[mark(piece)] = true;
        }
        Self { length, pieces, marks }
    }

    fn first_in(&self, bytes: &[u8]) -> Option<usize> {
        let mut windows = bytes.windows(self.length);
        windows.position(|window| self.marks[mark(window)] && self.pieces.contains(window))
    }
}

/// A number of [`MARK_BITS`] bits that is the same for the same beginning.
fn mark(piece: &[u8]) -> usize {
    let beginning = *piece.first_chunk().unwrap();
    let spread = u64::from_le_bytes(beginning).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (spread >> (u64::BITS - MARK_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::*;

    /// A ticket as the library makes them, the same each time.
    fn ticket() -> ([u8; 48], String) {
        let mut bytes = [0; 48];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = (at as u8).wrapping_mul(67).wrapping_add(129);
        }
        (bytes, URL_SAFE_NO_PAD.encode(bytes))
    }

    fn is_found(leak: &[u8]) -> bool {
        let search = Search::for_tickets(&[ticket().1]);
        let text = [b"2026-01-01 TRACE something ", leak, b" something"].concat();
        search.find_in("log", &text).is_some()
    }

    #[test]
    fn a_ticket_is_found_in_every_form() {
        let (bytes, text) = ticket();
        let (selector, verifier) = bytes.split_at(16);
        assert!(is_found(text.as_bytes()), "as it is");
        assert!(is_found(&text.as_bytes()[20..40]), "a part of it");
        for part in [&bytes[..], selector, verifier] {
            let hex: String = part.iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(is_found(part), "bytes");
            assert!(is_found(hex.as_bytes()) && is_found(hex.to_uppercase().as_bytes()), "digits");
            assert!(is_found(STANDARD.encode(part).as_bytes()), "base64");
            assert!(is_found(URL_SAFE_NO_PAD.encode(part).as_bytes()), "base64 for URLs");
            assert!(is_found(format!("{part:?}").as_bytes()), "a list of numbers");
            let escaped: String = part.iter().map(|byte| format!("\\x{byte:02x}")).collect();
            assert!(is_found(escaped.as_bytes()), "escapes");
            assert!(is_found(&part[4..12]), "a part of its bytes");
        }
    }

    #[test]
    fn what_is_no_ticket_is_not_found() {
        let (bytes, _) = ticket();
        let digest = [0x5a; 32];
        for harmless in [&b"key=cloakroom:session:0123456789abcdef"[..], &bytes[..7], &digest] {
            assert!(!is_found(harmless), "{harmless:?}");
        }
        assert!(!is_found("A".repeat(64).as_bytes()));
    }

    #[test]
    fn a_word_is_found_as_a_whole() {
        let search = Search::for_words(&["swordfish"]);
        let found = search.find_in("metrics", br#"password="swordfish""#).unwrap();
        assert!(found.place == "metrics" && found.around.contains("password"));
        assert_eq!(search.find_in("metrics", b"sword fish"), None);
    }
}
