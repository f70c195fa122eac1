//! Removals that the server has confirmed, and failovers that undo them.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_confirmed_removal_refuses_what_was_there_before_it_and_nothing_else() {
    let (bench, a) = (Bench::new(), key("a"));
    bench.remove_while(State::Up, &a).await;
    assert!(!bench.journal.denies(&a));
    assert!(bench.journal.accepts(&a, at(100), |_| true), "set again, by whichever node");
    assert!(bench.journal.accepts(&key("b"), at(1), |_| true));
    assert_eq!(bench.server.heard(), []);
    assert!(!bench.journal.accepts(&a, at(99), |_| true), "it has come back");
    assert!(bench.journal.denies(&a));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_came_back_is_removed_again_at_once() {
    let (bench, a) = (Bench::new(), key("a"));
    bench.remove_while(State::Up, &a).await;
    bench.server.put(&a);
    assert!(!bench.journal.accepts(&a, at(1), |_| true));
    while bench.journal.denies(&a) {
        sleep(Duration::from_millis(1)).await;
    }
    assert!(!bench.server.holds(&a));
    assert_eq!(bench.server.heard(), [Heard::Applied(a.public_id(), Duration::ZERO)]);
    assert_eq!(bench.journal.stats().repeated, 1);
}

#[tokio::test(start_paused = true)]
async fn confirmed_removals_are_carried_out_again_after_a_failover() {
    let (bench, keys) = (Bench::new(), keys(1000));
    for key in &keys {
        bench.remove_while(State::Up, key).await;
    }
    keys[..10].iter().for_each(|key| bench.server.put(key));
    bench.journal.reapply();
    assert!(keys.iter().all(|key| bench.journal.denies(key)));
    sleep(Duration::from_millis(1)).await;
    assert!(!keys.iter().any(|key| bench.server.holds(key) || bench.journal.denies(key)));
    let mut heard = bench.server.heard();
    let mut expected: Vec<_> =
        keys[..10].iter().map(|key| Heard::Applied(key.public_id(), Duration::ZERO)).collect();
    heard.sort_by_key(|heard| format!("{heard:?}"));
    expected.sort_by_key(|heard| format!("{heard:?}"));
    assert_eq!(heard, expected);
    assert_eq!(bench.server.asked().len(), 1000);
    let most = bench.server.most_at_once.load(Ordering::SeqCst);
    assert!((2..=64).contains(&most), "{most} at once");
}

#[tokio::test(start_paused = true)]
async fn what_a_failover_may_have_undone_is_refused_until_the_new_server_confirms() {
    let (bench, a) = (Bench::new(), key("a"));
    bench.remove_while(State::Up, &a).await;
    bench.server.put(&a);
    bench.server.set(State::Down);
    bench.journal.reapply();
    sleep(300 * SECOND).await;
    assert!(bench.journal.denies(&a), "longer than confirmed removals are remembered");
    assert_eq!(bench.journal.stats().pending, 0, "the caller was told that it was done");
    bench.server.set(State::Up);
    bench.journal.retry_now();
    sleep(Duration::from_millis(1)).await;
    assert!(!bench.journal.denies(&a) && !bench.server.holds(&a));
}

#[tokio::test(start_paused = true)]
async fn a_confirmation_by_the_old_primary_does_not_count_after_the_failover() {
    let (bench, a) = (Bench::new(), key("a"));
    let work = async {
        bench.journal.reapply();
        Ok(Destroyed::Removed(Durability::LOCAL))
    };
    bench.server.put(&a);
    assert!(bench.journal.remove(&a, None, work).await.is_ok());
    assert!(bench.journal.denies(&a));
    sleep(Duration::from_millis(1)).await;
    assert!(!bench.server.holds(&a) && !bench.journal.denies(&a));
}

#[tokio::test(start_paused = true)]
async fn confirmed_removals_are_forgotten_after_a_minute() {
    let (bench, a) = (Bench::new(), key("a"));
    bench.remove_while(State::Up, &a).await;
    sleep(59 * SECOND).await;
    assert_eq!(bench.journal.stats().entries, 1);
    sleep(SECOND).await;
    assert_eq!(bench.journal.stats(), JournalStats::default());
    bench.server.put(&a);
    bench.journal.reapply();
    sleep(SECOND).await;
    assert!(bench.server.holds(&a));
}

#[tokio::test(start_paused = true)]
async fn the_oldest_confirmed_removals_give_way() {
    let bench = Bench::with(JournalPolicy { max_confirmed: 10, ..JournalPolicy::default() });
    let keys = keys(25);
    for key in &keys {
        bench.remove_while(State::Up, key).await;
    }
    let stats = bench.journal.stats();
    assert_eq!((stats.entries, stats.displaced), (10, 15));
    bench.journal.reapply();
    sleep(SECOND).await;
    assert_eq!(bench.server.asked(), keys[15..]);
}

#[tokio::test(start_paused = true)]
async fn a_repetition_ends_only_what_was_there_before_the_removal() {
    let (bench, a) = (Bench::new(), key("a"));
    bench.remove_while(State::Down, &a).await;
    bench.server.set(State::Up);
    bench.settle().await;
    bench.journal.reapply();
    sleep(SECOND).await;
    let asked = bench.server.asked.lock().unwrap().clone();
    // A pending one allows for a clock that is behind.
    assert_eq!(asked.first().unwrap(), &(a, Some(at(2100))));
    assert_eq!(asked.last().unwrap(), &(a, Some(at(100))));
}

#[tokio::test(start_paused = true)]
async fn a_repetition_that_a_failover_or_a_newer_removal_overtakes_does_not_count() {
    for overtake in [Overtake::Failover, Overtake::Removal] {
        let (bench, a) = (Bench::new(), key("a"));
        bench.remove_while(State::Down, &a).await;
        bench.server.set(State::Slow);
        sleep(SECOND / 2).await;
        assert!(!bench.server.holds(&a), "carried out, but not answered yet");
        bench.server.put(&a);
        match overtake {
            Overtake::Failover => bench.journal.reapply(),
            Overtake::Removal => {
                let lost = async { Err(error(StorageErrorKind::Unavailable)) };
                assert!(bench.journal.remove(&a, None, lost).await.is_ok());
            }
        }
        bench.settle().await;
        assert!(!bench.server.holds(&a), "{overtake:?}");
        assert_eq!(bench.server.asked().len(), 2, "the first was overtaken");
    }
}

#[derive(Clone, Copy, Debug)]
enum Overtake {
    Failover,
    Removal,
}
