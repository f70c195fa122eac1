//! Every event moves its metrics, and no page of metrics says more than it may.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::time::Duration;

use cloakroom::{
    BreakerState, Event, Observer, Operation, Rejection, RevokedBy, SessionError, SessionKey, Side,
    StorageError, StorageErrorKind, Timestamp,
};
use cloakroom_metrics::{METRICS, MetricsObserver};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

const NODE: &str = "cache.example:6379";
const SECOND: Duration = Duration::from_secs(1);

fn observer() -> (MetricsObserver, PrometheusHandle) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let page = recorder.handle();
    (MetricsObserver::with_recorder(recorder), page)
}

/// Has each event observed, and then looks at the page: the event, and a line that it must have
/// brought about beside its own counter, where it tells more than that it happened.
fn each_event(mut look: impl FnMut(&Event<'_>, &str, Option<&str>)) {
    let session = SessionKey::from_name("somebody").public_id();
    let storage = StorageError::new(StorageErrorKind::Unavailable, Operation::Load, "gone");
    let error = SessionError::Storage(storage.clone());
    let (node, side, state) = (NODE, Side::Writes, BreakerState::HalfOpen);
    let asked = Event::Asked { operation: Operation::Load, took: SECOND, error: Some(&storage) };
    let events = [
        (asked, Some(r#"cloakroom_storage_errors_total{operation="load",kind="unavailable"} 1"#)),
        (Event::Found { session }, None),
        (
            Event::Rejected { session, reason: Rejection::Superseded },
            Some(r#"cloakroom_rejections_total{reason="superseded"} 1"#),
        ),
        (Event::MalformedTicket, None),
        (Event::TooManyCookies, None),
        (Event::Created { session }, None),
        (
            Event::Committed { session, requests: 3, attempts: 2 },
            Some("cloakroom_commit_requests_total 3"),
        ),
        (
            Event::NotCommitted { session, error: &SessionError::Gone },
            Some(r#"cloakroom_not_committed_total{reason="gone"} 1"#),
        ),
        (Event::Rotated { session }, None),
        (Event::MovedIn { session }, None),
        (Event::SignedIn { session }, None),
        (Event::Destroyed { session }, None),
        (
            Event::Revoked { session, by: RevokedBy::Limit },
            Some(r#"cloakroom_revocations_total{by="limit"} 1"#),
        ),
        (
            Event::RevocationPending { session, by: RevokedBy::Request },
            Some(r#"cloakroom_revocations_total{by="request"} 1"#),
        ),
        (
            Event::RevokedBefore { moment: Timestamp::from_millis(1), ended: 900 },
            Some(r#"cloakroom_revocations_total{by="before"} 900"#),
        ),
        (Event::SignInRefused { session, limit: 3 }, None),
        (Event::LimitNotKept { session, error: &storage }, None),
        (Event::DestroyPending { session }, None),
        (
            Event::DestroyApplied { session, pending: SECOND },
            Some("cloakroom_removal_pending_seconds_sum 1"),
        ),
        (Event::DestroyExpired { session }, None),
        (Event::JournalFull { session }, None),
        (
            Event::ChangesLost { session, error: &error },
            Some(r#"cloakroom_changes_lost_total{reason="unavailable"} 1"#),
        ),
        (
            Event::BreakerChanged { node, side, state },
            Some(
                r#"cloakroom_breaker_changes_total{node="cache.example:6379",side="writes",state="half_open"} 1"#,
            ),
        ),
        (
            Event::ConnectionLost { node, reason: "it broke" },
            Some(r#"cloakroom_connections_lost_total{node="cache.example:6379"} 1"#),
        ),
        (
            Event::ConnectionRestored { node, outage: SECOND },
            Some(r#"cloakroom_connection_outage_seconds_sum{node="cache.example:6379"} 1"#),
        ),
        (
            Event::PrimaryChanged { node },
            Some(r#"cloakroom_primary_changes_total{node="cache.example:6379"} 1"#),
        ),
        (Event::Touched { session }, None),
        (Event::TouchSkipped { session }, None),
        (Event::Discarded { session: Some(session) }, None),
        (Event::PlainHttp, None),
    ];
    let names: Vec<_> = events.iter().map(|(event, _)| event.name()).collect();
    assert_eq!(names, Event::NAMES, "this test has a sample of every event");
    for (event, line) in &events {
        let (observer, page) = observer();
        observer.observe(event);
        look(event, &page.render(), *line);
    }
}

fn has_line(page: &str, line: &str) -> bool {
    page.lines().any(|found| found == line)
}

#[test]
fn every_event_is_counted_under_its_name_and_no_other() {
    each_event(|event, page, _| {
        for name in Event::NAMES {
            let count = u8::from(event.name() == *name);
            let line = format!("cloakroom_events_total{{event=\"{name}\"}} {count}");
            assert!(has_line(page, &line), "no line {line} in\n{page}");
        }
    });
}

#[test]
fn what_an_event_tells_beside_its_name_is_measured() {
    each_event(|_, page, line| {
        if let Some(line) = line {
            assert!(has_line(page, line), "no line {line} in\n{page}");
        }
    });
}

#[test]
fn an_answer_counts_with_its_duration_and_a_commit_with_its_attempts() {
    let (observer, page) = observer();
    for took in [SECOND, 3 * SECOND] {
        observer.observe(&Event::Asked { operation: Operation::Commit, took, error: None });
    }
    let session = SessionKey::from_name("somebody").public_id();
    observer.observe(&Event::Committed { session, requests: 1, attempts: 4 });
    let page = page.render();
    for line in [
        r#"cloakroom_storage_duration_seconds_sum{operation="commit"} 4"#,
        r#"cloakroom_storage_duration_seconds_count{operation="commit"} 2"#,
        "cloakroom_commit_attempts_total 4",
    ] {
        assert!(has_line(&page, line), "no line {line} in\n{page}");
    }
    assert!(!page.contains("errors_total{"), "nothing failed:\n{page}");
}

#[test]
fn no_page_names_a_session_and_none_has_a_metric_that_is_not_listed() {
    let session = SessionKey::from_name("somebody").public_id().to_string();
    each_event(|_, page, _| {
        assert!(!page.contains(&session), "{page}");
        for line in page.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let name = line.split(' ').next().unwrap();
            assert!(METRICS.iter().any(|metric| metric.name == name), "{name} is not listed");
        }
    });
}
