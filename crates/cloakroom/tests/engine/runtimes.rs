//! Requests that are served in another runtime than that in which the engine was built: each of
//! actix-web's workers has one of its own, and so has each test that shares an engine with others.
//! Neither may lose anything by the end of the other.

use std::thread;
use std::time::Duration;

use cloakroom::{Answer, LoadOutcome, MemorySessionStorage, Rejection, RequestScope};
use cloakroom_testkit::ManualClock;
use tokio::runtime::{Builder, Runtime};

use crate::house::House;
use crate::storages::Moody;

/// What has not been done by then never will be.
const LIMIT: Duration = Duration::from_secs(20);

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Serves something in a runtime that ends at once when `request` is done, with whatever it had no
/// time for.
fn in_a_worker<F: Future<Output = ()>>(request: impl FnOnce() -> F + Send + 'static) {
    thread::spawn(move || runtime().block_on(request())).join().unwrap();
}

fn moody_house(commit_timeout: Duration) -> (House, Moody) {
    let clock = ManualClock::new();
    let memory = MemorySessionStorage::builder().clock(clock.clone()).build().unwrap();
    let storage = Moody::new(memory);
    let house = House::on(storage.clone(), clock, |policy| policy.commit_timeout = commit_timeout);
    (house, storage)
}

/// The end of a request that has changed its session.
async fn repaint(scope: RequestScope) {
    scope.handle().load().await.unwrap().insert("colour", "red").unwrap();
    drop(scope.finish(Answer::Ordinary).await.unwrap());
}

async fn colour(house: &House, cookie: &cloakroom::SetCookie) -> String {
    house.look(cookie, |session| session.get::<String>("colour").unwrap().unwrap()).await
}

/// Signs out in a request that ends without an answer.
async fn abandon_a_sign_out(scope: RequestScope) {
    scope.handle().load().await.unwrap().destroy().unwrap();
    drop(scope);
}

async fn assert_signed_out(house: &House, cookie: &cloakroom::SetCookie) {
    house.drain().await;
    assert_eq!(house.outcome(cookie).await, LoadOutcome::Rejected(Rejection::Unknown));
}

#[tokio::test]
async fn a_sign_out_outlives_the_runtime_of_its_request() {
    let house = House::new();
    let cookie = house.visitor().await;
    let abandoned = house.begin(&cookie);
    in_a_worker(|| abandon_a_sign_out(abandoned));
    assert_signed_out(&house, &cookie).await;
}

#[tokio::test]
async fn a_commit_under_way_outlives_the_runtime_of_its_request() {
    let (house, storage) = moody_house(LIMIT);
    let cookie = house.visitor().await;
    house.journal.clear();
    storage.close_gate();
    let (scope, arrived) = (house.begin(&cookie), storage.clone());
    in_a_worker(async move || {
        tokio::spawn(repaint(scope));
        arrived.arrivals(2).await;
    });
    assert_eq!(house.engine.background_tasks(), 1);
    assert!(!house.engine.drain(Duration::ZERO).await, "a drain waits for it");
    storage.open_gate();
    house.drain().await;
    assert_eq!(colour(&house, &cookie).await, "red");
    assert_eq!(house.journal.count("asked commit"), 1);
    assert_eq!(house.journal.count("asked commit in vain"), 0);
}

#[tokio::test]
async fn a_commit_that_fails_after_the_end_of_its_requests_runtime_is_reported() {
    let (house, storage) = moody_house(Duration::from_millis(100));
    let cookie = house.visitor().await;
    storage.close_gate();
    let (scope, arrived) = (house.begin(&cookie), storage.clone());
    in_a_worker(async move || {
        tokio::spawn(repaint_in_vain(scope));
        arrived.arrivals(2).await;
    });
    house.drain().await;
    assert_eq!(house.journal.count("asked commit in vain"), 1);
    assert_eq!(house.journal.count("NotCommitted"), 1);
}

async fn repaint_in_vain(scope: RequestScope) {
    scope.handle().load().await.unwrap().insert("colour", "red").unwrap();
    scope.finish(Answer::Ordinary).await.unwrap_err();
}

#[test]
fn a_commit_under_way_outlives_the_runtime_of_the_engine() {
    let home = runtime();
    let (house, storage) = home.block_on(async { moody_house(LIMIT) });
    runtime().block_on(async {
        let cookie = house.visitor().await;
        storage.close_gate();
        let request = tokio::spawn(repaint(house.begin(&cookie)));
        storage.arrivals(2).await;
        home.shutdown_background();
        storage.open_gate();
        request.await.unwrap();
        assert_eq!(colour(&house, &cookie).await, "red");
    });
}

#[test]
fn an_engine_whose_runtime_has_ended_still_signs_out() {
    let house = runtime().block_on(async { House::new() });
    runtime().block_on(async {
        let cookie = house.visitor().await;
        abandon_a_sign_out(house.begin(&cookie)).await;
        assert_signed_out(&house, &cookie).await;
    });
}

#[test]
fn an_engine_whose_runtime_has_ended_still_touches() {
    let house = runtime().block_on(async { House::new() });
    runtime().block_on(async {
        let cookie = house.visitor().await;
        house.clock.advance(house.engine.policy().idle_timeout * 3 / 4);
        house.visit(&cookie, |_| {}).await;
        house.drain().await;
        assert_eq!(house.journal.count("Touched"), 1);
    });
}

#[test]
fn an_engine_whose_runtime_has_ended_still_commits_for_those_who_wait() {
    let (house, storage) = runtime().block_on(async { moody_house(LIMIT) });
    runtime().block_on(async {
        let cookie = house.visitor().await;
        storage.close_gate();
        let first = tokio::spawn(repaint(house.begin(&cookie)));
        storage.arrivals(2).await;
        let second = tokio::spawn(repaint(house.begin(&cookie)));
        // Both run in this one thread, so the second has come to the lane when this goes on.
        tokio::task::yield_now().await;
        storage.open_gate();
        first.await.unwrap();
        second.await.unwrap();
        house.drain().await;
        assert_eq!(house.journal.count("asked commit"), 3);
    });
}

/// As where a current-thread runtime is kept for later.
#[test]
fn an_engine_whose_runtime_stands_still_signs_out_all_the_same() {
    let home = runtime();
    let house = home.block_on(async { House::new() });
    runtime().block_on(async {
        let cookie = house.visitor().await;
        abandon_a_sign_out(house.begin(&cookie)).await;
        assert_signed_out(&house, &cookie).await;
    });
}

#[test]
fn a_request_dropped_outside_of_any_runtime_signs_out_all_the_same() {
    let house = House::new();
    let (cookie, abandoned) = runtime().block_on(async {
        let cookie = house.visitor().await;
        let scope = house.begin(&cookie);
        scope.handle().load().await.unwrap().destroy().unwrap();
        (cookie, scope)
    });
    drop(abandoned);
    runtime().block_on(assert_signed_out(&house, &cookie));
}
