//! Parallel requests of one visitor: no update is lost, no counter is wrong.

use std::sync::Arc;

use cloakroom::{Answer, MemorySessionStorage, SessionError};
use cloakroom_testkit::ManualClock;
use tokio::task::JoinSet;

use crate::house::House;
use crate::storages::Moody;

#[tokio::test]
async fn requests_that_change_different_fields_both_survive_in_either_order() {
    for reversed in [false, true] {
        let house = House::new();
        let cookie = house.visitor().await;
        let mut scopes = Vec::new();
        for name in ["left", "right"] {
            let scope = house.begin(&cookie);
            scope.handle().load().await.unwrap().insert(name, name).unwrap();
            scopes.push(scope);
        }
        if reversed {
            scopes.reverse();
        }
        for scope in scopes {
            assert!(scope.finish(Answer::Ordinary).await.unwrap().into_cookie().is_none());
        }
        let mut names = house.look(&cookie, |session| session.field_names()).await;
        names.sort();
        assert_eq!(names, ["colour", "left", "right"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn updates_lose_no_increment() {
    let house = Arc::new(House::new());
    let cookie = house.visitor().await;
    let mut tasks = JoinSet::new();
    for _ in 0..32 {
        let (house, cookie) = (house.clone(), cookie.clone());
        tasks.spawn(async move {
            for _ in 0..100 {
                let count = |session: &cloakroom::Session| {
                    session.update("count", |old: Option<u32>| old.unwrap_or(0) + 1).unwrap();
                };
                assert!(house.visit(&cookie, count).await.is_none());
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    let count = house.look(&cookie, |session| session.get::<u32>("count").unwrap()).await;
    assert_eq!(count, Some(3200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_parallel_writers_of_different_fields_are_all_kept() {
    let house = Arc::new(House::new());
    for _ in 0..20 {
        let cookie = house.visitor().await;
        let mut tasks = JoinSet::new();
        for number in 0..50 {
            let (house, cookie) = (house.clone(), cookie.clone());
            tasks.spawn(async move {
                let name = format!("field-{number}");
                house.visit(&cookie, |session| session.insert(&name, number).unwrap()).await;
            });
        }
        while let Some(task) = tasks.join_next().await {
            task.unwrap();
        }
        let names = house.look(&cookie, |session| session.field_names()).await;
        assert_eq!(names.len(), 51);
    }
}

#[tokio::test]
async fn what_waits_for_a_commit_goes_out_together_in_the_next_one() {
    let moody = Moody::new(MemorySessionStorage::new());
    let house = House::on(moody.clone(), ManualClock::new(), |_| {});
    let cookie = house.visitor().await;
    let mut tasks = JoinSet::new();
    moody.close_gate();
    for number in 0..20 {
        let scope = house.begin(&cookie);
        let session = scope.handle().load().await.unwrap();
        session.update("count", |old: Option<u32>| old.unwrap_or(0) + 1).unwrap();
        session.insert(&format!("field-{number}"), number).unwrap();
        tasks.spawn(scope.finish(Answer::Ordinary));
    }
    // The first commit is at the gate, and everybody else had the time to get in line.
    moody.arrivals(2).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    house.journal.clear();
    moody.open_gate();
    while let Some(finished) = tasks.join_next().await {
        assert!(finished.unwrap().unwrap().into_cookie().is_none());
    }
    assert_eq!(house.look(&cookie, |session| session.get("count").unwrap()).await, Some(20));
    assert_eq!(house.journal.count("asked commit"), 2);
    assert!(house.journal.mentions("requests: 19, attempts: 1"));
}

#[tokio::test]
async fn an_update_that_panics_on_a_newer_value_fails_only_its_own_request() {
    let moody = Moody::new(MemorySessionStorage::new());
    let house = House::on(moody.clone(), ManualClock::new(), |_| {});
    let cookie = house.visitor().await;
    let mut scopes = Vec::new();
    for _ in 0..3 {
        scopes.push(house.begin(&cookie));
    }
    let [leads, panics, waits] = scopes.try_into().unwrap();
    leads.handle().load().await.unwrap().insert("count", 1).unwrap();
    let session = panics.handle().load().await.unwrap();
    let first_time = |old: Option<u32>| match old {
        None => 7,
        Some(_) => panic!("the closure panics on purpose"),
    };
    session.update("count", first_time).unwrap();
    waits.handle().load().await.unwrap().insert("size", 2).unwrap();

    moody.close_gate();
    let (leads, panics, waits) = (
        tokio::spawn(leads.finish(Answer::Ordinary)),
        tokio::spawn(panics.finish(Answer::Ordinary)),
        tokio::spawn(waits.finish(Answer::Ordinary)),
    );
    moody.arrivals(2).await;
    moody.open_gate();
    assert!(leads.await.unwrap().unwrap().into_cookie().is_none());
    assert!(waits.await.unwrap().unwrap().into_cookie().is_none());
    let error = panics.await.unwrap().unwrap_err();
    assert!(matches!(error, SessionError::UpdatePanicked { field } if field == "count"));
    house
        .look(&cookie, |session| {
            assert_eq!(session.get::<u32>("count").unwrap(), Some(1));
            assert_eq!(session.get::<u32>("size").unwrap(), Some(2));
        })
        .await;
}

#[tokio::test]
async fn a_lane_in_which_too_many_wait_refuses_the_next_one() {
    const MAX_WAITING: usize = 1024;
    let moody = Moody::new(MemorySessionStorage::new());
    let house = House::on(moody.clone(), ManualClock::new(), |_| {});
    let cookie = house.visitor().await;
    let mut waiting = Vec::new();
    moody.close_gate();
    for _ in 0..=MAX_WAITING {
        let scope = house.begin(&cookie);
        let session = scope.handle().load().await.unwrap();
        session.update("count", |old: Option<usize>| old.unwrap_or(0) + 1).unwrap();
        waiting.push(tokio::spawn(scope.finish(Answer::Ordinary)));
        tokio::task::yield_now().await;
    }
    moody.arrivals(2).await;
    let scope = house.begin(&cookie);
    scope.handle().load().await.unwrap().insert("one too many", 1).unwrap();
    let refused = scope.finish(Answer::Ordinary).await.unwrap_err();
    assert!(refused.is_transient(), "{refused}");
    moody.open_gate();
    for task in waiting {
        assert!(task.await.unwrap().unwrap().into_cookie().is_none());
    }
    let count = house.look(&cookie, |session| session.get::<usize>("count").unwrap()).await;
    assert_eq!(count, Some(MAX_WAITING + 1));
    assert_eq!(house.engine.background_tasks(), 0);
}
