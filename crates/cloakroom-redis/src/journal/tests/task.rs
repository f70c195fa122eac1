//! The task in the background, and everything at once.

use std::sync::atomic::AtomicBool;

use tokio::runtime::Builder;

use super::*;

#[test]
fn a_runtime_that_has_ended_does_not_leave_the_journal_dead() {
    let runtime = || Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let (bench, keys) = (Bench::new(), keys(100));
    runtime().block_on(async {
        for key in &keys {
            bench.remove_while(State::Down, key).await;
        }
        bench.server.set(State::Silent);
        sleep(SECOND).await;
        assert_eq!(bench.server.at_once.load(Ordering::SeqCst), 64);
    });
    bench.journal.retry_now();
    assert_eq!(bench.journal.stats().pending, 100);
    runtime().block_on(async {
        bench.server.set(State::Up);
        bench.journal.retry_now();
        bench.settle().await;
    });
    assert!(!keys.iter().any(|key| bench.server.holds(key)));
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_with_the_journal() {
    let (bench, a) = (Bench::new(), key("a"));
    bench.remove_while(State::Down, &a).await;
    sleep(SECOND).await;
    let Bench { server, journal } = bench;
    drop(journal);
    let tries = server.asked().len();
    sleep(60 * SECOND).await;
    assert_eq!(server.asked().len(), tries);
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_when_nothing_is_left_to_do_and_starts_again() {
    let (bench, a) = (Bench::new(), key("a"));
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    for _ in 0..3 {
        bench.remove_while(State::Down, &a).await;
        assert_eq!(tasks(), 1);
        bench.server.set(State::Up);
        bench.settle().await;
        sleep(SECOND).await;
        assert_eq!(tasks(), 0);
    }
}

/// Callers remove and set the same names again while the server comes and goes and fails over. At no
/// moment may a removal that was answered show its record, and in the end nothing may be left.
#[test]
fn removals_hold_whatever_happens_at_once() {
    const CALLERS: usize = 4;
    let bench = Arc::new(Bench::new());
    let over = Arc::new(AtomicBool::new(false));
    let runtime = Builder::new_multi_thread().worker_threads(3).enable_all().build().unwrap();
    runtime.block_on(async {
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let bench = bench.clone();
                tokio::spawn(async move {
                    let names: Vec<_> =
                        (0..8).map(|name| key(&format!("{caller}.{name}"))).collect();
                    for turn in 0..2_000 {
                        let key = &names[turn % names.len()];
                        match bench.create(key).await {
                            Ok(_) => assert!(bench.server.holds(key) && !bench.journal.denies(key)),
                            Err(error) => assert_eq!(*error.kind(), StorageErrorKind::Pending),
                        }
                        tokio::task::yield_now().await;
                        let removed = bench.remove(key).await.unwrap();
                        let is_gone = !bench.server.holds(key);
                        assert!(is_gone || bench.journal.denies(key), "{removed:?}");
                    }
                })
            })
            .collect();
        let trouble = tokio::spawn({
            let (bench, over) = (bench.clone(), over.clone());
            async move {
                while !over.load(Ordering::Relaxed) {
                    bench.server.set(State::Down);
                    tokio::task::yield_now().await;
                    bench.server.set(State::Up);
                    bench.journal.reapply();
                    tokio::task::yield_now().await;
                    bench.journal.retry_now();
                }
            }
        });
        for caller in callers {
            caller.await.unwrap();
        }
        over.store(true, Ordering::Relaxed);
        trouble.await.unwrap();
        bench.server.set(State::Up);
        bench.journal.retry_now();
        timeout(60 * SECOND, async {
            let held = || bench.server.records.lock().unwrap().len();
            while bench.journal.stats().pending > 0 || held() > 0 {
                sleep(Duration::from_millis(1)).await;
            }
        })
        .await
        .unwrap();
        assert!(bench.journal.stats().applied > 0);
    });
}
