//! What requests cost: nothing that they do not use.

use std::sync::Arc;
use std::time::Duration;

use cloakroom::Answer;

use crate::house::House;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_handler_that_ignores_the_session_asks_nothing() {
    let house = House::new();
    let cookie = house.visitor().await;
    house.journal.clear();
    let scope = house.begin(&cookie);
    assert!(!scope.was_used());
    assert!(scope.finish(Answer::Ordinary).await.unwrap().into_cookie().is_none());
    drop(house.begin(&cookie));
    house.drain().await;
    assert!(house.journal.asked().is_empty());
}

#[tokio::test]
async fn a_read_is_one_load_and_a_write_one_load_and_one_commit() {
    let house = House::new();
    let cookie = house.visitor().await;
    house.journal.clear();
    for _ in 0..3 {
        house.visit(&cookie, |session| drop(session.get::<String>("colour").unwrap())).await;
    }
    house.drain().await;
    assert_eq!(house.journal.asked(), ["load"; 3], "steady reads of a fresh session touch nothing");
    house.journal.clear();
    house.visit(&cookie, |session| session.insert("size", 7).unwrap()).await;
    assert_eq!(house.journal.asked(), ["load", "commit"]);
}

#[tokio::test]
async fn a_session_in_use_is_touched_when_less_than_half_is_left() {
    let house = House::new();
    let cookie = house.visitor().await;
    house.clock.advance(15 * MINUTE);
    house.visit(&cookie, |_| {}).await;
    house.drain().await;
    assert_eq!(house.journal.count("asked touch"), 0, "half is not less than half");
    let before = house.record(&cookie).await.unwrap();

    house.clock.advance(Duration::from_millis(1));
    house.visit(&cookie, |_| {}).await;
    house.drain().await;
    assert_eq!((house.journal.count("asked touch"), house.journal.count("Touched")), (1, 1));
    let after = house.record(&cookie).await.unwrap();
    assert_eq!(after.idle_deadline(), after.as_of() + 30 * MINUTE);
    assert_eq!(after.generation(), before.generation(), "the payload is not rewritten");
    assert_eq!(after.absolute_deadline(), before.absolute_deadline());
}

#[tokio::test]
async fn fifty_parallel_reads_of_one_session_touch_it_once() {
    let house = House::new();
    let cookie = house.visitor().await;
    house.clock.advance(20 * MINUTE);
    let mut scopes = Vec::new();
    for _ in 0..50 {
        let scope = house.begin(&cookie);
        scope.handle().load().await.unwrap();
        scopes.push(scope);
    }
    for scope in scopes {
        assert!(scope.finish(Answer::Ordinary).await.unwrap().into_cookie().is_none());
    }
    house.drain().await;
    assert_eq!((house.journal.count("asked touch"), house.journal.count("Touched")), (1, 1));
    assert_eq!(house.journal.count("TouchSkipped"), 49);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_reads_on_several_threads_extend_the_session_once() {
    let house = Arc::new(House::new());
    let cookie = house.visitor().await;
    house.clock.advance(20 * MINUTE);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (house, cookie) = (house.clone(), cookie.clone());
        tasks.spawn(async move { house.visit(&cookie, |_| {}).await });
    }
    while let Some(visit) = tasks.join_next().await {
        assert!(visit.unwrap().is_none());
    }
    house.drain().await;
    assert_eq!(house.journal.count("Touched"), 1);
}

#[tokio::test]
async fn a_write_renews_the_lifetime_without_a_touch() {
    let house = House::new();
    let cookie = house.visitor().await;
    house.clock.advance(20 * MINUTE);
    house.visit(&cookie, |session| session.insert("size", 7).unwrap()).await;
    house.drain().await;
    assert_eq!(house.journal.count("asked touch"), 0);
    let record = house.record(&cookie).await.unwrap();
    assert_eq!(record.idle_deadline(), record.as_of() + 30 * MINUTE);
}
