//! [`Outcome`]: the report of an import, for people and for machines. Names come from a foreign
//! storage, so people are shown them as a terminal may show them.

use cloakroom_import::Report;
use serde::Serialize;

use crate::shown::shown;

#[derive(Serialize)]
pub(super) struct Outcome {
    dry_run: bool,
    read: u64,
    written: u64,
    with_owner: u64,
    present: u64,
    ended: u64,
    owner_full: u64,
    expired: u64,
    empty: u64,
    unreadable: Vec<Unreadable>,
    left_behind: Vec<LeftBehind>,
    began_anew: bool,
    resume: Option<String>,
}

#[derive(Serialize)]
struct Unreadable {
    reason: String,
    count: u64,
    examples: Vec<String>,
}

#[derive(Serialize)]
struct LeftBehind {
    field: String,
    class: String,
    count: u64,
}

impl Outcome {
    pub(super) fn of(report: &Report, dry_run: bool) -> Self {
        let unreadable = report.unreadable.iter().map(|(why, tally)| Unreadable {
            reason: why.to_string(),
            count: tally.count,
            examples: tally.examples.clone(),
        });
        let left_behind = report.left_behind.iter().map(|((field, class), count)| LeftBehind {
            field: field.clone(),
            class: class.clone(),
            count: *count,
        });
        Self {
            dry_run,
            read: report.read,
            written: report.written,
            with_owner: report.with_owner,
            present: report.present,
            ended: report.ended,
            owner_full: report.owner_full,
            expired: report.expired,
            empty: report.empty,
            unreadable: unreadable.collect(),
            left_behind: left_behind.collect(),
            began_anew: report.began_anew,
            resume: report.resume.as_ref().map(ToString::to_string),
        }
    }

    pub(super) fn text(&self) -> String {
        let written = if self.dry_run { "would be written" } else { "written" };
        let mut lines = vec![
            format!("{:>10}  read", self.read),
            format!("{:>10}  {written}, {} of them signed in", self.written, self.with_owner),
            format!("{:>10}  there already", self.present),
            format!(
                "{:>10}  noted before and not there: ended, or an import was cut off",
                self.ended
            ),
            format!("{:>10}  not written: the owner has too many sessions", self.owner_full),
            format!("{:>10}  expired", self.expired),
            format!("{:>10}  without content", self.empty),
            format!("{:>10}  unreadable", self.unreadable.iter().map(|it| it.count).sum::<u64>()),
        ];
        for Unreadable { reason, count, examples } in &self.unreadable {
            lines.push(format!("{count:>14}  {reason}: {}", shown(&examples.join(", "))));
        }
        if !self.left_behind.is_empty() {
            lines.push("left out of what is written, because it is no JSON:".to_owned());
        }
        for LeftBehind { field, class, count } in &self.left_behind {
            lines.push(format!("{count:>14}  {}: {}", shown(field), shown(class)));
        }
        if self.began_anew {
            lines.push(
                "the cursor was of servers that are not what they were, so it began anew"
                    .to_owned(),
            );
        }
        if let Some(cursor) = &self.resume {
            lines.push(format!("go on with: --resume {}", shown(cursor)));
        }
        lines.join("\n") + "\n"
    }
}
