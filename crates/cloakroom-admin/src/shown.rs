//! Text that comes from visitors, as people may see it: nothing in it turns the writing round, hides
//! or fills the page. Escaping for HTML is the templates' part.

/// How many characters of a text are shown.
const MOST: usize = 300;

/// The text with every control and direction character written out.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(MOST * 2));
    for (at, letter) in text.chars().enumerate() {
        if at == MOST {
            shown.push('…');
            break;
        }
        if is_invisible(letter) {
            shown.extend(letter.escape_unicode());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Control characters, and those that direct or join others without being seen (Unicode's
/// `Bidi_Control`, zero-width and line separators, tags).
fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_directs_the_writing_is_written_out() {
        assert_eq!(shown("Ada\u{202e}nimda"), "Ada\\u{202e}nimda");
        assert_eq!(shown("a\r\n\u{0}b"), "a\\u{d}\\u{a}\\u{0}b");
        assert_eq!(shown("Žofie 你好 עברית"), "Žofie 你好 עברית");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(shown(&"ä".repeat(10_000)).chars().count(), MOST + 1);
        assert_eq!(shown(&"ä".repeat(MOST)).chars().count(), MOST);
    }
}
