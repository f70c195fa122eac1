//! Removals whose outcome is unknown.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_removal_is_refused_from_its_first_poll_on() {
    let (bench, a) = (Bench::new(), key("a"));
    bench.server.set(State::Silent);
    let mut removal = Box::pin(bench.remove(&a));
    assert!(!bench.journal.denies(&a));
    assert!(timeout(SECOND, &mut removal).await.is_err());
    assert!(bench.journal.denies(&a));
    assert!(!bench.journal.denies(&key("b")));
    assert_eq!(bench.journal.stats().pending, 0);
}

#[tokio::test(start_paused = true)]
async fn a_removal_whose_caller_goes_away_is_pending() {
    let (bench, a) = (Bench::new(), key("a"));
    bench.server.put(&a);
    bench.server.set(State::Silent);
    assert!(timeout(SECOND, bench.remove(&a)).await.is_err());
    assert!(bench.journal.denies(&a));
    assert_eq!(bench.journal.stats().pending, 1);
    bench.server.set(State::Up);
    bench.settle().await;
    assert!(!bench.server.holds(&a));
}

#[tokio::test(start_paused = true)]
async fn a_pending_removal_is_carried_out_when_the_server_is_back() {
    let (bench, a) = (Bench::new(), key("a"));
    bench.server.put(&a);
    bench.server.set(State::Down);
    assert_eq!(bench.remove(&a).await.unwrap(), Destroyed::Pending);
    sleep(60 * SECOND).await;
    assert!(bench.journal.denies(&a) && bench.server.holds(&a));
    let stats = bench.journal.stats();
    assert_eq!((stats.pending, stats.oldest_pending), (1, Some(60 * SECOND)));
    // From 50 ms to 5 s, each pause at least half of what it may be.
    let tries = bench.server.asked().len();
    assert!((15..=40).contains(&tries), "{tries} tries in a minute");

    bench.server.set(State::Up);
    bench.journal.retry_now();
    sleep(Duration::from_millis(1)).await;
    assert!(!bench.server.holds(&a) && !bench.journal.denies(&a));
    let heard = bench.server.heard();
    assert!(
        matches!(heard[..], [Heard::Applied(session, pending)]
            if session == a.public_id() && pending >= 60 * SECOND),
        "{heard:?}"
    );
    assert_eq!(bench.journal.stats().applied, 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_hint_a_pending_removal_waits_for_five_seconds_at_most() {
    let (bench, a) = (Bench::new(), key("a"));
    bench.remove_while(State::Down, &a).await;
    sleep(600 * SECOND).await;
    bench.server.set(State::Up);
    sleep(5 * SECOND + Duration::from_millis(10)).await;
    assert!(!bench.server.holds(&a));
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_is_told_and_not_remembered() {
    let (bench, a) = (Bench::new(), key("a"));
    bench.server.set(State::Denies);
    let refused = bench.remove(&a).await.unwrap_err();
    assert_eq!(*refused.kind(), StorageErrorKind::Denied);
    assert!(!bench.journal.denies(&a));
    assert_eq!(bench.journal.stats(), JournalStats::default());
}

#[tokio::test(start_paused = true)]
async fn a_permission_that_goes_missing_later_does_not_end_a_pending_removal() {
    let (bench, a) = (Bench::new(), key("a"));
    bench.remove_while(State::Down, &a).await;
    bench.server.set(State::Denies);
    sleep(60 * SECOND).await;
    assert!(bench.journal.denies(&a));
    bench.server.set(State::Up);
    bench.settle().await;
    assert!(!bench.server.holds(&a));
}

#[tokio::test(start_paused = true)]
async fn a_full_journal_answers_with_the_servers_error() {
    let bench = Bench::with(JournalPolicy { max_pending: 2, ..JournalPolicy::default() });
    let keys = keys(3);
    bench.server.set(State::Down);
    for key in &keys[..2] {
        assert_eq!(bench.remove(key).await.unwrap(), Destroyed::Pending);
    }
    assert_eq!(bench.remove(&keys[0]).await.unwrap(), Destroyed::Pending, "it is there already");
    let full = bench.remove(&keys[2]).await.unwrap_err();
    assert_eq!(*full.kind(), StorageErrorKind::Unavailable);
    assert!(!bench.journal.denies(&keys[2]));
    assert_eq!(bench.server.heard(), [Heard::Full(keys[2].public_id())]);
    assert_eq!((bench.journal.stats().pending, bench.journal.stats().refused), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_full_journal_does_not_hinder_removals_that_succeed() {
    let bench = Bench::with(JournalPolicy { max_pending: 0, ..JournalPolicy::default() });
    let a = key("a");
    bench.server.put(&a);
    let removed = bench.remove(&a).await.unwrap();
    assert_eq!(removed, Destroyed::Removed(Durability::LOCAL));
}

#[tokio::test(start_paused = true)]
async fn a_removal_is_given_up_when_no_session_can_live_any_more() {
    let policy = JournalPolicy { give_up_after: 60 * SECOND, ..JournalPolicy::default() };
    let (bench, a) = (Bench::with(policy), key("a"));
    bench.remove_while(State::Down, &a).await;
    sleep(59 * SECOND).await;
    assert_eq!(bench.journal.stats().pending, 1);
    sleep(7 * SECOND).await;
    assert!(!bench.journal.denies(&a));
    assert_eq!(bench.server.heard(), [Heard::Expired(a.public_id())]);
    let expired = JournalStats { expired: 1, ..JournalStats::default() };
    assert_eq!(bench.journal.stats(), expired);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_pending_removals_come_first() {
    let (bench, keys) = (Bench::new(), keys(500));
    for key in &keys {
        bench.remove_while(State::Down, key).await;
    }
    bench.server.set(State::Up);
    bench.journal.retry_now();
    bench.settle().await;
    assert_eq!(bench.server.asked(), keys);
    assert_eq!(bench.server.heard().len(), 500);
}

#[tokio::test(start_paused = true)]
async fn the_health_shows_the_oldest_removal_and_the_bounds() {
    let policy = JournalPolicy { max_pending: 7, max_confirmed: 9, ..JournalPolicy::default() };
    let bench = Bench::with(policy);
    bench.remove_while(State::Down, &key("a")).await;
    sleep(3 * SECOND).await;
    bench.remove_while(State::Down, &key("b")).await;
    let health = bench.journal.health();
    assert_eq!((health.oldest_pending, health.remembered), (3 * SECOND, 2));
    assert_eq!((health.max_pending, health.max_remembered), (7, 9));
    assert_eq!((health.unseen, health.max_unseen), (0, 1_000));
}
