//! A server that is stopped (SIGSTOP): it accepts everything and answers nothing.

use std::time::{Duration, Instant};

use cloakroom::{Answer, BreakerState, Engine, HealthStatus, LoadOutcome, SessionStorage};
use cloakroom_redis::DEFAULT_LOAD_TIMEOUT;
use cloakroom_testkit::{FakeRequest, RedisServer, cookie_pair};

use super::support::{
    GRACE, Readers, SOON, assert_ended_in_time, connect, count, counting, takes_at_most, until,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_longer_than_the_load_timeout_and_nobody_is_forgotten() {
    let server = RedisServer::start().await.unwrap();
    let storage = connect(&server).await;
    storage.set("ann", &counting(7), None).await.unwrap();
    let readers = Readers::start(&storage, "ann", 8);
    server.freeze();
    until(async || storage.health().nodes[0].reads == BreakerState::Open).await;
    assert_eq!(storage.health().status, HealthStatus::Unavailable);
    // With the breaker open those who ask do not wait at all.
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.thaw();
    until(async || count(&storage, "ann").await.is_ok()).await;
    let told = readers.end().await;
    assert_ended_in_time(&told, DEFAULT_LOAD_TIMEOUT + GRACE);
    for told in &told {
        match &told.outcome {
            Ok(found) => assert_eq!(*found, Some(7)),
            Err(error) => assert!(error.is_transient(), "{error}"),
        }
    }
    let refused = told.iter().filter(|told| told.outcome.is_err()).count();
    assert!(refused > 8, "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_and_writes_go_on_soon_after_the_thaw() {
    let server = RedisServer::start().await.unwrap();
    let storage = connect(&server).await;
    storage.set("ann", &counting(7), None).await.unwrap();
    takes_at_most(SOON, async || {
        let readers = Readers::start(&storage, "ann", 4);
        server.freeze();
        until(async || storage.health().nodes[0].reads == BreakerState::Open).await;
        tokio::time::sleep(Duration::from_millis(1500)).await;
        server.thaw();
        let thawed = Instant::now();
        until(async || count(&storage, "ann").await.is_ok()).await;
        until(async || storage.set("ann", &counting(7), None).await.is_ok()).await;
        let took = thawed.elapsed();
        readers.end().await;
        until(async || storage.health().status == HealthStatus::Healthy).await;
        took
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_keeps_the_ticket_and_the_session() {
    let server = RedisServer::start().await.unwrap();
    let engine = Engine::builder(connect(&server).await).build().unwrap();
    let scope = engine.begin(&FakeRequest::new());
    scope.handle().load().await.unwrap().insert("count", 7).unwrap();
    let cookie = scope.finish(Answer::Ordinary).await.unwrap().into_cookie().unwrap();
    let visitor = FakeRequest::new().cookie(cookie_pair(&cookie));

    server.freeze();
    for _ in 0..8 {
        let scope = engine.begin(&visitor);
        let error = scope.handle().outcome().await.unwrap_err();
        assert!(error.is_transient(), "{error}");
        let finished = scope.finish(Answer::ServerError).await.unwrap();
        assert!(finished.into_cookie().is_none());
    }
    server.thaw();
    until(async || {
        let scope = engine.begin(&visitor);
        match scope.handle().outcome().await {
            Ok(outcome) => {
                assert_eq!(outcome, LoadOutcome::Found);
                true
            }
            Err(_) => false,
        }
    })
    .await;
}
