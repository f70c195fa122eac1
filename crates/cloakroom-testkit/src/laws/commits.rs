//! One commit at a time: what is applied, what is refused, what comes back.

use cloakroom::{
    CommitBuilder, Committed, Destroyed, Durability, Expect, Generation, Nonce, SessionFingerprint,
    SessionStorage, StorageErrorKind, Version,
};

use super::sample::{
    apply, apply_built, creating, found, noise, payload, rewriting, send, unused_key,
};
use super::{Fixture, Settings};

/// Every byte comes back: empty sessions, all byte values, long names, many fields.
pub async fn load_returns_exactly_what_was_committed(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let visitor = SessionFingerprint::new("2001:db8::7", "Browser \u{fc}/1");
    let all_bytes: Vec<u8> = (0..=255).collect();
    let many = (0..300).fold(creating(), |commit, at| commit.field(format!("f{at}"), noise(at)));
    for commit in [
        creating(),
        creating().field("empty", []).field("all", all_bytes),
        creating().field("\u{1f9e5}\0\r\n *?[", noise(1000)).field("n".repeat(255), noise(1)),
        creating().owner("o".repeat(1024)).fingerprint(visitor).persistent().field("a", "1"),
        creating().field("big", noise(60_000)),
        many,
    ] {
        let (key, commit) = (unused_key(), commit.build().unwrap());
        let stamp = apply_built(&storage, &key, &commit).await;
        let record = found(&storage, &key).await;
        assert_eq!(record.as_bytes(), &commit.stamped(&key, &stamp));
        assert_eq!(record.generation(), Generation::new(1));
    }
}

/// What nobody has committed is not there.
pub async fn an_unknown_key_holds_nothing(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    apply(&storage, &unused_key(), &creating()).await;
    assert!(storage.load(&unused_key()).await.unwrap().is_none());
}

/// The limit is exact, the error names the largest field, and what was stored stays.
pub async fn a_session_above_the_size_limit_is_refused_and_changes_nothing(fixture: &impl Fixture) {
    let limit = 2000;
    let settings = Settings { max_session_bytes: limit, ..Settings::default() };
    let storage = fixture.open(&settings).await;
    let key = unused_key();
    let with = |length| creating().field("small", "1").field("large", noise(length));
    let overhead = with(0).build().unwrap().size();

    let stamp = apply(&storage, &key, &with(limit - overhead)).await;
    let before = found(&storage, &key).await;
    assert_eq!(before.size(), limit);

    let larger = rewriting(&stamp).field("small", "1").field("large", noise(limit + 1 - overhead));
    let error = storage.commit(&key, &larger.build().unwrap()).await.unwrap_err();
    let named =
        StorageErrorKind::TooLarge { size: limit + 1, limit, largest_field: "large".to_owned() };
    assert_eq!(*error.kind(), named);
    assert!(error.to_string().contains("`large`"), "{error}");
    assert_eq!(found(&storage, &key).await.as_bytes(), before.as_bytes());
}

/// Whoever expects nothing gets an existing session neither overwritten nor shown.
pub async fn a_commit_that_expects_nothing_never_overwrites(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let key = unused_key();
    apply(&storage, &key, &creating().field("a", "1")).await;
    let before = found(&storage, &key).await;
    let outcome = send(&storage, &key, &creating().field("a", "2")).await;
    assert!(matches!(outcome, Committed::Exists), "{outcome:?}");
    assert_eq!(found(&storage, &key).await.as_bytes(), before.as_bytes());
}

/// Whoever expects a session creates none.
pub async fn a_commit_that_expects_a_record_never_creates(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let exactly = |number| {
        let nonce = Nonce::from_bytes([7; 16]);
        Expect::Exactly(Version::new(Generation::new(number), nonce))
    };
    let expectations = [Expect::Present, exactly(0), exactly(1)];
    for expect in expectations {
        let key = unused_key();
        let outcome = send(&storage, &key, &CommitBuilder::new(expect)).await;
        assert!(matches!(outcome, Committed::Gone), "{expect:?}: {outcome:?}");
        assert!(storage.load(&key).await.unwrap().is_none(), "{expect:?}");
    }
}

