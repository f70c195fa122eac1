//! Names that are set again after a removal.

use tokio::task::yield_now;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_name_may_be_set_again_right_after_its_removal() {
    let (bench, a) = (Bench::new(), key("a"));
    for _ in 0..3 {
        bench.remove_while(State::Up, &a).await;
        assert!(matches!(bench.create(&a).await, Ok(Committed::Applied { .. })));
        assert!(bench.journal.accepts(&a, at(1), |_| true) && !bench.journal.denies(&a));
    }
    bench.journal.reapply();
    sleep(SECOND).await;
    assert!(bench.server.holds(&a), "the new session stays");
}

#[tokio::test(start_paused = true)]
async fn no_failover_ends_a_session_that_is_being_created() {
    let (bench, a) = (Bench::new(), key("a"));
    bench.remove_while(State::Up, &a).await;
    let creation = async {
        bench.server.put(&a);
        bench.journal.reapply();
        sleep(SECOND).await;
        Ok(applied())
    };
    assert!(bench.create_with(&a, creation).await.is_ok());
    sleep(SECOND).await;
    assert!(bench.server.holds(&a));
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_created_nothing_leaves_the_removal_as_it_was() {
    let (bench, a) = (Bench::new(), key("a"));
    bench.remove_while(State::Up, &a).await;
    let exists = bench.create_with(&a, async { Ok(Committed::Exists) }).await;
    assert!(matches!(exists, Ok(Committed::Exists)));
    assert!(!bench.journal.accepts(&a, at(99), |_| true));

    let b = key("b");
    bench.remove_while(State::Up, &b).await;
    bench.server.put(&b);
    let failover = async {
        bench.journal.reapply();
        Err(error(StorageErrorKind::Rejected))
    };
    bench.create_with(&b, failover).await.unwrap_err();
    sleep(SECOND).await;
    assert!(!bench.server.holds(&b), "the failover came while the entry was away");
}

#[tokio::test(start_paused = true)]
async fn a_creation_of_unknown_outcome_is_not_undone() {
    let (bench, a) = (Bench::new(), key("a"));
    bench.remove_while(State::Up, &a).await;
    bench.server.put(&a);
    let lost = async { Err(error(StorageErrorKind::Unavailable)) };
    bench.create_with(&a, lost).await.unwrap_err();
    bench.journal.reapply();
    sleep(SECOND).await;
    assert!(bench.server.holds(&a));
}

#[tokio::test(start_paused = true)]
async fn a_creation_waits_for_a_removal_that_is_still_to_come() {
    let (bench, a) = (Bench::new(), key("a"));
    bench.remove_while(State::Down, &a).await;
    let refused = bench.create(&a).await.unwrap_err();
    assert_eq!(*refused.kind(), StorageErrorKind::Pending);
    assert!(refused.is_transient());
    bench.server.set(State::Up);
    assert!(matches!(bench.remove(&a).await, Ok(Destroyed::Removed(_))), "carried out first");
    assert!(bench.create(&a).await.is_ok());
    bench.journal.retry_now();
    sleep(60 * SECOND).await;
    assert!(bench.server.holds(&a));
}

#[tokio::test(start_paused = true)]
async fn a_creation_waits_for_a_repetition_that_is_on_its_way() {
    let (bench, a) = (Bench::new(), key("a"));
    bench.remove_while(State::Down, &a).await;
    bench.server.set(State::Silent);
    sleep(SECOND).await;
    let confirmed = async { Ok(Destroyed::Absent(Durability::LOCAL)) };
    assert!(bench.journal.remove(&a, None, confirmed).await.is_ok());
    assert!(!bench.journal.denies(&a));
    let refused = bench.create(&a).await.unwrap_err();
    assert_eq!(*refused.kind(), StorageErrorKind::Pending, "it could still end the new session");
}

#[tokio::test(start_paused = true)]
async fn only_the_newest_removal_confirms() {
    let (bench, a) = (Bench::new(), key("a"));
    bench.server.set(State::Down);
    // It ends only after a second removal was asked for, of what was created in between.
    let first = async {
        assert_eq!(bench.remove(&a).await.unwrap(), Destroyed::Pending);
        Ok(Destroyed::Removed(Durability::LOCAL))
    };
    let first = bench.journal.remove(&a, None, first).await;
    assert!(matches!(first, Ok(Destroyed::Removed(_))));
    assert!(bench.journal.denies(&a));
    assert_eq!(bench.journal.stats().pending, 1);
}

#[tokio::test(start_paused = true)]
async fn a_creation_waits_for_a_removal_that_is_being_carried_out() {
    let (bench, a) = (Bench::new(), key("a"));
    bench.server.put(&a);
    let slow = async {
        sleep(Duration::from_millis(100)).await;
        bench.server.answer(&a).await.map(|_| Destroyed::Removed(Durability::LOCAL))
    };
    let mut removal = Box::pin(bench.journal.remove(&a, Some(at(100)), slow));
    assert!(timeout(Duration::from_millis(1), &mut removal).await.is_err());
    let (removed, created) = tokio::join!(removal, bench.create(&a));
    assert!(removed.is_ok() && created.is_ok());
    assert!(bench.server.holds(&a) && !bench.journal.denies(&a));
}

#[tokio::test(start_paused = true)]
async fn a_creation_does_not_wait_for_long() {
    let (bench, a) = (Bench::new(), key("a"));
    bench.server.set(State::Silent);
    let mut removal = Box::pin(bench.remove(&a));
    assert!(timeout(SECOND, &mut removal).await.is_err());
    let start = Instant::now();
    let refused = bench.create(&a).await.unwrap_err();
    assert_eq!(*refused.kind(), StorageErrorKind::Pending);
    assert_eq!(start.elapsed(), PATIENCE);
}

/// On a paused clock, where only a lost wake-up can use up a creation's patience.
#[tokio::test(start_paused = true)]
async fn callers_who_remove_and_set_one_name_at_once_see_no_error() {
    let (bench, a) = (Arc::new(Bench::new()), key("a"));
    let callers: Vec<_> = (0..5)
        .map(|caller| {
            let bench = bench.clone();
            tokio::spawn(async move {
                for turn in 0..1_000 {
                    if (turn + caller) % 2 == 0 {
                        assert!(bench.create(&a).await.is_ok());
                    } else {
                        let slow = async {
                            yield_now().await;
                            bench.server.answer(&a).await?;
                            yield_now().await;
                            Ok(Destroyed::Removed(Durability::LOCAL))
                        };
                        let removed = bench.journal.remove(&a, Some(at(100)), slow).await;
                        assert_eq!(removed.unwrap(), Destroyed::Removed(Durability::LOCAL));
                    }
                    if turn % 3 == 0 {
                        // A load that has met the record before one of the removals.
                        bench.journal.accepts(&a, at(1), |_| true);
                    }
                    yield_now().await;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
}
