//! How long the server stood still when it last copied itself, to save or to fill a replica.

use std::time::Duration;

use super::facts::time;
use super::finding::{Finding, Topic};
use super::visit::Visit;

/// As long as a load may take.
const LONG: Duration = Duration::from_millis(250);

/// What is felt.
const NOTABLE: Duration = Duration::from_millis(50);

pub(super) fn find(visit: &Visit<'_>) -> Vec<Finding> {
    let Some(info) = &visit.info else { return Vec::new() };
    let Some(micros) = info.number("latest_fork_usec") else { return Vec::new() };
    let took = Duration::from_micros(micros);
    let text = format!("it stood still for {} when it last copied itself", time(took));
    let remedy = "give the machine less to copy: more primaries with less data each, no huge pages, \
                  memory that is not shared with other programs";
    vec![match took {
        Duration::ZERO => Finding::ok(Topic::Forks, "it has not copied itself since its start"),
        took if took >= LONG => Finding::warning(Topic::Forks, text).remedy(remedy),
        took if took >= NOTABLE => Finding::info(Topic::Forks, text).remedy(remedy),
        _ => Finding::ok(Topic::Forks, text),
    }]
}