/// Another generation than the expected one is left alone and shown as it is.
pub async fn a_conflict_shows_the_newer_record_and_leaves_it_alone(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let key = unused_key();
    let first = apply(&storage, &key, &creating().field("a", "1")).await;
    apply(&storage, &key, &rewriting(&first).field("a", "2")).await;
    let newer = found(&storage, &key).await;
    let (nonce, other) = (newer.version().nonce(), Nonce::from_bytes([7; 16]));
    let versions = [(0, nonce), (1, nonce), (3, nonce), (u64::MAX, nonce), (2, other)];
    for (expected, nonce) in versions {
        let version = Version::new(Generation::new(expected), nonce);
        let late = CommitBuilder::new(Expect::Exactly(version)).field("a", "3");
        match send(&storage, &key, &late).await {
            Committed::Conflict(shown) => assert_eq!(shown.as_bytes(), newer.as_bytes()),
            other => panic!("{expected}: {other:?}"),
        }
        assert_eq!(found(&storage, &key).await.as_bytes(), newer.as_bytes());
    }
}

/// A session that was removed and made again is another one, also where its generation is the same:
/// who has seen the first one may not write over the second.
pub async fn a_record_that_was_made_again_is_another_one(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let key = unused_key();
    let first = apply(&storage, &key, &creating().field("a", "1")).await;
    assert_eq!(storage.destroy(&key).await.unwrap(), Destroyed::Removed(Durability::LOCAL));
    let again = apply(&storage, &key, &creating().field("a", "2")).await;
    assert_eq!(first.generation, again.generation);
    let late = send(&storage, &key, &rewriting(&first).field("a", "3")).await;
    assert!(matches!(late, Committed::Conflict(_)), "{late:?}");
    assert_eq!(found(&storage, &key).await.field("a"), Some(b"2".as_slice()));
}

/// A commit replaces all of a record, counts it, and keeps when it was created.
pub async fn a_commit_replaces_the_record_and_counts_on(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let key = unused_key();
    let first = apply(&storage, &key, &creating().owner("ann").field("a", "1")).await;
    fixture.pass(fixture.unit()).await;
    let second = apply(&storage, &key, &rewriting(&first).field("b", "2")).await;
    assert_eq!(second.generation, Generation::new(2));
    assert_eq!((second.created, second.started), (first.created, first.started));
    assert_eq!(second.absolute_deadline, first.absolute_deadline);
    assert!(second.touched > first.touched);
    let record = found(&storage, &key).await;
    assert_eq!((record.owner(), record.field("a")), (None, None));
    assert_eq!(record.field("b"), Some(b"2".as_slice()));

    let present = CommitBuilder::new(Expect::Present).field("c", "3");
    assert_eq!(apply(&storage, &key, &present).await.generation, Generation::new(3));
}

/// The reply to a commit was lost and it is sent again: it counts once.
pub async fn a_commit_sent_again_is_applied_once(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let key = unused_key();
    let nonce = Nonce::generate().unwrap();
    let create = creating().nonce(nonce).field("a", "1").build().unwrap();
    let stamp = apply_built(&storage, &key, &create).await;
    let before = found(&storage, &key).await;
    fixture.pass(fixture.unit()).await;
    for _ in 0..3 {
        assert_eq!(apply_built(&storage, &key, &create).await, stamp);
        assert_eq!(found(&storage, &key).await.as_bytes(), before.as_bytes());
    }

    let rewrite = rewriting(&stamp).field("a", "2").build().unwrap();
    let second = apply_built(&storage, &key, &rewrite).await;
    let after = found(&storage, &key).await;
    assert_eq!(apply_built(&storage, &key, &rewrite).await, second);
    let present = CommitBuilder::new(Expect::Present).field("a", "3").build().unwrap();
    let third = apply_built(&storage, &key, &present).await;
    assert_eq!(apply_built(&storage, &key, &present).await, third);
    assert_ne!(payload(&found(&storage, &key).await), payload(&after));
    assert_eq!(third.generation, Generation::new(3));
}

/// A commit is sent again after somebody else has committed: it is still not applied twice.
pub async fn a_commit_sent_again_after_another_one_changes_nothing(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let key = unused_key();
    let create = creating().field("a", "1").build().unwrap();
    let first = apply_built(&storage, &key, &create).await;
    let rewrite = rewriting(&first).field("a", "2").build().unwrap();
    let second = apply_built(&storage, &key, &rewrite).await;
    apply(&storage, &key, &rewriting(&second).field("a", "3")).await;
    let newest = found(&storage, &key).await;
    for again in [&create, &rewrite] {
        let outcome = storage.commit(&key, again).await.unwrap();
        assert!(matches!(outcome, Committed::Exists | Committed::Conflict(_)), "{outcome:?}");
        assert_eq!(found(&storage, &key).await.as_bytes(), newest.as_bytes());
    }
}
