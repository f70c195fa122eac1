//! The dashboard for Grafana asks for metrics that exist, shows all of them, and has what Grafana
//! needs to load it.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support {
    pub(crate) mod expressions;
    pub(crate) mod promql;
}

use std::collections::BTreeSet;

use cloakroom_metrics::METRICS;
use serde_json::Value;
use support::expressions::{check, metrics_in};

/// The width of Grafana's grid.
const COLUMNS: u64 = 24;

fn dashboard() -> Value {
    serde_json::from_str(include_str!("../../../docs/grafana/cloakroom.json")).unwrap()
}

fn panels(dashboard: &Value) -> &[Value] {
    dashboard["panels"].as_array().unwrap()
}

/// All panels but the headings of rows.
fn charts(dashboard: &Value) -> impl Iterator<Item = &Value> {
    panels(dashboard).iter().filter(|panel| panel["type"] != "row")
}

fn expressions(dashboard: &Value) -> Vec<String> {
    let targets = charts(dashboard).flat_map(|panel| panel["targets"].as_array().unwrap());
    targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_expression_asks_for_metrics_and_labels_that_exist() {
    for expression in expressions(&dashboard()) {
        let metrics = metrics_in(&expression);
        assert!(!metrics.is_empty(), "{expression} asks for nothing of ours");
        check(&expression).unwrap_or_else(|problem| panic!("{expression}: {problem}"));
    }
    for variable in dashboard()["templating"]["list"].as_array().unwrap() {
        if variable["type"] == "query" {
            let query = variable["query"]["query"].as_str().unwrap();
            check(query).unwrap_or_else(|problem| panic!("{query}: {problem}"));
        }
    }
}

#[test]
fn every_legend_names_what_tells_its_lines_apart() {
    for panel in charts(&dashboard()).filter(|panel| panel["type"] == "timeseries") {
        for target in panel["targets"].as_array().unwrap() {
            let (expression, legend) = (&target["expr"], target["legendFormat"].as_str().unwrap());
            let labels = check(expression.as_str().unwrap()).unwrap();
            let named = legend.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap());
            let named: BTreeSet<_> = named.map(|label| label.trim().to_owned()).collect();
            assert_eq!(named, labels, "{legend:?} of {expression}");
        }
    }
}

#[test]
fn a_server_that_is_gone_is_not_one_that_has_lost_something() {
    // A server that is gone is shown with zeros, which are an alarm where less is worse.
    for expression in expressions(&dashboard()).iter().filter(|it| it.starts_with("min by")) {
        assert!(expression.contains(" and on (job, instance, node) "), "{expression}");
    }
    let clock = expressions(&dashboard()).into_iter().find(|it| it.contains("clock_offset"));
    let clock = clock.unwrap();
    assert!(clock.contains("abs("), "behind is as bad as ahead: {clock}");
}

#[test]
fn every_metric_is_shown() {
    let all = expressions(&dashboard()).join("\n");
    let shown: BTreeSet<_> = metrics_in(&all).iter().map(|metric| metric.name).collect();
    for metric in METRICS {
        assert!(shown.contains(metric.name), "{} is on no panel", metric.name);
    }
}

#[test]
fn the_file_is_a_dashboard_that_any_grafana_can_import() {
    let dashboard = dashboard();
    assert!(dashboard["schemaVersion"].as_u64().unwrap() >= 36);
    assert!(dashboard["id"].is_null(), "an id belongs to one installation");
    for field in ["title", "uid"] {
        assert!(!dashboard[field].as_str().unwrap().is_empty());
    }
    assert!(dashboard["time"]["from"].is_string() && dashboard["time"]["to"].is_string());
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let source = &variables[0];
    assert_eq!((&source["name"], &source["type"]), (&"datasource".into(), &"datasource".into()));
    assert_eq!(source["query"], "prometheus");
    for variable in &variables[1..] {
        assert_eq!(variable["datasource"]["uid"], "${datasource}");
    }
}

#[test]
fn every_panel_has_its_own_id_and_place_and_names_its_source() {
    let dashboard = dashboard();
    let ids: BTreeSet<_> = panels(&dashboard).iter().map(|it| it["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels(&dashboard).len(), "each id is there once");
    let mut taken = BTreeSet::new();
    for panel in panels(&dashboard) {
        let title = panel["title"].as_str().unwrap();
        let place = |side: &str| panel["gridPos"][side].as_u64().unwrap();
        let (x, y, w, h) = (place("x"), place("y"), place("w"), place("h"));
        assert!(w > 0 && h > 0 && x + w <= COLUMNS, "{title}");
        for cell in (x..x + w).flat_map(|column| (y..y + h).map(move |line| (column, line))) {
            assert!(taken.insert(cell), "{title} lies on another panel");
        }
    }
    for panel in charts(&dashboard) {
        let title = panel["title"].as_str().unwrap();
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        assert!(panel["fieldConfig"]["defaults"].is_object(), "{title}");
        assert!(panel["options"].is_object(), "{title}");
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{title}");
        let names: BTreeSet<_> = targets.iter().map(|it| it["refId"].as_str().unwrap()).collect();
        assert_eq!(names.len(), targets.len(), "{title}");
    }
}
