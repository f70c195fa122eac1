//! The list of metrics keeps the conventions of Prometheus.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;

use cloakroom_metrics::{Kind, METRICS};

#[test]
fn names_follow_the_conventions_of_prometheus() {
    for metric in METRICS {
        let name = metric.name;
        assert!(name.starts_with("cloakroom_"), "{name}");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        assert_eq!(name.ends_with("_total"), metric.kind == Kind::Counter, "{name}");
        let unit = metric.unit.map(|unit| format!("_{}", unit.as_str()));
        let has_unit = ["_seconds", "_bytes"].into_iter().find(|unit| name.ends_with(unit));
        assert_eq!(unit.as_deref(), has_unit, "{name}");
        assert_eq!(metric.buckets.is_empty(), metric.kind != Kind::Histogram, "{name}");
        assert!(metric.buckets.is_sorted(), "{name}");
        assert!(!metric.meaning.ends_with('.') && !metric.meaning.contains('|'), "{name}");
    }
    let names: BTreeSet<_> = METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), METRICS.len(), "each name is there once");
}

#[test]
fn labels_are_few_and_none_can_name_a_person_or_a_session() {
    let allowed = ["by", "event", "kind", "node", "operation", "reason", "side", "state", "status"];
    for metric in METRICS {
        assert!(metric.labels.iter().all(|label| allowed.contains(label)), "{}", metric.name);
    }
}
