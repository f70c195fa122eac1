//! A diagnosis for people: a line for each finding, and under those that need it why it matters and
//! what to do.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use cloakroom_redis::{Diagnosis, Finding, Severity};

/// Where the texts begin.
const INDENT: &str = "                         ";

/// The whole text.
pub(super) fn text(diagnosis: &Diagnosis, counted: &str) -> String {
    let mut text = format!("Redis at {}\n", diagnosis.place);
    let mut server = None;
    for finding in &diagnosis.findings {
        if finding.server != server {
            server.clone_from(&finding.server);
            let _ = write!(text, "\n{}\n", server.as_deref().unwrap_or_default());
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
    let _ = writeln!(text, "  {style}{severity:<7}{style:#}  {topic:<12}  {}", finding.seen);
    if finding.severity < Severity::Info {
        return;
    }
    let _ = writeln!(text, "{INDENT}why: {}", finding.why);
    if let Some(remedy) = &finding.remedy {
        let _ = writeln!(text, "{INDENT}do:  {remedy}");
    }
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
