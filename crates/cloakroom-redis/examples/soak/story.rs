//! The stories of the sessions that violations are about: everything that was asked with their
//! tickets shortly before, and what was done to the servers meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use cloakroom_testkit::history::{History, Mark, Moment, Verdict};

/// How long before a violation the story begins.
const BEFORE: Duration = Duration::from_secs(15);
/// Of each invariant so many violations are told about.
const TOLD: usize = 2;

/// The stories as text, empty where nothing was violated.
pub(crate) fn stories(history: &History, verdict: &Verdict) -> Vec<String> {
    let violations = verdict.findings().iter().flat_map(|found| {
        found.violations().iter().take(TOLD).map(|violation| (found.invariant(), violation))
    });
    let mut told = Vec::new();
    for (invariant, violation) in violations {
        let Some(last) = violation.entries().last() else { continue };
        let sessions: BTreeSet<_> =
            violation.entries().iter().flat_map(|entry| sessions(&entry.to_string())).collect();
        let from = violation.entries()[0].invoked().max(last.invoked().before(BEFORE));
        let from = from.before(Duration::from_secs(1));
        let to = last.returned() + Duration::from_secs(1);
        told.push(format!("story of {invariant}, {}:", violation.what()));
        told.extend(story(history, &sessions, from, to));
    }
    told
}

fn story(history: &History, sessions: &BTreeSet<String>, from: Moment, to: Moment) -> Vec<String> {
    let mut lines: Vec<(Moment, String)> = history.read(|entries| {
        let met = entries.iter().filter(|entry| entry.returned() >= from && entry.invoked() <= to);
        met.filter_map(|entry| {
            let text = entry.to_string();
            let named = self::sessions(&text).iter().any(|name| sessions.contains(name));
            named.then(|| (entry.invoked(), text))
        })
        .collect()
    });
    let marks = history.marks();
    let marks = marks.iter().filter(|(at, _)| *at >= from && *at <= to);
    lines.extend(marks.map(|(at, mark)| (*at, format!("{at}: {}", words(*mark)))));
    lines.sort_by_key(|(at, _)| *at);
    lines.into_iter().map(|(_, line)| format!("    {line}")).collect()
}

fn words(mark: Mark) -> String {
    match mark {
        Mark::RestoredFrom(moment) => format!("restored from {moment}"),
        mark => mark.name().to_owned(),
    }
}

/// The sessions that an operation's text names.
fn sessions(text: &str) -> Vec<String> {
    let words: Vec<_> = text.split([' ', ',', ':', ')']).collect();
    let named = words.windows(2).filter(|pair| pair[0] == "session");
    named.map(|pair| pair[1].to_owned()).filter(|number| number.parse::<u32>().is_ok()).collect()
}
