//! Reads expressions of PromQL as far as needed to tell whether they ask for what exists.

use cloakroom_metrics::{Kind, METRICS, Metric};

/// Labels that Prometheus adds itself.
const OF_PROMETHEUS: [&str; 3] = ["job", "instance", "le"];

/// Whether every metric in an expression is one of ours, and has every label that it is asked for.
pub(crate) fn check(expression: &str) -> Result<(), String> {
    let mut rest = expression;
    while let Some(at) = rest.find("cloakroom_") {
        let end =
            rest[at..].find(|letter: char| !is_word(letter)).map_or(rest.len(), |end| at + end);
        let (name, after) = (&rest[at..end], &rest[end..]);
        let metric = metric(name)?;
        if let Some((matchers, _)) = after.strip_prefix('{').and_then(|it| it.split_once('}')) {
            for matcher in matchers.split(',').filter(|matcher| !matcher.trim().is_empty()) {
                let label = matcher.trim().split(['=', '!']).next().unwrap_or_default();
                has_label(metric, label)?;
            }
        }
        rest = after;
    }
    let known = |label: &str| METRICS.iter().any(|metric| has_label(metric, label).is_ok());
    for group in expression.split("by (").skip(1).filter_map(|rest| rest.split(')').next()) {
        if let Some(label) = group.split(',').map(str::trim).find(|label| !known(label)) {
            return Err(format!("no metric has the label {label}"));
        }
    }
    Ok(())
}

/// The metrics that an expression asks for.
#[allow(dead_code, reason = "not every test that includes this needs it")]
pub(crate) fn metrics_in(expression: &str) -> Vec<&'static Metric> {
    let words = expression.split(|letter: char| !is_word(letter));
    words.filter_map(|word| metric(word).ok()).collect()
}

/// The expressions of alerting rules, each on one line behind `expr:`.
#[allow(dead_code, reason = "not every test that includes this needs it")]
pub(crate) fn expressions_of_rules(rules: &str) -> Vec<String> {
    let lines = rules.lines().filter_map(|line| line.trim().strip_prefix("expr: "));
    lines.map(str::to_owned).collect()
}

/// The metric that a series belongs to. A histogram is three series, none of which has its name.
fn metric(series: &str) -> Result<&'static Metric, String> {
    for metric in METRICS {
        let is_histogram = metric.kind == Kind::Histogram;
        match series.strip_prefix(metric.name) {
            Some("_bucket" | "_sum" | "_count") if is_histogram => return Ok(metric),
            Some("") if is_histogram => {
                return Err(format!("{series} needs _bucket, _sum or _count"));
            }
            Some("") => return Ok(metric),
            _ => {}
        }
    }
    Err(format!("there is no metric {series}"))
}

fn has_label(metric: &Metric, label: &str) -> Result<(), String> {
    match metric.labels.contains(&label) || OF_PROMETHEUS.contains(&label) {
        true => Ok(()),
        false => Err(format!("{} has no label {label}", metric.name)),
    }
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}
