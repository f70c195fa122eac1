//! A future may be dropped at any await: the visitor has gone. What it began is done or not done,
//! never half, and the next caller gets its own answers.
//!
//! Each law drops one operation after 0, 1, 2, .. steps until it is not dropped any more, both
//! between two steps and in the moment when the next step could be taken.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use cloakroom::{CommitBuilder, Committed, Expect, Record, SessionKey, SessionStorage, Touched};

use super::sample::{MANY_TRIES, apply, creating, found, noise, payload, rewriting, unused_key};
use super::{Fixture, Settings};

/// More steps than any storage takes; a future that is still pending then hangs.
const MANY_STEPS: usize = 200;

/// Where a future is dropped.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// After that many steps, while it waits.
    Waiting(usize),
    /// After that many steps, when it could go on.
    Woken(usize),
}

/// A dropped creation has created the whole session or none.
pub async fn a_dropped_creation_is_whole_or_nothing(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    for cut in cuts() {
        let (key, commit) = (unused_key(), creating().field("a", noise(5000)).build().unwrap());
        let done = run_until(cut, storage.commit(&key, &commit)).await;
        if let Some(record) = storage.load(&key).await.unwrap() {
            assert_eq!(record.as_bytes()[56..], commit.content(&key)[56..], "{cut:?}");
        }
        let again = storage.commit(&key, &commit).await.unwrap();
        assert!(matches!(again, Committed::Applied { .. }), "{cut:?}: {again:?}");
        assert_eq!(found(&storage, &key).await.generation().number(), 1, "{cut:?}");
        if done.is_some() {
            return;
        }
    }
    panic!("the operation never ends");
}

/// A dropped commit leaves the old record or the new one, and the next commit counts.
pub async fn a_dropped_commit_leaves_the_old_record_or_the_new_one(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    for cut in cuts() {
        let key = unused_key();
        let stamp = apply(&storage, &key, &creating().field("a", noise(3000))).await;
        let old = found(&storage, &key).await;
        let commit = rewriting(&stamp).field("a", noise(4000)).build().unwrap();
        let done = run_until(cut, storage.commit(&key, &commit)).await;
        let seen = found(&storage, &key).await;
        let new = seen.as_bytes()[56..] == commit.content(&key)[56..];
        assert!(new || seen.as_bytes() == old.as_bytes(), "{cut:?}");
        next_commit_counts(&storage, &key, seen).await;
        if done.is_some() {
            assert!(new);
            return;
        }
    }
    panic!("the operation never ends");
}

/// A dropped touch has moved the deadline or not; the payload is the same.
pub async fn a_dropped_touch_leaves_the_payload(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    for cut in cuts() {
        let key = unused_key();
        apply(&storage, &key, &creating().idle_timeout(fixture.unit() * 100).field("a", "1")).await;
        let old = found(&storage, &key).await;
        let done = run_until(cut, storage.touch(&key)).await;
        let seen = found(&storage, &key).await;
        assert_eq!(payload(&seen), payload(&old), "{cut:?}");
        assert!(seen.idle_deadline() >= old.idle_deadline(), "{cut:?}");
        next_commit_counts(&storage, &key, seen).await;
        if done.is_some() {
            return;
        }
    }
    panic!("the operation never ends");
}

/// A dropped destroy has removed the record or left it whole; the next one is final.
pub async fn a_dropped_destroy_removes_all_or_nothing(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    for cut in cuts() {
        let key = unused_key();
        apply(&storage, &key, &creating().field("a", noise(3000))).await;
        let old = found(&storage, &key).await;
        let done = run_until(cut, storage.destroy(&key)).await;
        if let Some(seen) = storage.load(&key).await.unwrap() {
            assert_eq!(seen.as_bytes(), old.as_bytes(), "{cut:?}");
            assert!(done.is_none(), "{cut:?}");
        }
        let _ = storage.destroy(&key).await.unwrap();
        assert!(storage.load(&key).await.unwrap().is_none(), "{cut:?}");
        assert_eq!(storage.touch(&key).await.unwrap(), Touched::Gone, "{cut:?}");
        if done.is_some() {
            return;
        }
    }
    panic!("the operation never ends");
}

/// Loads are dropped by the dozen: every later answer is still the answer to its own question.
pub async fn dropped_loads_leave_every_later_answer_in_its_place(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let mut records = Vec::new();
    for at in 0..16 {
        let (key, own) = (unused_key(), noise(50 + 300 * at));
        apply(&storage, &key, &creating().field("own", own.clone())).await;
        records.push((key, own));
    }
    for cut in cuts() {
        let mut done = true;
        for (key, _) in &records {
            done &= run_until(cut, storage.load(key)).await.is_some();
        }
        for (key, own) in &records {
            assert_eq!(found(&storage, key).await.field("own"), Some(own.as_slice()), "{cut:?}");
        }
        if done {
            return;
        }
    }
    panic!("the operation never ends");
}

/// Commits once more on what is there; a late arrival of what was dropped does not undo it.
async fn next_commit_counts(storage: &impl SessionStorage, key: &SessionKey, mut seen: Record) {
    for _ in 0..MANY_TRIES {
        let expect = Expect::Exactly(seen.version());
        let commit = CommitBuilder::new(expect).seen(&seen).field("next", "1").build().unwrap();
        match storage.commit(key, &commit).await.unwrap() {
            Committed::Applied { .. } => {
                let record = found(storage, key).await;
                return assert_eq!(record.field_names().collect::<Vec<_>>(), ["next"]);
            }
            Committed::Conflict(newer) => seen = newer,
            other => panic!("{other:?}"),
        }
    }
    panic!("the next commit is never applied");
}

fn cuts() -> impl Iterator<Item = Cut> {
    (0..MANY_STEPS).flat_map(|steps| [Cut::Waiting(steps), Cut::Woken(steps)])
}

/// Takes steps of a future up to the cut, then drops it; `Some` where it was done before.
async fn run_until<T>(cut: Cut, future: impl Future<Output = T>) -> Option<T> {
    let (mut left, waits) = match cut {
        Cut::Waiting(steps) => (steps, false),
        Cut::Woken(steps) => (steps, true),
    };
    let mut future = pin!(future);
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending if left == 0 && !waits => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
