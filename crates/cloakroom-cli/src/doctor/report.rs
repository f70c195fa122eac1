//! A diagnosis for people: a line for each finding, and under those that need it why it matters and
//! what to do.
//!
//! Words of a server stand in it, and nobody knows yet what that is: they give a terminal no orders.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use cloakroom_redis::{Diagnosis, Finding, Severity};

use crate::shown::shown;

/// Where the texts begin.
const INDENT: &str = "                         ";

/// Where they go on behind `why:` and `do:`.
const DEEPER: &str = "                              ";

/// Where lines end.
const WIDTH: usize = 100;

/// The whole text.
pub(super) fn text(diagnosis: &Diagnosis, counted: &str) -> String {
    let mut text = format!("Redis at {}\n", shown(&diagnosis.place));
    let mut server = None;
    for finding in &diagnosis.findings {
        if finding.server != server {
            server.clone_from(&finding.server);
            let _ = write!(text, "\n{}\n", shown(server.as_deref().unwrap_or_default()));
        } else if server.is_none() && text.lines().count() == 1 {
            text.push('\n');
        }
        add(&mut text, finding);
    }
    let _ = write!(text, "\n{counted}\n");
    text
}

fn add(text: &mut String, finding: &Finding) {
    let style = style(finding.severity);
    let (severity, topic) = (finding.severity, finding.topic);
    let seen = wrapped(&shown(&finding.seen), INDENT);
    let _ = writeln!(text, "  {style}{severity:<7}{style:#}  {topic:<12}  {seen}");
    if finding.severity < Severity::Info {
        return;
    }
    let _ = writeln!(text, "{INDENT}why: {}", wrapped(finding.why, DEEPER));
    if let Some(remedy) = &finding.remedy {
        let _ = writeln!(text, "{INDENT}do:  {}", wrapped(&shown(remedy), DEEPER));
    }
}

/// The words in lines of a width that can be read, each but the first behind an indent.
fn wrapped(text: &str, indent: &str) -> String {
    let (mut lines, mut width) = (String::new(), indent.len());
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if !lines.is_empty() && width + 1 + length > WIDTH {
            let _ = write!(lines, "\n{indent}");
            width = indent.len();
        } else if !lines.is_empty() {
            lines.push(' ');
            width += 1;
        }
        lines.push_str(word);
        width += length;
    }
    lines
}

fn style(severity: Severity) -> Style {
    let coloured = |colour: AnsiColor| colour.on_default();
    match severity {
        Severity::Ok => coloured(AnsiColor::Green),
        Severity::Info => coloured(AnsiColor::Cyan),
        Severity::Warning => coloured(AnsiColor::Yellow).bold(),
        Severity::Error => coloured(AnsiColor::Red).bold(),
        _ => Style::new().dimmed(),
    }
}

/// How many there are of each kind, in one line.
pub(super) fn counted(diagnosis: &Diagnosis) -> String {
    let each = [
        (Severity::Error, "error", "errors"),
        (Severity::Warning, "warning", "warnings"),
        (Severity::Info, "to know", "to know"),
        (Severity::Ok, "ok", "ok"),
        (Severity::Hidden, "hidden", "hidden"),
    ];
    let parts = each.into_iter().filter_map(|(severity, one, more)| {
        let count = diagnosis.count(severity);
        let always = severity >= Severity::Warning;
        (count > 0 || always).then(|| format!("{count} {}", if count == 1 { one } else { more }))
    });
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_longer_than_can_be_read_and_no_word_is_lost() {
        let text = "a few words and some more ".repeat(20);
        let lines = wrapped(&text, INDENT);
        for (at, line) in lines.lines().enumerate() {
            let width = line.chars().count() + if at == 0 { INDENT.len() } else { 0 };
            assert!(width <= WIDTH && width > WIDTH - 10 || at + 1 == lines.lines().count());
            assert!(at == 0 || line.starts_with(INDENT));
        }
        let words: Vec<_> = lines.split_whitespace().collect();
        assert_eq!(words, text.split_whitespace().collect::<Vec<_>>());
        let long = "x".repeat(200);
        assert_eq!(wrapped(&long, INDENT), long);
    }
}
