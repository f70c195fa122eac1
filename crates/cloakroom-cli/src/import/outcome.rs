//! The report of an import as text and as JSON. Names come from a foreign storage, so what would
//! move a terminal's cursor is not printed.

use cloakroom_import::Report;
use serde_json::{Value, json};

pub(super) fn text(report: &Report, dry_run: bool) -> String {
    let written = if dry_run { "would be written" } else { "written" };
    let mut lines = vec![
        format!("{:>10}  read", report.read),
        format!("{:>10}  {written}, {} of them signed in", report.written, report.with_owner),
        format!("{:>10}  there already", report.present),
        format!("{:>10}  ended since they were imported", report.ended),
        format!("{:>10}  not written: the owner has too many sessions", report.owner_full),
        format!("{:>10}  expired", report.expired),
        format!("{:>10}  without content", report.empty),
        format!("{:>10}  unreadable", report.unreadable_keys()),
    ];
    for (why, tally) in &report.unreadable {
        let examples = plain(&tally.examples.join(", "));
        lines.push(format!("{:>14}  {why}: {examples}", tally.count));
    }
    if !report.left_behind.is_empty() {
        lines.push("left out of what is written, because it is no JSON:".to_owned());
    }
    for ((field, class), count) in &report.left_behind {
        lines.push(format!("{count:>14}  {}: {}", plain(field), plain(class)));
    }
    if let Some(cursor) = &report.resume {
        lines.push(format!("go on with: --resume {cursor}"));
    }
    lines.join("\n")
}

pub(super) fn json(report: &Report, dry_run: bool) -> String {
    let unreadable = report.unreadable.iter().map(|(why, tally)| {
        json!({ "reason": why.to_string(), "count": tally.count, "examples": tally.examples })
    });
    let left_behind = report
        .left_behind
        .iter()
        .map(|((field, class), count)| json!({ "field": field, "class": class, "count": count }));
    json!({
        "dry_run": dry_run,
        "read": report.read,
        "written": report.written,
        "with_owner": report.with_owner,
        "present": report.present,
        "ended": report.ended,
        "owner_full": report.owner_full,
        "expired": report.expired,
        "empty": report.empty,
        "unreadable": unreadable.collect::<Value>(),
        "left_behind": left_behind.collect::<Value>(),
        "resume": report.resume.as_ref().map(ToString::to_string),
    })
    .to_string()
}

fn plain(text: &str) -> String {
    text.replace(char::is_control, "?")
}
