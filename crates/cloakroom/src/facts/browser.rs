//! A user agent in words: "Firefox on Linux".

use woothee::parser::Parser;

/// What the parser says where it does not know.
const UNKNOWN: &str = "UNKNOWN";

/// Names the browser and the system that a user agent claims; `None` where it is no browser's.
///
/// The words come from the parser's own list, so nothing of the visitor's text is in them.
pub(super) fn in_words(user_agent: &str) -> Option<String> {
    let known = Parser::new().parse(user_agent)?;
    if known.name == UNKNOWN || known.browser_type != "browser" {
        return None;
    }
    Some(match known.os {
        UNKNOWN => known.name.to_owned(),
        os => format!("{} on {}", known.name, todays_name(os)),
    })
}

/// Windows 11 says that it is Windows 10, and so do all others that browsers still name.
fn todays_name(os: &str) -> &str {
    match os {
        "Mac OSX" => "macOS",
        "Windows 10" | "Windows 8.1" | "Windows 8" | "Windows 7" => "Windows",
        os => os,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn todays_browsers_are_named() {
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        for (agent, words) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
                "Firefox on Linux",
            ),
            (
                &format!(
                    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0"
                ),
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                &format!(
                    "Mozilla/5.0 (Linux; Android 10; K) {webkit} Chrome/131.0.0.0 Mobile Safari/537.36"
                ),
                "Chrome on Android",
            ),
        ] {
            assert_eq!(in_words(agent).as_deref(), Some(words), "{agent}");
        }
    }

    #[test]
    fn nothing_of_the_visitors_text_is_in_the_words() {
        for agent in [
            "",
            "curl/8.5.0",
            "<script>alert(1)</script>",
            "Mozilla/5.0 (<b>; Linux) Gecko/20100101 Firefox/<script>",
            "Mozilla/5.0 (Windows NT <img src=x>) Chrome/\"onload=1",
        ] {
            let words = in_words(agent).unwrap_or_default();
            assert!(words.chars().all(|it| it.is_alphanumeric() || " .".contains(it)), "{words}");
        }
    }
}
