//! Random histories and races: the Redis storage does what the model does, step by step.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::sync::Arc;

use cloakroom_redis::RedisSessionStorage;
use cloakroom_testkit::RedisServer;
use cloakroom_testkit::model::{RealTime, follow, histories, race};
use proptest::prelude::*;
use tokio::runtime::Runtime;

async fn connect(server: &RedisServer) -> RedisSessionStorage {
    let builder = RedisSessionStorage::builder().url(server.url()).pool_size(3);
    // Not what the model is about, and a busy machine is no reason to fail.
    let patience = std::time::Duration::from_secs(2);
    let builder = builder.load_timeout(patience).commit_timeout(patience);
    builder.touch_timeout(patience).destroy_timeout(patience).build().await.unwrap()
}

#[test]
fn random_histories_give_the_answers_of_the_model() {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(RedisServer::start()).unwrap();
    let storage = runtime.block_on(connect(&server));
    let settings = ProptestConfig { cases: 128, failure_persistence: None, ..Default::default() };
    proptest!(settings, |(history in histories())| {
        let same = runtime.block_on(follow(&storage, &RealTime, &history));
        prop_assert!(same.is_ok(), "{}", same.unwrap_err());
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_writers_form_one_line_and_a_removal_ends_it() {
    let server = RedisServer::start().await.unwrap();
    let storage = Arc::new(connect(&server).await);
    for _ in 0..10 {
        race(storage.clone(), 8, 30).await;
    }
}
