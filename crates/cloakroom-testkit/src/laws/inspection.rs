//! What operators may ask of a storage: facts, walks, and the end of all that is older than a moment.

use std::collections::HashSet;

use cloakroom::{DestroyedBefore, Found, Position, SessionFingerprint, SessionKey, SessionStorage};

use super::sample::{LONG, apply, creating, found, noise, unused_key};
use super::{Fixture, Settings};

/// Facts say who, when and where, in the order in which they were asked for, and hold no value.
pub async fn facts_show_who_and_when_and_no_value(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let (signed_in, anonymous, nobody) = (unused_key(), unused_key(), unused_key());
    let home = SessionFingerprint::new("192.0.2.7", "Browser/1");
    let commit = creating().owner("ann").fingerprint(home).field("note", "\"tell nobody\"");
    let stamp = apply(&storage, &signed_in, &commit).await;
    let large = creating().field("large", noise(20_000));
    apply(&storage, &anonymous, &large).await;
    let facts = storage.facts(&[nobody, signed_in, anonymous]).await.unwrap();
    let [Found::Nothing, Found::Session(ann), Found::Session(visitor)] = &facts[..] else {
        panic!("{facts:?}")
    };
    assert_eq!((ann.id(), ann.owner()), (signed_in.public_id(), Some("ann")));
    assert_eq!((ann.address(), ann.user_agent()), (Some("192.0.2.7"), Some("Browser/1")));
    assert_eq!((ann.created(), ann.signed_in()), (Some(stamp.created), Some(stamp.started)));
    assert_eq!((ann.last_seen(), ann.generation()), (stamp.touched, 1));
    assert_eq!(ann.absolute_deadline(), stamp.absolute_deadline);
    assert_eq!(ann.size(), found(&storage, &signed_in).await.size() as u64);
    assert_eq!((visitor.owner(), visitor.signed_in()), (None, None));
    assert!(visitor.size() > 20_000 && visitor.idle_timeout() == LONG);
    assert!(!format!("{facts:?}").contains("tell nobody"));
    assert_eq!(storage.facts(&[]).await.unwrap(), []);
}

/// A walk in bounded steps meets every session; each position can be kept as text.
pub async fn a_walk_meets_every_session(fixture: &impl Fixture) {
    const SESSIONS: usize = 300;
    let storage = fixture.open(&Settings::default()).await;
    let mut sessions = HashSet::new();
    for _ in 0..SESSIONS {
        let key = unused_key();
        apply(&storage, &key, &creating()).await;
        sessions.insert(key);
    }
    let (mut met, mut position, mut steps) = (HashSet::new(), Position::start(), 0);
    loop {
        let page = storage.walk(&position).await.unwrap();
        assert!((0.0..=1.0).contains(&page.done), "{page:?}");
        met.extend(page.sessions);
        steps += 1;
        assert!(steps < 10_000, "a walk ends");
        match page.next {
            Some(next) => position = next.to_string().parse().unwrap(),
            None => break,
        }
    }
    assert_eq!(met, sessions);
    assert!(storage.walk(&Position::new("anywhere")).await.is_err());
}

/// Exactly what was created before the moment is gone, and may be asked for again.
pub async fn what_was_created_before_a_moment_can_be_destroyed(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let old: Vec<_> = (0..20).map(|_| unused_key()).collect();
    for key in &old {
        apply(&storage, key, &creating()).await;
    }
    fixture.pass(fixture.unit()).await;
    let mut new = Vec::new();
    for _ in 0..5 {
        let key = unused_key();
        new.push((key, apply(&storage, &key, &creating()).await.created));
    }
    // The servers of a Cluster have a clock each.
    let moment = new.iter().map(|(_, created)| *created).min().unwrap();
    let new: Vec<SessionKey> = new.into_iter().map(|(key, _)| key).collect();
    let all: Vec<_> = old.iter().chain(&new).copied().chain([unused_key()]).collect();
    let destroyed = storage.destroy_created_before(&all, moment).await.unwrap();
    assert_eq!((destroyed.removed, destroyed.unreadable), (old.len(), 0));
    for key in &old {
        assert!(storage.load(key).await.unwrap().is_none());
    }
    for key in &new {
        found(&storage, key).await;
    }
    let again = storage.destroy_created_before(&all, moment).await.unwrap();
    assert_eq!(again, DestroyedBefore::default());
}
