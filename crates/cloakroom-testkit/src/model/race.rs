//! [`race`]: many writers of one session at once. Their acknowledged commits must form one line,
//! and after a removal nothing may come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cloakroom::{
    Absolute, Commit, CommitBuilder, Committed, Destroyed, Durability, Expect, SessionKey,
    SessionStorage, Stamp, Token, Version,
};
use tokio::task::JoinSet;

const LIFETIME: Duration = Duration::from_secs(3600);

/// Lets `writers` tasks commit to one session `rounds` times each, every second commit under the
/// generation that the task has seen last, the others under none; somewhere in the middle the
/// session is removed.
///
/// # Panics
/// Where two acknowledged commits claim one generation, a generation is missing, a commit under an
/// expected generation was applied on another one, what is read is not the last commit, or
/// anything is left or accepted after the removal.
pub async fn race<S: SessionStorage>(storage: Arc<S>, writers: usize, rounds: usize) {
    let token = Token::generate().expect("the system gives random bytes");
    let key = token.key();
    let first = commit(Expect::Absent, &token, 0, 0);
    let Committed::Applied { stamp, .. } = storage.commit(&key, &first).await.expect("it answers")
    else {
        unreachable!("nobody else knows the session yet");
    };
    let removed = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for writer in 0..writers {
        let (storage, token, removed) = (storage.clone(), token.clone(), removed.clone());
        tasks.spawn(async move { write(&*storage, &token, writer, rounds, &removed).await });
    }
    let half = (writers * rounds / 2).max(1) as u64;
    loop {
        let seen = storage.load(&key).await.expect("it answers").expect("nobody removed it");
        if seen.generation().number() > half / 2 {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(
        storage.destroy(&key).await.expect("it answers"),
        Destroyed::Removed(Durability::LOCAL)
    );
    removed.store(true, Ordering::SeqCst);

    let mut applied = vec![(stamp.generation.number(), Expect::Absent)];
    while let Some(task) = tasks.join_next().await {
        applied.extend(task.expect("no writer panics"));
    }
    applied.sort_by_key(|(generation, _)| *generation);
    for (at, (generation, expect)) in applied.iter().enumerate() {
        assert_eq!(*generation, at as u64 + 1, "acknowledged commits form one line");
        if let Expect::Exactly(before) = expect {
            assert_eq!(
                before.generation().next().number(),
                *generation,
                "it was applied on what it expected"
            );
        }
    }
    assert!(storage.load(&key).await.expect("it answers").is_none(), "it stays removed");
    assert!(applied.len() > half as usize / 2, "the writers have written");
}

/// What one writer was told: generations, each with what its commit had expected.
async fn write(
    storage: &impl SessionStorage,
    token: &Token,
    writer: usize,
    rounds: usize,
    removed: &AtomicBool,
) -> Vec<(u64, Expect)> {
    let (key, mut applied, mut seen) = (token.key(), Vec::new(), None);
    for round in 0..rounds {
        let expect = match seen {
            Some(version) if round % 2 == 0 => Expect::Exactly(version),
            _ => Expect::Present,
        };
        let commit = commit(expect, token, writer, round);
        let too_late = removed.load(Ordering::SeqCst);
        match storage.commit(&key, &commit).await.expect("it answers") {
            Committed::Applied { stamp, .. } => {
                assert!(!too_late, "nothing is accepted after a removal");
                applied.push((stamp.generation.number(), expect));
                seen = Some(Version::new(stamp.generation, commit.nonce()));
                check_repetition(storage, &key, &commit, stamp).await;
            }
            Committed::Conflict(newer) => {
                assert!(!too_late, "nothing is found after a removal");
                seen = Some(newer.version());
            }
            Committed::Gone => return applied,
            Committed::Exists => unreachable!("no writer expects an absence"),
        }
        tokio::task::yield_now().await;
    }
    applied
}

/// A commit that is sent twice at once is applied once, unless others have written in between.
async fn check_repetition(
    storage: &impl SessionStorage,
    key: &SessionKey,
    commit: &Commit,
    first: Stamp,
) {
    if !matches!(commit.expect(), Expect::Exactly(_)) {
        return;
    }
    if let Committed::Applied { stamp, .. } = storage.commit(key, commit).await.expect("it answers")
    {
        assert_eq!(stamp, first, "a repetition changes nothing");
    }
}

fn commit(expect: Expect, token: &Token, writer: usize, round: usize) -> Commit {
    CommitBuilder::new(expect)
        .absolute(if expect == Expect::Absent { Absolute::Start(LIFETIME) } else { Absolute::Keep })
        .idle_timeout(LIFETIME)
        .verifier(token.verifier_hash())
        .field("writer", writer.to_string())
        .field("round", round.to_string())
        .build()
        .expect("the names are sound")
}
