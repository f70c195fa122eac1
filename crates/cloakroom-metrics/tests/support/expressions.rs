//! Whether an expression of PromQL asks for what exists, and makes of it what can be shown: labels that
//! are there at that place, rates of counters and of nothing else.

use std::collections::BTreeSet;

use cloakroom_metrics::{Kind, METRICS, Metric};

use super::promql::{Expression, Time};

/// Labels that Prometheus adds to every series.
const OF_PROMETHEUS: [&str; 2] = ["job", "instance"];

/// What an expression comes to.
#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    /// The labels that tell its series apart; none of a number.
    labels: Option<BTreeSet<String>>,
    nature: Nature,
}

/// How its values behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nature {
    /// They are what they are at this moment.
    Level,
    /// They only grow, and begin anew with each process: only their rate tells something.
    Growing,
    /// What either was over a time.
    Range(Kind),
}

/// Whether every metric in an expression is one of ours, has every label that it is asked for, and is
/// shown as its kind has to be. Answers the labels of what comes out.
pub(crate) fn check(expression: &str) -> Result<BTreeSet<String>, String> {
    let outcome = outcome(&Expression::read(expression)?)?;
    match outcome.nature {
        Nature::Level => Ok(outcome.labels.unwrap_or_default()),
        Nature::Growing => Err("it shows a counter and not its rate".to_owned()),
        Nature::Range(_) => Err("it shows a time and not a moment".to_owned()),
    }
}

/// The metrics that an expression asks for.
#[allow(dead_code, reason = "not every test that includes this needs it")]
pub(crate) fn metrics_in(expression: &str) -> Vec<&'static Metric> {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let words = expression.split(|letter: char| !is_word(letter));
    words.filter_map(|word| metric(word).ok()).collect()
}

/// The expressions of alerting rules, each on one line behind `expr:`.
#[allow(dead_code, reason = "not every test that includes this needs it")]
pub(crate) fn expressions_of_rules(rules: &str) -> Vec<String> {
    let lines = rules.lines().filter_map(|line| line.trim().strip_prefix("expr: "));
    lines.map(str::to_owned).collect()
}

fn outcome(expression: &Expression) -> Result<Outcome, String> {
    match expression {
        Expression::Number(_) => Ok(Outcome { labels: None, nature: Nature::Level }),
        Expression::Word(word) => Err(format!("{word} is none of our metrics")),
        Expression::Series { name, matched, over } => series(name, matched, *over),
        Expression::Call { name, by, arguments } => call(name, by.as_deref(), arguments),
        Expression::Pair { left, operator, on, right } => {
            pair(&outcome(left)?, operator, on.as_deref(), &outcome(right)?, right)
        }
    }
}

fn series(name: &str, matched: &[String], over: Time) -> Result<Outcome, String> {
    let metric = metric(name)?;
    let mut labels: BTreeSet<_> = metric.labels.iter().chain(&OF_PROMETHEUS).copied().collect();
    if name.ends_with("_bucket") {
        labels.insert("le");
    }
    let labels = labels.into_iter().map(str::to_owned).collect();
    all_in(matched, &labels, name)?;
    let nature = match (over, metric.kind) {
        (Time::Range, kind) => Nature::Range(kind),
        (Time::Moment, Kind::Gauge) => Nature::Level,
        (Time::Moment, Kind::Counter | Kind::Histogram) => Nature::Growing,
    };
    Ok(Outcome { labels: Some(labels), nature })
}

fn call(name: &str, by: Option<&[String]>, arguments: &[Expression]) -> Result<Outcome, String> {
    match (name, by, arguments) {
        ("sum" | "min" | "max", by, [of]) => {
            let of = outcome(of)?;
            let from = of.labels.ok_or_else(|| format!("{name} of a number"))?;
            let by = by.unwrap_or_default();
            all_in(by, &from, "what is summed up")?;
            Ok(Outcome { labels: Some(by.iter().cloned().collect()), nature: of.nature })
        }
        ("rate" | "increase", None, [of]) => match outcome(of)? {
            Outcome { nature: Nature::Range(Kind::Gauge), .. } => Err(format!("{name} of a gauge")),
            Outcome { labels, nature: Nature::Range(_) } => {
                Ok(Outcome { labels, nature: Nature::Level })
            }
            _ => Err(format!("{name} of a moment")),
        },
        ("histogram_quantile", None, [Expression::Number(_), of]) => {
            let Outcome { labels, nature } = outcome(of)?;
            let mut labels = labels.unwrap_or_default();
            if !labels.remove("le") {
                return Err("a quantile needs le".to_owned());
            }
            Ok(Outcome { labels: Some(labels), nature })
        }
        ("abs", None, [of]) => outcome(of),
        ("vector", None, [Expression::Number(_)]) => {
            Ok(Outcome { labels: Some(BTreeSet::new()), nature: Nature::Level })
        }
        ("label_values", None, [of, Expression::Word(label)]) => {
            let labels = outcome(of)?.labels.unwrap_or_default();
            all_in(std::slice::from_ref(label), &labels, "the values")?;
            Ok(Outcome { labels: Some(labels), nature: Nature::Level })
        }
        _ => Err(format!("{name} is not known here")),
    }
}

fn pair(
    left: &Outcome,
    operator: &str,
    on: Option<&[String]>,
    right: &Outcome,
    number: &Expression,
) -> Result<Outcome, String> {
    for side in [left, right] {
        if let (Some(on), Some(labels)) = (on, &side.labels) {
            all_in(on, labels, operator)?;
        }
    }
    let labels = match (&left.labels, &right.labels) {
        (None, other) | (other, None) => other.clone(),
        (left, _) if on.is_some() || operator == "or" => left.clone(),
        (left, right) if left == right => left.clone(),
        (left, right) => return Err(format!("{left:?} {operator} {right:?} never meet")),
    };
    let growing = [left, right].iter().any(|side| side.nature != Nature::Level);
    // Whether something has ever happened can be asked of a counter itself.
    let has_happened = operator == ">" && *number == Expression::Number(0.0);
    let nature = if growing && !has_happened { Nature::Growing } else { Nature::Level };
    Ok(Outcome { labels, nature })
}

fn all_in(asked: &[String], labels: &BTreeSet<String>, place: &str) -> Result<(), String> {
    match asked.iter().find(|label| !labels.contains(*label)) {
        Some(label) => Err(format!("{place} has no label {label}")),
        None => Ok(()),
    }
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
