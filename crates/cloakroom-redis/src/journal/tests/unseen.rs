//! Removals that nobody could look at the record for.

use cloakroom::{Token, VerifierHash};

use super::*;

fn proof() -> VerifierHash {
    Token::generate().unwrap().verifier_hash()
}

async fn down(bench: &Bench, key: &SessionKey, proof: &VerifierHash) -> Destroyed {
    let refused = async { Err(error(StorageErrorKind::Unavailable)) };
    bench.journal.remove_unseen(key, proof, None, refused).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_pending_one_refuses_its_own_ticket_and_holds_writes_but_hides_nothing_else() {
    let (bench, a, lost) = (Bench::new(), key("a"), proof());
    *bench.server.state.lock().unwrap() = State::Down;
    assert_eq!(down(&bench, &a, &lost).await, Destroyed::Pending);
    assert!(!bench.journal.denies(&a), "the server has the last word");
    assert!(bench.journal.holds_writes(&a));
    assert!(!bench.journal.accepts(&a, at(1), |opened_by| *opened_by == lost));
    assert!(bench.journal.accepts(&a, at(1), |_| false), "a newer ticket's record");
}

#[tokio::test(start_paused = true)]
async fn one_that_ends_nothing_is_forgotten() {
    let (bench, a) = (Bench::new(), key("a"));
    *bench.server.state.lock().unwrap() = State::Down;
    assert_eq!(down(&bench, &a, &proof()).await, Destroyed::Pending);
    *bench.server.state.lock().unwrap() = State::Up;
    bench.journal.retry_now();
    sleep(SECOND).await;
    assert_eq!(bench.journal.stats().pending, 0);
    assert_eq!(bench.journal.stats().entries, 0, "nothing was removed that could come back");
    assert!(!bench.journal.holds_writes(&a));
}

#[tokio::test(start_paused = true)]
async fn anybodys_tickets_do_not_take_the_places_of_sessions_that_were_seen() {
    let bench = Bench::with(JournalPolicy { max_unseen: 3, ..JournalPolicy::default() });
    *bench.server.state.lock().unwrap() = State::Down;
    for number in 0..3 {
        assert_eq!(down(&bench, &key(&number.to_string()), &proof()).await, Destroyed::Pending);
    }
    let refused = async { Err(error(StorageErrorKind::Unavailable)) };
    assert_eq!((bench.journal.health().unseen, bench.journal.health().max_unseen), (3, 3));
    let full = bench.journal.remove_unseen(&key("one more"), &proof(), None, refused).await;
    full.unwrap_err();
    let refused = async { Err(error(StorageErrorKind::Unavailable)) };
    let seen = bench.journal.remove(&key("seen"), None, refused).await;
    assert_eq!(seen.unwrap(), Destroyed::Pending);
    assert_eq!(bench.journal.stats().pending, 4);
}

#[tokio::test(start_paused = true)]
async fn more_tickets_of_one_session_than_can_be_noted_are_refused_loudly() {
    let (bench, a) = (Bench::new(), key("a"));
    *bench.server.state.lock().unwrap() = State::Down;
    for _ in 0..4 {
        assert_eq!(down(&bench, &a, &proof()).await, Destroyed::Pending);
    }
    let refused = async { Err(error(StorageErrorKind::Unavailable)) };
    bench.journal.remove_unseen(&a, &proof(), None, refused).await.unwrap_err();
    let refused = async { Err(error(StorageErrorKind::Unavailable)) };
    assert_eq!(bench.journal.remove(&a, None, refused).await.unwrap(), Destroyed::Pending);
    assert!(bench.journal.denies(&a), "now any ticket is meant");
}
