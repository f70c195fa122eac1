//! A server that is killed (SIGKILL) and started again with what lies on its disk.

use std::time::{Duration, Instant};

use cloakroom::{BreakerState, SessionKey, SessionStorage, StorageErrorKind};
use cloakroom_redis::DEFAULT_LOAD_TIMEOUT;
use cloakroom_testkit::{Persistence, RedisServer};

use super::support::{
    GRACE, Readers, SOON, assert_ended_in_time, connect, count, counting, takes_at_most, until,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_acknowledged_is_there_after_a_restart_that_is_noticed_soon() {
    let server = RedisServer::builder().persistence(Persistence::EveryWrite).start().await.unwrap();
    let storage = connect(&server).await;
    storage.set("ann", &counting(7), None).await.unwrap();
    let readers = Readers::start(&storage, "ann", 8);
    takes_at_most(SOON, async || {
        let mut writers = Vec::new();
        for at in 0..4 {
            let storage = storage.clone();
            writers.push(tokio::spawn(async move {
                let id = format!("writer-{at}");
                for next in 1.. {
                    // The first that fails may have been carried out or not.
                    if storage.set(&id, &counting(next), None).await.is_err() {
                        return (id, next - 1);
                    }
                }
                unreachable!("the server is killed sooner")
            }));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.kill_now();
        let mut acknowledged = Vec::new();
        for writer in writers {
            acknowledged.push(writer.await.unwrap());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        server.restart().await.unwrap();
        let back = Instant::now();
        until(async || count(&storage, "ann").await.is_ok()).await;
        let took = back.elapsed();
        for (id, last) in acknowledged {
            let mut found = None;
            until(async || {
                found = count(&storage, &id).await.ok();
                found.is_some()
            })
            .await;
            let found = found.flatten();
            assert!(found == Some(last) || found == Some(last + 1), "{found:?} is not {last}");
        }
        until(async || storage.set("ann", &counting(7), None).await.is_ok()).await;
        took
    })
    .await;
    let told = readers.end().await;
    assert_ended_in_time(&told, DEFAULT_LOAD_TIMEOUT + GRACE);
    for told in &told {
        match &told.outcome {
            Ok(found) => assert_eq!(*found, Some(7)),
            Err(error) => assert!(error.is_transient(), "{error}"),
        }
    }
}

#[tokio::test]
async fn while_the_breaker_is_open_answers_come_at_once() {
    let server = RedisServer::start().await.unwrap();
    let storage = connect(&server).await;
    let key = SessionKey::from_name("ann");
    server.kill_now();
    until(async || {
        let _ = storage.load(&key).await;
        storage.health().nodes[0].reads == BreakerState::Open
    })
    .await;
    let mut times = Vec::new();
    for _ in 0..200 {
        let begin = Instant::now();
        let error = storage.load(&key).await.unwrap_err();
        times.push(begin.elapsed());
        assert_eq!(*error.kind(), StorageErrorKind::Rejected, "{error}");
        assert!(error.is_transient() && error.to_string().contains("try again in"), "{error}");
    }
    times.sort_unstable();
    assert!(times[100] < Duration::from_millis(1), "{:?}", times[100]);
}
