//! Many commits to one record, and many records at once.

use std::sync::Arc;

use cloakroom::{CommitBuilder, Committed, Expect, Record, SessionKey, SessionStorage};

use super::sample::{MANY_TRIES, Written, apply, creating, found, noise, rewriting, unused_key};
use super::{Fixture, Settings};

const WRITERS: usize = 16;
const ROUNDS: usize = 10;

/// All writers have seen the same generation: one of them is applied, the others are shown it.
pub async fn of_many_commits_on_one_generation_one_is_applied(fixture: &impl Fixture) {
    let storage = Arc::new(fixture.open(&Settings::default()).await);
    let key = unused_key();
    let mut written = apply(&*storage, &key, &creating()).await;
    for _ in 0..ROUNDS {
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..WRITERS {
            let storage = storage.clone();
            let commit = rewriting(&written).field("writer", writer.to_string()).build().unwrap();
            writers.spawn(async move {
                let outcome = storage.commit(&key, &commit).await.unwrap();
                (writer, Written::of(&key, &commit, &outcome), outcome)
            });
        }
        let mut applied = Vec::new();
        while let Some(done) = writers.join_next().await {
            match done.unwrap() {
                (writer, Some(written), _) => applied.push((writer, written)),
                (_, _, Committed::Conflict(newer)) => {
                    assert_eq!(newer.generation(), written.generation.next());
                }
                (_, _, other) => panic!("{other:?}"),
            }
        }
        assert_eq!(applied.len(), 1);
        let (winner, next) = applied.remove(0);
        let record = found(&*storage, &key).await;
        assert_eq!(record.field("writer"), Some(winner.to_string().as_bytes()));
        assert_eq!(record.generation(), next.generation);
        written = next;
    }
}

/// Writers that replay their change on what they lost against keep everything that was applied.
pub async fn every_acknowledged_change_is_kept(fixture: &impl Fixture) {
    let storage = Arc::new(fixture.open(&Settings::default()).await);
    let key = unused_key();
    apply(&*storage, &key, &creating()).await;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let storage = storage.clone();
        writers.spawn(async move {
            for round in 0..ROUNDS {
                write_field(&*storage, &key, &format!("w{writer}"), &round.to_string()).await;
            }
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer.unwrap();
    }
    let record = found(&*storage, &key).await;
    let last = (ROUNDS - 1).to_string();
    for writer in 0..WRITERS {
        assert_eq!(record.field(&format!("w{writer}")), Some(last.as_bytes()), "writer {writer}");
    }
    assert_eq!(record.generation().number(), (1 + WRITERS * ROUNDS) as u64);
}

/// Answers never get mixed up: each of many records that are read and written at once is its own.
pub async fn concurrent_sessions_do_not_mix(fixture: &impl Fixture) {
    let storage = Arc::new(fixture.open(&Settings::default()).await);
    let mut visitors = tokio::task::JoinSet::new();
    for visitor in 0..64 {
        let storage = storage.clone();
        visitors.spawn(async move {
            let (key, own) = (unused_key(), noise(100 + 40 * visitor));
            let mut written = apply(&*storage, &key, &creating().field("own", own.clone())).await;
            for _ in 0..ROUNDS {
                assert_eq!(found(&*storage, &key).await.field("own"), Some(own.as_slice()));
                written =
                    apply(&*storage, &key, &rewriting(&written).field("own", own.clone())).await;
            }
        });
    }
    while let Some(visitor) = visitors.join_next().await {
        visitor.unwrap();
    }
}

/// Sets one field and keeps all others, however often somebody else is faster.
async fn write_field(storage: &impl SessionStorage, key: &SessionKey, name: &str, value: &str) {
    let mut seen = found(storage, key).await;
    for _ in 0..MANY_TRIES {
        let commit = carrying(&seen).field(name, value).build().unwrap();
        match storage.commit(key, &commit).await.unwrap() {
            Committed::Applied { .. } => return,
            Committed::Conflict(newer) => seen = newer,
            other => panic!("{other:?}"),
        }
        tokio::task::yield_now().await;
    }
    panic!("somebody else is faster for ever");
}

fn carrying(record: &Record) -> CommitBuilder {
    let commit = CommitBuilder::new(Expect::Exactly(record.version())).seen(record);
    record
        .field_names()
        .fold(commit, |commit, name| commit.field(name, record.field(name).unwrap_or_default()))
}
