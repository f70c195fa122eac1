//! Text that visitors have written, as people may see it: owners, user agents, addresses. The page and
//! the command show it alike, so that operators take nobody for somebody else. Escaping for HTML is the
//! templates' part.

use unicode_width::UnicodeWidthChar;

const QUOTES: [char; 2] = ['\'', '"'];

/// How many marks may stand above and below a letter; the alphabets of the world need two.
const MARKS: usize = 2;

/// What takes no place and is not meant to be seen: the letters of Unicode's property
/// `Default_Ignorable_Code_Point`, and a pattern of Braille without a dot.
const UNSEEN: [(char, char); 17] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fff8}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
];

/// A plane of Unicode that holds nothing that is seen.
const UNSEEN_PLANE: u32 = 0xe;

/// How many characters of a text are shown on a page.
const MOST: usize = 300;

/// A text that visitors have written, with everything escaped that is not printed as itself.
///
/// Nothing of it can move a terminal's cursor, colour a line, turn the direction of writing, pile up or
/// hide: every such character becomes `\u{…}`, and so do blanks that are none of the keyboard's and the
/// third and further marks on a letter. A text that has something more to it than another one looks
/// different. It is not escaped for HTML.
///
/// ```
/// use cloakroom_admin::shown;
///
/// assert_eq!(shown("Seán O'Neill"), "Seán O'Neill");
/// assert_eq!(shown("ann\u{3164}"), r"ann\u{3164}");
/// assert_eq!(shown("\u{1b}[2J"), r"\u{1b}[2J");
/// ```
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    // At the beginning there is no letter that a mark could stand above.
    let mut marks = MARKS;
    for character in text.chars() {
        // People are called O'Neill, and no terminal minds.
        if QUOTES.contains(&character) {
            marks = MARKS;
            shown.push(character);
            continue;
        }
        marks = if character.width() == Some(0) { marks + 1 } else { 0 };
        if marks > MARKS || is_unseen(character) {
            shown.extend(character.escape_unicode());
        } else {
            // Behind a letter, so that a mark is not taken for one without.
            shown.extend(format!("a{character}").escape_debug().skip(1));
        }
    }
    shown
}

/// Whether it takes no place, or looks like a space and is none.
fn is_unseen(character: char) -> bool {
    let is_other_blank = character.is_whitespace() && character != ' ' && !character.is_control();
    let is_within = |(first, last): &(char, char)| (*first..=*last).contains(&character);
    is_other_blank || u32::from(character) >> 16 == UNSEEN_PLANE || UNSEEN.iter().any(is_within)
}

/// The same in a column of so many characters; what does not fit is cut off.
///
/// ```
/// assert_eq!(cloakroom_admin::shortened("Ærøskøbing!", 10), "Ærøskøbin…");
/// ```
pub fn shortened(text: &str, width: usize) -> String {
    let shown = shown(text);
    match shown.char_indices().nth(width) {
        None => shown,
        Some(_) => shown.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// The same on a page, which a text cannot fill.
pub(crate) fn on_page(text: &str) -> String {
    shortened(text, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_or_a_page_obeys_is_left() {
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
    fn what_hides_behind_a_name_is_seen() {
        for hidden in [
            '\u{3164}',
            '\u{115f}',
            '\u{17b4}',
            '\u{2800}',
            '\u{fe0f}',
            '\u{34f}',
            '\u{e0100}',
            '\u{ad}',
            '\u{a0}',
            '\u{3000}',
            '\u{e0041}',
            '\u{2063}',
        ] {
            let expected = format!("ann\\u{{{:x}}}", u32::from(hidden));
            assert_eq!(shown(&format!("ann{hidden}")), expected);
        }
        let pile = format!("a{}", "\u{301}".repeat(40));
        assert_eq!(shown(&pile).matches(r"\u{301}").count(), 38);
        // Names as people write them.
        for name in
            ["Nguye\u{302}\u{303}n", "\u{915}\u{94d}\u{937}", "\u{e01}\u{e33}", "李明", "한국"]
        {
            assert_eq!(shown(name), name);
        }
    }

    #[test]
    fn what_is_too_long_for_its_column_is_cut_off() {
        assert_eq!(shortened("Ærøskøbing", 10), "Ærøskøbing");
        assert_eq!(shortened("Ærøskøbing!", 10), "Ærøskøbin…");
        assert_eq!(shortened("\u{1b}\u{1b}", 6), r"\u{1b…");
    }

    #[test]
    fn no_text_fills_a_page() {
        assert_eq!(on_page(&"ä".repeat(10_000)).chars().count(), MOST);
        assert_eq!(on_page(&"ä".repeat(MOST)), "ä".repeat(MOST));
    }
}
