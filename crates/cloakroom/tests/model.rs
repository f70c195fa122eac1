//! The memory storage against the model: random histories, to the millisecond, and races.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::sync::Arc;

use cloakroom::MemorySessionStorage;
use cloakroom_testkit::ManualClock;
use cloakroom_testkit::model::{follow, histories, race};
use proptest::prelude::*;

#[test]
fn the_memory_storage_answers_every_history_as_the_model_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let clock = ManualClock::new();
    let storage = MemorySessionStorage::builder().clock(clock.clone()).build().unwrap();
    proptest!(ProptestConfig::with_cases(400), |(history in histories())| {
        let same = runtime.block_on(follow(&storage, &clock, &history));
        prop_assert!(same.is_ok(), "{}", same.unwrap_err());
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_writers_form_one_line_and_a_removal_ends_it() {
    for _ in 0..20 {
        race(Arc::new(MemorySessionStorage::new()), 8, 100).await;
    }
}
