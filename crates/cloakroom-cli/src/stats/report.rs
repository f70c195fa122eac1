//! The figures for people.

use std::time::Duration;

use indicatif::HumanBytes;

use super::Told;
use super::ages::{Ages, Group};
use super::tally::Walked;
use crate::shown::shown;
use crate::table::thousands;

/// How long the longest bar is.
const BAR: u64 = 30;

/// The whole text.
pub(super) fn text(told: &Told) -> String {
    let bytes = |number: u64| HumanBytes(number).to_string();
    let mut lines = vec![
        ("sessions", thousands(told.sessions)),
        ("records", bytes(told.bytes)),
        ("memory", memory(told)),
        ("eviction", server(told, "maxmemory_policy")),
        ("primaries", server(told, "nodes")),
    ];
    if let Some(walked) = &told.walked {
        let Walked { median_bytes, p99_bytes, largest_bytes, .. } = *walked;
        lines.extend([
            ("signed in", thousands(walked.signed_in)),
            ("owners", thousands(walked.owners)),
            ("anonymous", thousands(walked.anonymous)),
        ]);
        if largest_bytes > 0 {
            let sizes = [median_bytes, p99_bytes, largest_bytes].map(bytes);
            let [median, p99, largest] = sizes;
            let text = format!("half up to {median}, 99 % up to {p99}, the largest {largest}");
            lines.push(("record size", text));
        }
        if walked.unreadable > 0 {
            lines.push(("no sessions", format!("{} keys", thousands(walked.unreadable))));
        }
    }
    let mut text = format!("{}\n\n", told.place);
    text.extend(lines.iter().map(|(name, value)| format!("{name:<12} {value}\n")));
    if let Some(walked) = &told.walked {
        text += &bars("created", &walked.ages);
        text += &bars("last seen", &walked.idle);
    }
    text
}

fn server(told: &Told, name: &str) -> String {
    told.server.get(name).map_or_else(|| "unknown".to_owned(), |value| shown(value))
}

fn memory(told: &Told) -> String {
    let amount = |name| told.server.get(name).and_then(|it| it.parse().ok()).map(HumanBytes);
    match (amount("used_memory"), amount("maxmemory")) {
        (Some(used), Some(HumanBytes(0))) => format!("{used}, without a bound"),
        (Some(used), Some(most)) => format!("{used} of {most}"),
        _ => "unknown".to_owned(),
    }
}

/// How many sessions are how old, from the first group to the last that has any.
fn bars(title: &str, ages: &Ages) -> String {
    let groups = ages.groups();
    let Some(last) = groups.iter().rposition(|group| group.sessions > 0) else {
        return String::new();
    };
    let most = groups.iter().map(|group| group.sessions).max().unwrap_or(0).max(1);
    let mut text = format!("\n{title}\n");
    for (at, group) in groups.iter().enumerate().take(last + 1) {
        let before = at.checked_sub(1).and_then(|at| groups.get(at));
        let length = (group.sessions * BAR).div_ceil(most) as usize;
        let (name, bar) = (name(before, group), "█".repeat(length));
        let line = format!("  {name:<20} {:>11}  {bar}", thousands(group.sessions));
        text += line.trim_end();
        text.push('\n');
    }
    text
}

fn name(before: Option<&Group>, group: &Group) -> String {
    let words = |seconds| humantime::format_duration(Duration::from_secs(seconds)).to_string();
    match (before.and_then(|before| before.below_seconds), group.below_seconds) {
        (_, Some(end)) => format!("less than {} ago", words(end)),
        (Some(begin), None) => format!("{} ago or more", words(begin)),
        (None, None) => "at any time".to_owned(),
    }
}
