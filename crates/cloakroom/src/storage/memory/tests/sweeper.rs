//! The sweeper: it works where there is a runtime, and keeps nothing alive.

use super::*;

#[tokio::test(start_paused = true)]
async fn the_sweeper_removes_what_has_expired_while_nobody_calls() {
    let clock = Hand::new();
    let storage = storage(&clock).build().unwrap();
    create(&storage, 200).await.unwrap();
    clock.advance(2 * LIFETIME);
    assert_eq!(storage.shared.used.sessions.load(Ordering::Relaxed), 1);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(storage.shared.used.sessions.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn the_sweeper_neither_outlives_the_storage_nor_keeps_it_alive() {
    let storage = MemorySessionStorage::new();
    create(&storage, 200).await.unwrap();
    let shared = Arc::downgrade(&storage.shared);
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(tasks(), 1, "one sweeper, and it has run");
    drop(storage);
    assert!(shared.upgrade().is_none(), "the storage is gone although its sweeper ran");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(tasks(), 0);
}

fn a_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

#[test]
fn the_sweeper_starts_again_in_another_runtime_when_its_own_has_ended() {
    let clock = Hand::new();
    let storage = storage(&clock).build().unwrap();
    for _ in 0..3 {
        a_runtime().block_on(async {
            create(&storage, 200).await.unwrap();
            create(&storage, 200).await.unwrap();
            let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
            assert_eq!(tasks, 1, "one sweeper, however many commits");
            clock.advance(2 * LIFETIME);
            tokio::time::sleep(Duration::from_secs(2)).await;
            assert_eq!(storage.shared.used.sessions.load(Ordering::Relaxed), 0);
        });
    }
}

#[test]
fn a_runtime_without_a_timer_ends_the_sweeper_once_and_no_commit() {
    let storage = MemorySessionStorage::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for _ in 0..3 {
            create(&storage, 200).await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    assert!(!storage.shared.sweeper.starts_again(), "it would panic at every commit");
}

#[test]
fn a_storage_works_without_a_runtime_of_tokio() {
    let storage = MemorySessionStorage::new();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let key = key();
    let commit = sized(Expect::Absent, 200);
    let mut committing = std::pin::pin!(storage.commit(&key, &commit));
    assert!(committing.as_mut().poll(&mut context).is_ready());
}
