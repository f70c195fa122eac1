//! `docs/metrics.md` says what the code does: the same metrics, the same events, and rules that are
//! about metrics that exist.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support {
    pub(crate) mod expressions;
    pub(crate) mod promql;
}

use cloakroom::Event;
use cloakroom_metrics::{Kind, METRICS, Metric};
use support::expressions::{check, expressions_of_rules};

const PAGE: &str = include_str!("../../../docs/metrics.md");

/// A metric's row in the table.
fn row(metric: &Metric) -> String {
    let kind = match metric.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    let unit = metric.unit.map_or("", |unit| unit.as_str());
    let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
    let (name, meaning) = (metric.name, metric.meaning);
    format!("| `{name}` | {kind} | {unit} | {} | {meaning} |", labels.join(", "))
}

#[test]
fn the_table_shows_all_metrics_as_they_are() {
    let wanted: Vec<_> = METRICS.iter().map(row).collect();
    let found: Vec<_> = PAGE.lines().filter(|line| line.starts_with("| `cloakroom_")).collect();
    let table = wanted.join("\n");
    assert_eq!(found, wanted, "the table of docs/metrics.md should be\n{table}\n");
}

#[test]
fn the_page_tells_of_every_event_and_of_no_other() {
    let (_, table) = PAGE.split_once("| event | |\n| --- | --- |\n").unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let found: Vec<_> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();
    assert_eq!(found, Event::NAMES);
}

#[test]
fn every_rule_is_about_metrics_and_labels_that_exist() {
    let (_, rules) = PAGE.split_once("```yaml\n").unwrap();
    let (rules, _) = rules.split_once("\n```").unwrap();
    let expressions = expressions_of_rules(rules);
    assert!(expressions.len() >= 6, "{expressions:?}");
    for expression in expressions {
        check(&expression).unwrap_or_else(|problem| panic!("{expression}: {problem}"));
    }
}

#[test]
fn a_rule_about_what_does_not_exist_is_found_out() {
    for (wrong, problem) in [
        ("rate(cloakroom_nothing_total[5m])", "cloakroom_nothing_total"),
        ("cloakroom_removals_pending_bucket", "cloakroom_removals_pending_bucket"),
        ("cloakroom_rejections_total{owner=\"ada\"}", "owner"),
        ("sum by (person) (cloakroom_connections)", "person"),
        ("sum by (reason) (cloakroom_connections)", "reason"),
        ("sum by (node) (sum by (state) (cloakroom_connections))", "node"),
        ("sum(cloakroom_connections) and on (node) sum by (node) (cloakroom_connections)", "node"),
        ("max by (node) (cloakroom_replicas) / sum(cloakroom_connections)", "never meet"),
        ("sum(rate(cloakroom_connections[5m]))", "gauge"),
        ("sum(rate(cloakroom_events_total))", "moment"),
        ("sum(cloakroom_events_total)", "counter"),
        ("sum(cloakroom_events_total) > 3", "counter"),
        ("cloakroom_storage_duration_seconds_count", "counter"),
        ("cloakroom_connections[5m]", "time"),
        ("histogram_quantile(0.9, sum(rate(cloakroom_removal_pending_seconds_bucket[5m])))", "le"),
        ("average(cloakroom_connections)", "average"),
        ("sum(cloakroom_connections", "expected"),
        ("sum(cloakroom_connections) job", "job"),
        ("rate(cloakroom_storage_duration_seconds[5m])", "_bucket"),
    ] {
        let found = check(wrong).unwrap_err();
        assert!(found.contains(problem), "{wrong}: {found}");
    }
}
