//! Many writers of one session that an application sets under a name of its own.

use std::sync::Arc;

use cloakroom::{SessionData, SessionStorage};

use super::direct::holding;
use super::{Fixture, Settings};

const FIELDS: usize = 50;
const COUNTERS: u64 = 8;
const STEPS: u64 = 12;

/// Parallel get, insert and set of different fields: all of them are there in the end.
pub async fn parallel_writers_of_different_fields_keep_all_of_them(fixture: &impl Fixture) {
    let storage = Arc::new(fixture.open(&Settings::default()).await);
    storage.set("ann", &holding("first", "1"), None).await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for at in 0..FIELDS {
        let storage = storage.clone();
        writers.spawn(async move {
            let mut data = storage.get("ann", None).await.unwrap().unwrap();
            data.insert(&format!("field-{at}"), at).unwrap();
            storage.set("ann", &data, None).await.unwrap();
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer.unwrap();
    }
    let data = storage.get("ann", None).await.unwrap().unwrap();
    let kept = (0..FIELDS)
        .filter(|at| data.get::<usize>(&format!("field-{at}")).unwrap() == Some(*at))
        .count();
    assert_eq!(kept, FIELDS);
    assert!(data.contains("first"));
}

/// Closures run again on the newer value, so that a counter loses no step.
pub async fn parallel_updates_lose_no_step(fixture: &impl Fixture) {
    let storage = Arc::new(fixture.open(&Settings::default()).await);
    storage.set("ann", &SessionData::new(), None).await.unwrap();
    let mut counters = tokio::task::JoinSet::new();
    for _ in 0..COUNTERS {
        let storage = storage.clone();
        counters.spawn(async move {
            for _ in 0..STEPS {
                let mut data = storage.get("ann", None).await.unwrap().unwrap();
                data.update("count", |old: Option<u64>| old.unwrap_or(0) + 1).unwrap();
                storage.set("ann", &data, None).await.unwrap();
            }
        });
    }
    while let Some(counter) = counters.join_next().await {
        counter.unwrap();
    }
    let data = storage.get("ann", None).await.unwrap().unwrap();
    assert_eq!(data.get::<u64>("count").unwrap(), Some(COUNTERS * STEPS));
}

/// A delete in the middle of many writers is final for all data that was got before it.
pub async fn a_delete_is_final_under_in_flight_sets(fixture: &impl Fixture) {
    let storage = Arc::new(fixture.open(&Settings::default()).await);
    for round in 0..10 {
        storage.set("ann", &holding("a", "1"), None).await.unwrap();
        let mut writers = tokio::task::JoinSet::new();
        for at in 0..8 {
            let storage = storage.clone();
            let mut data = storage.get("ann", None).await.unwrap().unwrap();
            writers.spawn(async move {
                data.insert(&format!("field-{at}"), at).unwrap();
                // Applied before the delete, or refused after it.
                let _ = storage.set("ann", &data, None).await;
            });
        }
        tokio::task::yield_now().await;
        assert!(storage.delete("ann").await.unwrap(), "round {round}");
        while let Some(writer) = writers.join_next().await {
            writer.unwrap();
        }
        assert!(!storage.exists("ann").await.unwrap(), "round {round}");
    }
}
