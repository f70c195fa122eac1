//! Marks: a few bytes beside the sessions, left once, and no session for anybody.

use std::sync::Arc;

use cloakroom::{MarkKey, OldSessionId, Position, SessionStorage};
use tokio::task::JoinSet;

use super::sample::{LONG, unused_key};
use super::{Fixture, Settings};

fn unused_mark() -> MarkKey {
    OldSessionId::new("testkit", &unused_key().public_id().to_string()).note_key()
}

/// Of many who leave a mark at once all are told what the first one has left.
pub async fn a_mark_is_left_once(fixture: &impl Fixture) {
    let storage = Arc::new(fixture.open(&Settings::default()).await);
    let key = unused_mark();
    assert_eq!(storage.mark(&key).await.unwrap(), None);
    let mut crowd = JoinSet::new();
    for number in 0..16u8 {
        let storage = storage.clone();
        crowd.spawn(async move { storage.leave_mark(&key, &[number; 32], LONG).await.unwrap() });
    }
    let told = crowd.join_all().await;
    let left = storage.mark(&key).await.unwrap().unwrap();
    assert!(told.iter().all(|told| *told == left) && left.len() == 32, "{told:?}");
    let again = storage.leave_mark(&key, b"another one", LONG * 2).await.unwrap();
    assert_eq!(again, left);
    assert_eq!(storage.mark(&unused_mark()).await.unwrap(), None);
}

/// A mark lives for as long as it was said, and can be left again afterwards.
pub async fn a_mark_ends_by_itself(fixture: &impl Fixture) {
    let (storage, unit) = (fixture.open(&Settings::default()).await, fixture.unit());
    let (short, long) = (unused_mark(), unused_mark());
    storage.leave_mark(&short, b"salt", unit).await.unwrap();
    storage.leave_mark(&long, b"note", LONG).await.unwrap();
    fixture.pass(unit * 2).await;
    assert_eq!(storage.mark(&short).await.unwrap(), None);
    assert_eq!(storage.mark(&long).await.unwrap().as_deref(), Some(&b"note"[..]));
    assert_eq!(storage.leave_mark(&short, b"", LONG).await.unwrap(), b"".as_slice());
    assert_eq!(storage.mark(&short).await.unwrap().as_deref(), Some(&b""[..]));
}

/// No walk meets a mark, nothing counts it, and no end of sessions ends it.
pub async fn a_mark_is_no_session(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let key = unused_mark();
    storage.leave_mark(&key, b"note", LONG).await.unwrap();
    assert_eq!(storage.stats().await.unwrap().total_sessions, 0);
    let mut position = Some(Position::start());
    while let Some(at) = position {
        let page = storage.walk(&at).await.unwrap();
        assert_eq!(page.sessions, []);
        position = page.next;
    }
    assert!(storage.mark(&key).await.unwrap().is_some());
}
