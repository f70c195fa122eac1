//! The end is the end: after a destroy nothing brings the record back.

use std::sync::Arc;

use cloakroom::{
    Absolute, CommitBuilder, Committed, Destroyed, Durability, Expect, Record, SessionKey,
    SessionStorage, Token, Touched,
};

use super::sample::{
    LONG, MANY_TRIES, apply, apply_built, creating, found, rewriting, send, unused_key,
};
use super::{Fixture, Settings};

const ROUNDS: usize = 10;
const WRITERS: usize = 8;

/// Not a commit, not a repeated commit, not a touch, not a sign-in with a new ticket.
pub async fn nothing_brings_a_destroyed_record_back(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let ticket = Token::generate().unwrap();
    let key = ticket.key();
    let first = creating().verifier(ticket.verifier_hash()).field("a", "1");
    let stamp = apply(&storage, &key, &first).await;
    let last = rewriting(&stamp).field("a", "2").build().unwrap();
    let stamp = apply_built(&storage, &key, &last).await;
    assert_eq!(storage.destroy(&key).await.unwrap(), Destroyed::Removed(Durability::LOCAL));

    let next = ticket.rotated().unwrap();
    let sign_in = rewriting(&stamp).absolute(Absolute::Start(LONG)).owner("ann");
    for commit in [
        rewriting(&stamp).field("a", "3"),
        CommitBuilder::new(Expect::Present).field("a", "3"),
        sign_in.verifier(next.verifier_hash()),
    ] {
        let outcome = send(&storage, &key, &commit).await;
        assert!(matches!(outcome, Committed::Gone), "{commit:?}: {outcome:?}");
    }
    let again = storage.commit(&key, &last).await.unwrap();
    assert!(matches!(again, Committed::Gone), "{again:?}");
    assert_eq!(storage.touch(&key).await.unwrap(), Touched::Gone);
    assert!(storage.load(&key).await.unwrap().is_none());
}

/// Removing twice is no error, and says that there was nothing any more.
pub async fn a_destroy_says_whether_there_was_a_record(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let (key, other) = (unused_key(), unused_key());
    apply(&storage, &key, &creating()).await;
    apply(&storage, &other, &creating()).await;
    assert_eq!(storage.destroy(&key).await.unwrap(), Destroyed::Removed(Durability::LOCAL));
    assert_eq!(storage.destroy(&key).await.unwrap(), Destroyed::Absent(Durability::LOCAL));
    found(&storage, &other).await;
}

/// Writers and touches are under way while the record is destroyed: none of them undoes it.
pub async fn a_destroy_is_final_under_in_flight_writes(fixture: &impl Fixture) {
    let storage = Arc::new(fixture.open(&Settings::default()).await);
    for round in 0..ROUNDS {
        let key = unused_key();
        apply(&*storage, &key, &creating().field("a", "0")).await;
        let mut writers = tokio::task::JoinSet::new();
        for _ in 0..WRITERS {
            let storage = storage.clone();
            let seen = found(&*storage, &key).await;
            writers.spawn(async move { write_until_gone(&*storage, &key, seen).await });
        }
        // Some rounds destroy at once, others when the writers are in full swing.
        for _ in 0..round * 4 {
            found(&*storage, &key).await;
        }
        assert_eq!(storage.destroy(&key).await.unwrap(), Destroyed::Removed(Durability::LOCAL));
        while let Some(writer) = writers.join_next().await {
            writer.unwrap();
        }
        assert!(storage.load(&key).await.unwrap().is_none(), "round {round}");
    }
}

/// Ends only when the storage says that the record is gone, by a commit and by a touch.
async fn write_until_gone(storage: &impl SessionStorage, key: &SessionKey, mut seen: Record) {
    for _ in 0..MANY_TRIES {
        let expect = Expect::Exactly(seen.version());
        let commit = CommitBuilder::new(expect).seen(&seen).field("a", "1").build().unwrap();
        match storage.commit(key, &commit).await.unwrap() {
            Committed::Applied { stamp, as_of } => {
                seen = Record::decode(key, commit.stamped(key, &stamp), as_of).unwrap();
            }
            Committed::Conflict(newer) => seen = newer,
            Committed::Gone => {
                return assert_eq!(storage.touch(key).await.unwrap(), Touched::Gone);
            }
            Committed::Exists => panic!("nobody expected that nothing is there"),
        }
        let _ = storage.touch(key).await.unwrap();
        // Other tasks of a single-threaded runtime want their turn too.
        tokio::task::yield_now().await;
    }
    panic!("the writer is never told that the record is gone");
}
