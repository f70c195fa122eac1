//! Text that visitors have written, as a terminal may show it: owners, user agents, addresses.
//!
//! Nothing of it can move the cursor, colour a line, turn the direction of writing or hide: every
//! character that is not printed as itself becomes `\u{…}`, so two texts that differ look different.

const QUOTES: [char; 2] = ['\'', '"'];

/// The text with everything escaped that is not printed as itself.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for part in text.split_inclusive(QUOTES) {
        let quote = part.chars().next_back().filter(|last| QUOTES.contains(last));
        let plain = part.strip_suffix(QUOTES).unwrap_or(part);
        shown.extend(plain.escape_debug());
        // People are called O'Neill, and no terminal minds.
        shown.extend(quote);
    }
    shown
}

/// The same in a column of so many characters; what does not fit is cut off.
pub(crate) fn shortened(text: &str, width: usize) -> String {
    let shown = shown(text);
    match shown.char_indices().nth(width) {
        None => shown,
        Some(_) => shown.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        for (text, expected) in [
            ("ann@example.org", "ann@example.org"),
            ("Seán O'Neill \"x\"", "Seán O'Neill \"x\""),
            ("\u{1b}[2J\u{1b}]0;x\u{7}", r"\u{1b}[2J\u{1b}]0;x\u{7}"),
            ("\u{9b}31m", r"\u{9b}31m"),
            ("a\r\nb\tc", r"a\r\nb\tc"),
            ("\u{202e}gpj.exe\u{2066}", r"\u{202e}gpj.exe\u{2066}"),
            ("a\u{200b}b\u{2028}c\u{feff}\u{7f}", r"a\u{200b}b\u{2028}c\u{feff}\u{7f}"),
            (r"\u{1b}", r"\\u{1b}"),
            ("'\u{301}", r"'\u{301}"),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_too_long_for_its_column_is_cut_off() {
        assert_eq!(shortened("Ærøskøbing", 10), "Ærøskøbing");
        assert_eq!(shortened("Ærøskøbing!", 10), "Ærøskøbin…");
        assert_eq!(shortened("\u{1b}\u{1b}", 6), r"\u{1b…");
    }
}
